"""A reviewer as the server sees one: what a browser with the bench open sends, at a person's pace or
without a pause.

Signs in through the page with its CSRF token, opens the bench, then talks JSON as `bench.js` does. A page
holds two questions: the one it shows and the next one, which it shows at once when the first is sent; the
answer to that is the one to hold then. Every 20th question it also renews its claim, which a browser
does each minute that somebody stays on one.
"""

import asyncio
import html
import json
import random
import re
import time
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import Any

import httpx

STATE = re.compile(r'<script id="bench-state" type="application/json">(.*?)</script>', re.DOTALL)
DATA = re.compile(r'\bdata-(\w+)="([^"]*)"')
TOKEN = re.compile(r'name="csrfmiddlewaretoken" value="([^"]+)"')
RATIONALE = re.compile(
    r'data-rationale="(\d+)" data-letter="\w+" data-grade="(\w+)" data-suggest="([\w ]*)"'
)
FILES = re.compile(r'(?:href|src)="(/static/[^"]+)"')
RENEW_EVERY = 20


class Refused(Exception):
    """The server answered with something else than a browser of an honest person gets."""

    def __init__(self, message: str, answer: httpx.Response) -> None:
        super().__init__(message)
        self.answer = answer


@dataclass
class Shown:
    """A question that this person holds, with its rationales: (id, grade, suggested reasons)."""

    item: int
    rationales: list[tuple[str, str, str]]


@dataclass
class Meter:
    """What all reviewers saw together."""

    seconds: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    errors: Counter[str] = field(default_factory=Counter)
    holders: dict[int, set[str]] = field(default_factory=lambda: defaultdict(set))
    beyond: int = 0
    submitted: int = 0
    decided: int = 0
    ran_dry: int = 0

    def percentiles(self, name: str) -> tuple[int, float, float, float, float]:
        """(how many, p50, p95, p99, largest) of a kind of request, in milliseconds."""
        values = sorted(self.seconds[name])
        if not values:
            return 0, 0.0, 0.0, 0.0, 0.0
        marks = (values[min(len(values) - 1, int(q * len(values)))] for q in (0.5, 0.95, 0.99))
        return (len(values), *(1000 * m for m in marks), 1000 * values[-1])


class Reviewer:
    """One person with one tab open. `overlap` is only what is counted as too many holders."""

    def __init__(
        self, url: str, name: str, password: str, slug: str, meter: Meter, overlap: int = 1
    ) -> None:
        self.url, self.name, self.password, self.slug = url, name, password, slug
        self.meter, self.overlap = meter, overlap
        self.client = httpx.AsyncClient(base_url=url, timeout=60, trust_env=False)
        self.shown: Shown | None = None
        self.hand: Shown | None = None
        self.done = 0

    async def sign_in(self) -> None:
        page = await self._ask("sign-in page", "GET", "/sign-in/")
        form = {
            "csrfmiddlewaretoken": TOKEN.search(page.text)[1],
            "username": self.name,
            "password": self.password,
            "next": f"/projects/{self.slug}/review/",
        }
        answer = await self._ask("sign in", "POST", "/sign-in/", data=form, ok=302)
        if "review" not in answer.headers["Location"]:
            raise Refused(f"signed in and sent to {answer.headers['Location']}", answer)

    async def open(self) -> None:
        """The bench itself, and the question after the one it shows."""
        await self.load()
        await self._look_ahead()

    async def begin(self) -> None:
        """Ask once more for what a loaded page shows, and for the question after it."""
        answer = await self._ask("next again", "GET", self.data["next"])
        self.shown = self._take(answer.json(), answer)
        await self._look_ahead()

    async def load(self) -> None:
        """The bench's page, with the styles and scripts that a first visit fetches."""
        page = await self._ask("bench page", "GET", f"/projects/{self.slug}/review/")
        root = page.text.split('id="bench"', 1)[1].split(">", 1)[0]
        self.data = {name: html.unescape(value) for name, value in DATA.findall(root)}
        state = json.loads(STATE.search(page.text)[1])
        for path in sorted(set(FILES.findall(page.text))):
            await self._ask("static file", "GET", path)
        self.shown = self._take({"state": state, "html": page.text}, page)

    async def _look_ahead(self) -> None:
        self.hand = None
        if self.shown is not None:
            answer = await self._ask(
                "ahead", "POST", self.data["ahead"], json={"item": self.shown.item}
            )
            self.hand = self._take(answer.json()["ahead"], answer)

    async def work(self, until: float, think: float) -> None:
        """Decide on one question after another until `until` (of time.perf_counter)."""
        await asyncio.sleep(random.random() * think)  # not everybody begins in the same instant
        while time.perf_counter() < until:
            if self.shown is None:
                self.meter.ran_dry += 1
                return
            await asyncio.sleep(think)
            try:
                await self.submit(think)
            except (Refused, httpx.HTTPError) as error:
                self.meter.errors[str(error) or type(error).__name__] += 1
                return

    async def submit(self, seconds: float) -> None:
        """Send decisions on all rationales of the question in hand; what comes next is the answer."""
        done, self.shown, self.hand = self.shown, self.hand, None
        if self.done % RENEW_EVERY == RENEW_EVERY - 1:
            await self._ask("renew", "POST", self.data["renew"], json={"item": done.item})
        says = [self._say(*rationale) for rationale in done.rationales]
        body = {"item": done.item, "seconds": seconds, "says": says}
        if self.shown is not None:
            body["shown"] = self.shown.item
        answer = await self._ask("next", "POST", self.data["submit"], json=body)
        self.meter.submitted += 1
        self.meter.decided += len(says)
        self.done += 1
        self.meter.holders[done.item].discard(self.name)
        told = answer.json()
        if self.shown is None:
            self.shown = self._take(told, answer)
        else:
            self.hand = self._take(told["ahead"], answer)

    def _say(self, rationale: str, grade: str, suggested: str) -> dict[str, Any]:
        if grade == "right":
            return {"rationale": int(rationale), "verdict": "approve"}
        reasons = suggested.split() or ["unclear"]
        return {"rationale": int(rationale), "verdict": "reject", "reasons": reasons}

    def _take(self, told: dict[str, Any] | None, answer: httpx.Response) -> Shown | None:
        """What an answer gives this person to hold; None where it gives nothing."""
        if told is None or told["state"]["item"] is None:
            return None
        item, rationales = told["state"]["item"], RATIONALE.findall(told["html"])
        if len(rationales) < 2:
            raise Refused(f"a question came with {len(rationales)} rationales to decide", answer)
        holders = self.meter.holders[item]
        self.meter.beyond += len(holders - {self.name}) >= self.overlap
        holders.add(self.name)
        return Shown(item, rationales)

    async def _ask(
        self, what: str, method: str, path: str, ok: int = 200, **more: Any
    ) -> httpx.Response:
        began = time.perf_counter()
        headers = {"Referer": self.url}
        if method == "POST" and "json" in more:
            headers["X-CSRFToken"] = self.data["csrf"]
        answer = await self.client.request(method, path, headers=headers, **more)
        self.meter.seconds[what].append(time.perf_counter() - began)
        if answer.status_code != ok:
            raise Refused(f"{what}: {answer.status_code} {answer.text[:200]!r}", answer)
        return answer

    async def close(self) -> None:
        await self.client.aclose()
