"""doccano, under gunicorn with two processes and one Celery worker.

It hands nothing out: with everybody at its filter "not confirmed yet" all get the same example, and the
second who confirms it takes back the first one's confirmation. So people here have agreed by hand who starts
where, which is its best case: nothing is done twice. One review is four requests, a category for each
solution, and one that confirms, as its page sends them.
"""

import json
import time
from pathlib import Path
from typing import Any

import httpx

from tests.benchmarks.peers.loop import Adapter, Item
from tests.benchmarks.peers.product import PASSWORD, Product, as_dict, client
from tests.benchmarks.peers.tasks import make_tasks

ADMIN = "admin"
PROCESSES = 2
IMPORT_SECONDS = 900
LABELS = [f"S{n}-{v}" for n in range(1, 5) for v in ("correct", "incorrect", "unsure")]
PROJECT = {
    "description": "bench",
    "project_type": "DocumentClassification",
    "resourcetype": "TextClassificationProject",
    "guideline": "",
    "random_order": False,
    "collaborative_annotation": True,
    "single_class_classification": False,
    "allow_member_to_create_label_type": False,
    "tags": [],
}


def user_name(person: int) -> str:
    return f"annotator{person:03d}"


def as_example(task: dict[str, Any]) -> dict[str, Any]:
    """One text, since an example has one; what else is in the line becomes the example's `meta`."""
    texts = [f"[S{n}]\n{one['text']}" for n, one in enumerate(task["solutions"], 1)]
    example = {name: task[name] for name in ("ref", "gold", "n_correct")}
    example |= {"text": "\n\n".join([task["question"], *texts]), "label": []}
    for number, solution in enumerate(task["solutions"], 1):
        example[f"s{number}_is_correct"] = solution["is_correct"]
    return example


class Annotator(Adapter):
    """One person, who walks over the examples from `first` to before `last`."""

    def __init__(
        self, *args: Any, sessions: dict[str, httpx.Cookies], share: tuple[int, int]
    ) -> None:
        super().__init__(*args)
        self.sessions = sessions
        self.offset, self.last = share

    async def login(self) -> None:
        if self.user in self.sessions:
            self.client.cookies.update(self.sessions[self.user])
        else:
            form = {"username": self.user, "password": self.password}
            self.ok(await self.client.post("/v1/auth/login/", json=form))
            self.sessions[self.user] = httpx.Cookies(self.client.cookies)
        self.ok(await self.client.get(f"/projects/{self.project}/text-classification"))
        types = self.ok(await self.client.get(f"/v1/projects/{self.project}/category-types"))
        self.labels = {one["text"]: one["id"] for one in types.json()}

    async def next_item(self) -> Item | None:
        if self.offset >= self.last:
            return None
        params = {"limit": 1, "offset": self.offset, "q": "", "label": "", "confirmed": ""}
        answer = await self.client.get(f"/v1/projects/{self.project}/examples", params=params)
        found = self.ok(answer).json()["results"]
        self.offset += 1
        return Item(found[0]["id"], found[0]["meta"]) if found else None

    async def submit(self, item: Item) -> None:
        path = f"/v1/projects/{self.project}/examples/{item.id}"
        token = self.client.cookies.get("csrftoken", "")
        headers = {"X-CSRFToken": token, "Referer": self.url}
        for number in range(1, 5):
            verdict = "correct" if item.data[f"s{number}_is_correct"] else "incorrect"
            label = {"label": self.labels[f"S{number}-{verdict}"]}
            self.ok(await self.client.post(f"{path}/categories", json=label, headers=headers))
        self.ok(await self.client.post(f"{path}/states", json={}, headers=headers))


