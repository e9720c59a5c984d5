"""Every place at which somebody can look, found in the address list and in the OpenAPI description: each
page and each operation, with each object that its address can name, and each filter of each list.

Whatever a request changes is taken back after it, so that all of them meet the same rows.
"""

import json
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from django.db import transaction
from django.http.response import HttpResponseBase
from django.test import Client
from django.urls import get_resolver
from django.urls.resolvers import URLPattern

from curation.api.api import api
from curation.api.models import ApiToken
from curation.dashboard.waiting import KINDS
from curation.datasets.exports.files import forms
from curation.datasets.formats import EXTENSIONS
from curation.datasets.models import DatasetVersion, GateRun, HeldOutList
from curation.evaluations.models import Evaluation
from curation.projects.models import SavedView, User
from curation.questions import selectors as question_lists
from curation.questions.models import Deletion, Question, QuestionChange, QuestionImport
from curation.rationales.listing import selectors as rationale_lists
from curation.rationales.models import (
    GenerationRun,
    MeaningSearch,
    Rationale,
    Teacher,
    TeacherTry,
    TextCheck,
)
from curation.reviews.models import BulkAction, QuestionFlag, QueueItem, Review, Seat
from curation.training.models import TrainingJob
from curation.webhooks.models import Webhook, WebhookDelivery
from tests.curation.api.api_calls import ROOT
from tests.curation.api.api_operations import NEEDS, P

Names = dict[str, Any]


class Place(NamedTuple):
    """A request. `name`: how the table of rules and a failing test call it."""

    name: str
    verb: str
    address: str
    query: str = ""
    body: str | None = None
    is_fragment: bool = False


ALIKE = 3  # so many of the objects of which none tells more than another


def keys(model: Any, field: str = "pk", most: int | None = None) -> Callable[[], list[Names]]:
    rows = model.objects.order_by("pk").values_list("pk", flat=True)
    return lambda: [{field: pk} for pk in rows.all()[:most]]


def _deliveries() -> list[Names]:
    rows = WebhookDelivery.objects.values_list("hook", "pk")
    return [{"pk": hook, "delivery_id": pk} for hook, pk in rows]


def _waiting() -> list[Names]:
    return [
        {"kind": kind, "pk": pk}
        for kind, model in KINDS.items()
        for pk in model.objects.values_list("pk", flat=True)[:ALIKE]
    ]


def _numbers() -> list[Names]:
    return [
        {"number": number} for number in DatasetVersion.objects.values_list("number", flat=True)
    ]


# What the numbers in a page's address stand for: by the address's name, else by its first word.
PAGES: dict[str, Callable[[], list[Names]]] = {
    "question": keys(Question),
    "question_change_undo": keys(QuestionChange),
    "review": keys(Question),
    "adjudicate": keys(Question),
    "rationale": keys(Rationale),
    "answer": keys(Rationale),
    "meaning_like": keys(Rationale),
    "meaning": keys(MeaningSearch),
    "member": keys(User, "user_id", ALIKE),
    "import": keys(QuestionImport),
    "run": keys(GenerationRun),
    "teacher": keys(Teacher),
    "teacher_tried": keys(TeacherTry),
    "flag": keys(QuestionFlag),
    "seat": keys(Seat, most=ALIKE),
    "view": keys(SavedView),
    "bulk": keys(BulkAction),
    "deletion": keys(Deletion),
    "look": keys(GateRun),
    "list": keys(HeldOutList),
    "dataset": _numbers,
    "dataset_download": lambda: [
        {**one, "form": form} for one in _numbers() for form in (*EXTENSIONS, *forms())
    ],
    "training": keys(TrainingJob),
    "evaluation": keys(Evaluation),
    "evaluation_of_training": keys(TrainingJob),
    "webhook": keys(Webhook),
    "webhook_again": _deliveries,
    "waiting": _waiting,
    "token": keys(ApiToken),
    "project": lambda: [{"slug": "eggs"}],
    "no": lambda: [{"queue_name": "gpu"}],
}
# What stands between braces in the paths of the API.
HOLDERS: dict[str, Callable[[], list[Any]]] = {
    name: (lambda model=model: list(model.objects.order_by("pk").values_list("pk", flat=True)))
    for name, model in {
        "question_id": Question,
        "change_id": QuestionChange,
        "rationale_id": Rationale,
        "item_id": QueueItem,
        "import_id": QuestionImport,
        "teacher_id": Teacher,
        "run_id": GenerationRun,
        "training_id": TrainingJob,
        "evaluation_id": Evaluation,
        "hook_id": Webhook,
        "delivery_id": WebhookDelivery,
        "flag_id": QuestionFlag,
        "seat_id": Seat,
        "view_id": SavedView,
        "action_id": BulkAction,
        "deletion_id": Deletion,
        "look_id": GateRun,
        "search_id": MeaningSearch,
        "check_id": TextCheck,
    }.items()
}
HOLDERS |= {
    "username": lambda: list(User.objects.values_list("username", flat=True)[:ALIKE]),
    "dataset": lambda: list(DatasetVersion.objects.values_list("number", flat=True)),
    "form": lambda: [*EXTENSIONS, *forms()],
    "action": lambda: ["approve"],
    "deleted": lambda: ["eggs"],
}
# The bench's own requests name a question of the queue in their JSON.
OF_AN_ITEM = {"review_ahead", "review_renew", "review_skip", "review_flag", "review_submit"}
# Django's own, without a word of ours.
NOT_OURS = {"openapi-json", "openapi-view", "api-root"}


