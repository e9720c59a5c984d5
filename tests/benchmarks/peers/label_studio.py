"""Label Studio, under uwsgi with two processes as its own image runs it."""

import json
import re
import uuid
from pathlib import Path
from typing import Any

import httpx

from tests.benchmarks.peers.loop import Adapter, Item
from tests.benchmarks.peers.product import PASSWORD, Product, as_dict, client
from tests.benchmarks.peers.tasks import make_tasks

ADMIN = "admin@example.com"
PROCESSES = 2
TOKEN = re.compile(r'name="csrfmiddlewaretoken" value="([^"]+)"')
CONFIG = (
    "<View><Text name='q' value='$question'/><Text name='g' value='$gold'/>"
    + "".join(
        f"<Text name='t{n}' value='$s{n}'/>"
        f"<Choices name='v{n}' toName='t{n}' choice='single' required='true'>"
        "<Choice value='correct'/><Choice value='incorrect'/><Choice value='unsure'/></Choices>"
        for n in range(1, 5)
    )
    + "</View>"
)


def email(person: int) -> str:
    return f"annotator{person:03d}@example.com"


def verdicts(data: dict[str, Any]) -> list[dict[str, Any]]:
    """One choice for each solution: what the data says of it."""
    return [
        {
            "id": uuid.uuid4().hex[:10],
            "from_name": f"v{n}",
            "to_name": f"t{n}",
            "type": "choices",
            "value": {"choices": ["correct" if data[f"s{n}_is_correct"] else "incorrect"]},
        }
        for n in range(1, 5)
    ]


def as_task(task: dict[str, Any]) -> dict[str, Any]:
    """Flat: each tag of the page names one field."""
    data = {name: task[name] for name in ("ref", "question", "gold", "n_correct")}
    for number, solution in enumerate(task["solutions"], 1):
        data[f"s{number}"] = solution["text"]
        data[f"s{number}_model"] = solution["model"]
        data[f"s{number}_is_correct"] = solution["is_correct"]
    return {"data": data}


class Annotator(Adapter):
    """One person. `next` locks the task for them; a submission is one request with all four verdicts."""

    def __init__(self, *args: Any, sessions: dict[str, httpx.Cookies]) -> None:
        super().__init__(*args)
        self.sessions = sessions

    async def login(self) -> None:
        if self.user in self.sessions:
            self.client.cookies.update(self.sessions[self.user])
        else:
            page = self.ok(await self.client.get("/user/login/"))
            form = {"email": self.user, "password": self.password}
            answer = await self.client.post(
                "/user/login/",
                data=form | {"csrfmiddlewaretoken": TOKEN.search(page.text)[1]},
                headers={"Referer": f"{self.url}/user/login/"},
            )
            if answer.status_code != 302:
                raise RuntimeError(f"sign-in of {self.user}: {answer.status_code}")
            self.sessions[self.user] = httpx.Cookies(self.client.cookies)
        # The page in which the labelling is done, as ours loads its bench.
        self.ok(await self.client.get(f"/projects/{self.project}/data"))

    async def next_item(self) -> Item | None:
        answer = await self.client.get(f"/api/projects/{self.project}/next/")
        if answer.status_code == 404:
            return None
        task = self.ok(answer).json()
        return Item(task["id"], task["data"])

    async def submit(self, item: Item) -> None:
        answer = await self.client.post(
            f"/api/tasks/{item.id}/annotations/?project={self.project}",
            json={"result": verdicts(item.data), "lead_time": 1.0, "project": self.project},
            headers={
                "X-CSRFToken": self.client.cookies.get("csrftoken", ""),
                "Referer": self.url,
            },
        )
        self.ok(answer)