class Doccano(Product):
    name, key, program = "doccano", "doccano", "doccano"
    admin = ADMIN
    # doccano 1.8.4 does not bound these two: environs 9.5 breaks on marshmallow 4, pandas 1.5 on numpy 2.
    packages = (("doccano==1.8.4", "marshmallow<4", "numpy<2", "psycopg2-binary"),)

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.sessions: dict[str, httpx.Cookies] = {}

    def environment(self) -> dict[str, str]:
        sqlite = f"sqlite:///{self.data}/db.sqlite3"
        return {
            "DOCCANO_HOME": str(self.data),
            "MEDIA_ROOT": str(self.data / "media"),
            "STANDALONE": "True",
            "DEBUG": "False",
            "DJANGO_SETTINGS_MODULE": "config.settings.production",
            "DATABASE_URL": self.database.url(self.database_name) if self.database else sqlite,
        }

    def migrate(self) -> None:
        self.run(self.bin("doccano"), "init")
        name = ("--username", ADMIN, "--password", PASSWORD)
        self.run(self.bin("doccano"), "createuser", *name)

    def commands(self) -> list[list[str]]:
        web = [
            *(self.bin("gunicorn"), "--bind", self.url.removeprefix("http://")),
            *("--chdir", str(self.package_folder("backend")), "--workers", str(PROCESSES)),
            *("--timeout", "900", "--log-level", "warning", "config.wsgi:application"),
        ]
        return [web, [self.bin("doccano"), "task"]]

    def fill(self, file: Path, tasks: int, people: int) -> None:
        with client(self.url) as admin:
            as_dict(admin.post("/v1/auth/login/", json={"username": ADMIN, "password": PASSWORD}))
            admin.headers.update({"X-CSRFToken": admin.cookies["csrftoken"], "Referer": self.url})
            for person in range(self.people_made(), people):
                secret = {"password1": PASSWORD, "password2": PASSWORD}
                as_dict(
                    admin.post("/v1/users/create", json=secret | {"username": user_name(person)})
                )
                self.people_file.write_text(str(person + 1))
            made = admin.post("/v1/projects", json=PROJECT | {"name": f"bench {tasks}"})
            self.project = as_dict(made)["id"]
            self._prepare_project(admin, people)
            self._import(admin, file, tasks)

    def _prepare_project(self, admin: httpx.Client, people: int) -> None:
        """Its labels and its members."""
        path = f"/v1/projects/{self.project}"
        for number, text in enumerate(LABELS):
            look = {"background_color": f"#{number:02x}55aa", "text_color": "#ffffff"}
            keys = {"prefix_key": None, "suffix_key": None}
            as_dict(admin.post(f"{path}/category-types", json={"text": text, **look, **keys}))
        roles = {one["name"]: one["id"] for one in as_dict(admin.get("/v1/roles"))}
        wanted = {user_name(person) for person in range(people)}
        for user in as_dict(admin.get("/v1/users")):
            if user["username"] in wanted:
                member = {"user": user["id"], "role": roles["annotator"]}
                as_dict(admin.post(f"{path}/members", json=member))

    def _import(self, admin: httpx.Client, file: Path, tasks: int) -> None:
        lines = "".join(json.dumps(as_example(task)) + "\n" for task in make_tasks(file, tasks))
        upload = {"filepond": ("tasks.jsonl", lines, "application/jsonl")}
        sent = admin.post("/v1/fp/process/", files=upload)
        sent.raise_for_status()
        order = {
            "format": "JSONL",
            "task": "DocumentClassification",
            "uploadIds": [sent.text.strip('"')],
            "column_data": "text",
            "column_label": "label",
            "encoding": "utf_8",
            "delimiter": "",
        }
        path = f"/v1/projects/{self.project}"
        task = as_dict(admin.post(f"{path}/upload", json=order))["task_id"]
        until = time.monotonic() + IMPORT_SECONDS
        while time.monotonic() < until:
            status = admin.get(f"/v1/tasks/status/{task}")
            if status.status_code == 200 and status.json()["ready"]:
                break
            time.sleep(0.2)
        count = as_dict(admin.get(f"{path}/examples", params={"limit": 1}))["count"]
        if count != tasks:
            raise SystemExit(f"doccano imported {count:,} of {tasks:,} tasks: {status.text[:300]}")

    def adapter(self, person: int, share: tuple[int, int]) -> Adapter:
        name, more = user_name(person), {"sessions": self.sessions, "share": share}
        return Annotator(self.url, name, PASSWORD, self.project, **more)