class Unknown(Exception):
    """An address that this file cannot fill in: add what its numbers stand for."""


def places(searched: list[str], reviewers: list[str]) -> list[Place]:
    """All of them. `searched`: words to search for wherever a list can be searched; `reviewers`: whose
    reviews to filter by."""
    return [*pages(), *operations(), *lists(searched, reviewers)]


def _walk(patterns: Any, before: str = "") -> Iterator[tuple[str, URLPattern]]:
    for pattern in patterns:
        place = before + str(pattern.pattern)
        if hasattr(pattern, "url_patterns"):
            yield from _walk(pattern.url_patterns, place)
        else:
            yield place, pattern


def pages() -> Iterator[Place]:
    for route, pattern in _walk(get_resolver().url_patterns):
        if route.startswith(("api/", "^api")):
            continue  # all of them are in the description, see `operations`
        name, names = pattern.name, set(pattern.pattern.converters)
        for numbers in _numbers_of(name, names):
            address = "/" + _filled(route, {"slug": "eggs"} | numbers)
            yield Place(f"page {name}", "GET", address)
            yield Place(f"page {name}", "GET", address, is_fragment=True)
            yield Place(f"page {name}", "POST", address)
        if name == "review_steps":
            for pk in Rationale.all_objects.order_by("pk").values_list("pk", flat=True):
                for what in ("steps&block=0", "text", "thought"):
                    yield Place(f"page {name}", "GET", f"{address}?rationale={pk}&what={what}")
        if name in OF_AN_ITEM:
            for item in QueueItem.objects.order_by("pk"):
                said = Review.objects.filter(rationale__question=item.question_id).first()
                says = [{"rationale": said and said.rationale_id, "verdict": "approve"}]
                body = json.dumps({"item": item.pk, "says": says})
                yield Place(f"page {name}", "POST", address, body=body)


def _numbers_of(name: str, names: set[str]) -> list[Names]:
    if not names - {"slug"} and name.split("_")[0] != "project":
        return [{}]
    known = PAGES.get(name) or PAGES.get(name.split("_")[0])
    found = known() if known and names else [{}]
    if known is None or not found or names - {"slug", *found[0]}:
        raise Unknown(f"the page {name!r} names {sorted(names)}: say in PAGES of which objects")
    return found


def _filled(route: str, numbers: Names) -> str:
    for name, value in numbers.items():
        for kind in ("slug:", "int:", ""):
            route = route.replace(f"<{kind}{name}>", str(value))
    if "<" in route:
        raise Unknown(f"the address {route!r} is not filled in")
    return route


def operations() -> Iterator[Place]:
    for path, verbs in api.get_openapi_schema(path_prefix="")["paths"].items():
        for verb in verbs:
            key = f"{verb.upper()} {path}"
            if key not in NEEDS:
                raise Unknown(f"the operation {key} stands in no table of api_operations.py")
            body = NEEDS[key].body
            for address in _addresses(path.replace("{slug}", "eggs"), key):
                told = None if body is None else json.dumps(body)
                yield Place(f"API {key}", verb.upper(), ROOT + address, body=told)