class LabelStudio(Product):
    name, key, program = "Label Studio", "label-studio", "uwsgi"
    admin = ADMIN
    packages = (("label-studio==1.23.2", "uwsgi==2.0.31"),)
    ready = "/health"

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.sessions: dict[str, httpx.Cookies] = {}

    def environment(self) -> dict[str, str]:
        found = {
            "SENTRY_DSN": "",
            "FRONTEND_SENTRY_DSN": "",
            "COLLECT_ANALYTICS": "False",
            "LATEST_VERSION_CHECK": "False",
            "LABEL_STUDIO_USERNAME": ADMIN,
            "LABEL_STUDIO_PASSWORD": PASSWORD,
            "LABEL_STUDIO_BASE_DATA_DIR": str(self.data),
            "LABEL_STUDIO_HOST": self.url,
            "LOG_LEVEL": "WARNING",
            "DEBUG": "False",
            "DJANGO_SETTINGS_MODULE": "core.settings.label_studio",
            "DJANGO_DB": "default" if self.database else "sqlite",
        }
        if self.database:
            found |= {
                "POSTGRE_NAME": self.database_name,
                "POSTGRE_USER": self.database.user,
                "POSTGRE_PASSWORD": self.database.password,
                "POSTGRE_HOST": self.database.host,
                "POSTGRE_PORT": str(self.database.port),
            }
        return found

    def migrate(self) -> None:
        # Its quick start migrates and makes the admin.
        port = self.url.rsplit(":", 1)[1]
        quick = ["start", "--no-browser", "--internal-host", "127.0.0.1", "-p", port]
        with self.stopped_on_error():
            self.launch([[self.bin("label-studio"), *quick]])
        self.stop()

    def commands(self) -> list[list[str]]:
        return [
            [
                *(self.bin("uwsgi"), "--http", self.url.removeprefix("http://")),
                *("--http-timeout", "900", "--http-keepalive=1", "--buffer-size", "65535"),
                *("--chdir", str(self.package_folder("label_studio"))),
                *("--module", "core.wsgi:application", "--virtualenv", str(self.venv)),
                *("--master", "--processes", str(PROCESSES), "--enable-threads"),
                *("--single-interpreter", "--die-on-term", "--vacuum", "--disable-logging"),
            ]
        ]

    def fill(self, file: Path, tasks: int, people: int) -> None:
        with client(self.url) as admin:
            page = admin.get("/user/login/")
            form = {"email": ADMIN, "password": PASSWORD}
            self._post_form(admin, "/user/login/", page, form)
            admin.headers.update({"X-CSRFToken": admin.cookies["csrftoken"], "Referer": self.url})
            self._sign_up(as_dict(admin.get("/api/invite"))["token"], people)
            project = {"title": f"bench {tasks}", "label_config": CONFIG, "maximum_annotations": 1}
            made = admin.post("/api/projects/", json=project | {"sampling": "Sequential sampling"})
            self.project = as_dict(made)["id"]
            body = json.dumps([as_task(task) for task in make_tasks(file, tasks)])
            files = {"file": ("tasks.json", body, "application/json")}
            answer = as_dict(admin.post(f"/api/projects/{self.project}/import", files=files))
            if answer.get("task_count") != tasks:
                raise SystemExit(f"Label Studio did not import {tasks:,} tasks: {answer}")

    def _sign_up(self, invitation: str, people: int) -> None:
        """Make those annotators who are not there from an earlier run."""
        for person in range(self.people_made(), people):
            with client(self.url) as browser:
                path = f"/user/signup/?token={invitation}"
                form = {"email": email(person), "password": PASSWORD, "how_find_us": "other"}
                form["allow_newsletters"] = "false"
                self._post_form(browser, path, browser.get(path), form)
            self.people_file.write_text(str(person + 1))

    def _post_form(
        self, browser: httpx.Client, path: str, page: httpx.Response, form: dict[str, str]
    ) -> None:
        token = TOKEN.search(page.text)[1]
        answer = browser.post(
            path,
            data=form | {"csrfmiddlewaretoken": token},
            headers={"Referer": f"{self.url}/user/login/"},
        )
        if answer.status_code != 302:
            raise SystemExit(f"Label Studio refused {path}: {answer.status_code}")

    def adapter(self, person: int, share: tuple[int, int]) -> Adapter:
        return Annotator(self.url, email(person), PASSWORD, self.project, sessions=self.sessions)