def _addresses(path: str, key: str) -> Iterator[str]:
    before, brace, rest = path.partition("{")
    if not brace:
        yield path
        return
    name, _, after = rest.partition("}")
    values = HOLDERS[name]() if name in HOLDERS else []
    if not values:
        raise Unknown(f"the operation {key} names {name!r}: say in HOLDERS of which objects")
    for value in values:
        yield from _addresses(f"{before}{value}{after}", key)


def lists(searched: list[str], reviewers: list[str]) -> Iterator[Place]:
    """The two large lists with each value of each of their filters, as pages and in the API."""
    for name, filters, queries in (
        ("rationales", rationale_lists.FILTERS, _rationale_queries(reviewers)),
        ("questions", question_lists.FILTERS, _question_queries()),
    ):
        if (
            missing := set(filters)
            - {query.partition("=")[0] for query in queries}
            - {"q", "after"}
        ):
            raise Unknown(f"the list of {name} has a filter {missing} of which no value is known")
        for query in [*queries, *(f"q={word}" for word in searched)]:
            yield Place(f"page {name}", "GET", f"/projects/eggs/{name}/", query)
            asked = _by_username(query)
            yield Place(f"API GET {P}/{name}", "GET", f"{ROOT}/projects/eggs/{name}", asked)


def _rationale_queries(reviewers: list[str]) -> list[str]:
    told: dict[str, list[Any]] = {
        "teacher": list(Teacher.objects.values_list("pk", flat=True)),
        "temperature": [0.5],
        "answer": list(rationale_lists.ANSWERS),
        "band": list(rationale_lists.BANDS),
        "range": ["validity:0-100"],
        "valid_from": [0],
        "valid_to": [100],
        "decision": list(rationale_lists.DECISIONS),
        "flag": list(rationale_lists.FLAGS),
        "reviewer": list(User.objects.filter(username__in=reviewers).values_list("pk", flat=True)),
        "since": ["2026-01-01"],
        "until": ["2099-01-01"],
        "sort": [name for name in rationale_lists.ORDERS if name != "fit"],
    }
    return [f"{name}={value}" for name, values in told.items() for value in values]


def _question_queries() -> list[str]:
    told = {"split": ["train"], "subset": ["x"], "domain": ["shop"], "state": question_lists.STATES}
    return [f"{name}={value}" for name, values in told.items() for value in values]


def _by_username(query: str) -> str:
    name, _, value = query.partition("=")
    return f"reviewer={User.objects.get(pk=value)}" if name == "reviewer" else query


class Eyes:
    """Somebody who looks: signed in with a browser, and with a token for the API; `user` None: nobody."""

    def __init__(self, user: User | None, secret: str = "") -> None:
        self.user, self.client = user, Client()
        self.headers = {"authorization": f"Bearer {secret}"} if secret else {}
        if user is not None:
            self.client.force_login(user)
        self.signed_in = {name: one.value for name, one in self.client.cookies.items()}

        self.no_page: set[str] = set()
        self.refused: set[tuple[str, str]] = set()

    def look(self, place: Place) -> str:
        """The whole answer as text, with its address of redirection. What is no page has no fragment, and
        what a role may not do with one object it may not do with another."""
        if place.is_fragment and place.address in self.no_page:
            return ""
        if (place.name, place.verb) in self.refused:
            return ""
        with transaction.atomic():
            told = self._ask(place)
            transaction.set_rollback(True)
        return told

    def _ask(self, place: Place) -> str:
        headers = dict(self.headers) if place.name.startswith("API") else {}
        if place.is_fragment:
            headers["hx-request"] = "true"
        address = f"{place.address}?{place.query}" if place.query else place.address
        kind = "application/json"
        if place.verb == "POST" and place.body is None and not place.name.startswith("API"):
            kind = "application/x-www-form-urlencoded"
        client = Client()
        if not place.name.startswith("API"):
            client.cookies.load(self.signed_in)
        answer = client.generic(
            place.verb, address, place.body or "", content_type=kind, headers=headers
        )
        assert answer.status_code < 500, (place, answer.status_code)
        assert answer.status_code != 429, place
        if place.verb == "GET" and answer.status_code != 200:
            self.no_page.add(place.address)
        if place.verb != "GET" and answer.status_code == 403:
            self.refused.add((place.name, place.verb))
        return f"{answer.get('Location', '')}\n{_content(answer)}"


def _content(answer: HttpResponseBase) -> str:
    whole = b"".join(answer.streaming_content) if answer.streaming else answer.content
    return whole.decode(errors="replace")
