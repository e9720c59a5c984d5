"""The processes of deploy/compose.yaml, started as they stand there from a filled-in environment file: no
container engine, but the same commands, the same variables, a broker with a password, and before the web the
proxy where Caddy is installed."""

import os
import re
import shutil
import ssl
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from importlib.metadata import PackageNotFoundError, requires
from pathlib import Path
from typing import Any

import psycopg
import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from curation.celery_app import QUEUES
from curation.processes import PROCESSES
from curation.supervisor import valkey_binary
from tests.e2e.conftest import REPOSITORY, free_port

DEPLOY = REPOSITORY / "deploy"
COMPOSE = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
SERVICES = COMPOSE["services"]
PASSWORD = "not-the-usual-one"
# Only what the image of the web installs can be imported.
ONLY_THESE = """
import sys
from importlib.metadata import packages_distributions
from packaging.utils import canonicalize_name

ALLOWED = {allowed!r}
NAMES = {{top: {{canonicalize_name(d) for d in of}} for top, of in packages_distributions().items()}}


class Absent:
    def find_spec(self, name, path=None, target=None):
        of = NAMES.get(name.partition(".")[0])
        if of is not None and not of & ALLOWED:
            raise ModuleNotFoundError(f"No module named {{name!r}}: the web's image has none", name=name)


sys.meta_path.insert(0, Absent())
"""


def with_what_they_need(names: list[str]) -> set[str]:
    """The distributions that pip would install for these."""
    todo, done = [Requirement(name) for name in names], set()
    while todo:
        one = todo.pop()
        key = (canonicalize_name(one.name), *sorted(one.extras))
        if key in done:
            continue
        done.add(key)
        try:
            needs = requires(one.name) or []
        except PackageNotFoundError:
            continue
        for need in map(Requirement, needs):
            extras = ["", *one.extras]
            if need.marker is None or any(need.marker.evaluate({"extra": e}) for e in extras):
                todo.append(need)
    return {name for name, *_ in done}


def env_file(name: str) -> dict[str, str]:
    lines = (DEPLOY / name).read_text().splitlines()
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))


class Installation:
    """What `docker compose up` would run, without the containers."""

    def __init__(self, home: Path) -> None:
        self.home, self.web, self.broker, self.proxy = home, free_port(), free_port(), free_port()
        self.running: dict[str, subprocess.Popen] = {}
        database = f"sqlite:///{home / 'chainwright.sqlite3'}"
        if os.environ.get("DATABASE_URL", "").startswith("postgres"):
            database = self.new_database()
        self.filled = env_file("chainwright.env.example") | {
            "SECRET_KEY": "s" * 50, "ALLOWED_HOSTS": "localhost", "SITE": "localhost",
            "CSRF_TRUSTED_ORIGINS": f"https://localhost:{self.proxy}", "BROKER_PASSWORD": PASSWORD,
            "POSTGRES_PASSWORD": "trust", "ARTIFACTS_URL": f"file://{home / 'artifacts'}",
        }  # fmt: skip
        given = {
            "DATABASE_URL": database,
            "REDIS_URL": f"redis://:{PASSWORD}@127.0.0.1:{self.broker}/0",
        }
        # Nothing of this test's own environment but what a container has, too.
        self.env = {
            name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ
        }
        self.env |= {"CHAINWRIGHT_HOME": str(home), "PYTHONUNBUFFERED": "1"} | self.filled | given
        self.light = home / "light"
        self.light.mkdir()
        listed = (DEPLOY / "containers" / "requirements-web.txt").read_text().splitlines()
        allowed = with_what_they_need([line for line in listed if line and line[0] != "#"])
        # The tools of installing are in every image.
        code = ONLY_THESE.format(allowed=allowed | {"pip", "setuptools"})
        (self.light / "sitecustomize.py").write_text(code)

    def new_database(self) -> str:
        name = f"deploy_{os.getpid()}"
        with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as connection:
            connection.execute(f"DROP DATABASE IF EXISTS {name}")
            connection.execute(f"CREATE DATABASE {name}")
        return f"{os.environ['DATABASE_URL'].rpartition('/')[0]}/{name}"

    def env_of(self, service: str) -> dict[str, str]:
        is_light = SERVICES[service]["image"] == "chainwright-web"
        return self.env | ({"PYTHONPATH": str(self.light)} if is_light else {})

    def start(self, name: str, command: list[str], env: dict[str, str]) -> None:
        with (self.home / f"{name}.log").open("ab") as log:
            self.running[name] = subprocess.Popen(
                command, cwd=REPOSITORY, env=env, stdout=log, stderr=log, start_new_session=True
            )

    def start_service(self, name: str) -> None:
        command = [sys.executable, "manage.py", "start", *SERVICES[name]["command"]]
        if name == "web":
            command += ["--port", str(self.web)]
        self.start(name, command, self.env_of(name))

    def start_broker(self) -> None:
        written = [
            part.replace("${BROKER_PASSWORD}", PASSWORD) for part in SERVICES["broker"]["command"]
        ]
        place = ["--port", str(self.broker), "--bind", "127.0.0.1", "--dir", str(self.home)]
        self.start("broker", [valkey_binary(), *written[1:], *place], self.env)

    def start_proxy(self) -> None:
        file = self.home / "Caddyfile"
        text = (DEPLOY / "Caddyfile").read_text()
        # A port that needs no rights, and a certificate of its own: no name here is reachable from outside.
        text = "{\n\tadmin off\n\tskip_install_trust\n\tauto_https disable_redirects\n}\n" + text
        file.write_text(
            text.replace("{$SITE:localhost} {", f"{{$SITE}}:{self.proxy} {{\n\ttls internal")
        )
        env = self.env | {"WEB": f"127.0.0.1:{self.web}", "XDG_DATA_HOME": str(self.home / "caddy")}
        command = ["caddy", "run", "--adapter", "caddyfile", "--config", str(file)]
        self.start("proxy", command, env)

    def manage(self, service: str, *arguments: str) -> str:
        done = subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=REPOSITORY, env=self.env_of(service), text=True, capture_output=True, timeout=300,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr[-3000:]
        return done.stdout

    def said(self) -> str:
        return "\n".join(
            f"== {path.name}\n{path.read_text(errors='replace')[-1500:]}"
            for path in self.home.glob("*.log")
        )

    def wait(self, holds: Callable[[], Any], seconds: float = 180) -> Any:
        until = time.monotonic() + seconds
        while not (found := holds()):
            assert time.monotonic() < until, self.said()
            gone = [name for name, one in self.running.items() if one.poll() is not None]
            assert not gone, f"{gone}\n{self.said()}"
            time.sleep(0.3)
        return found

    def stop(self) -> None:
        for process in reversed(self.running.values()):
            process.terminate()
        for process in self.running.values():
            try:
                process.wait(40)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


@pytest.fixture(scope="module")
def installation() -> Iterator[Installation]:
    home = Path(f"/tmp/cw-deploy-{os.getpid()}")
    home.mkdir(mode=0o700)
    made = Installation(home)
    try:
        made.start_broker()
        made.manage("migrate", *SERVICES["migrate"]["command"])
        for name in PROCESSES:
            made.start_service("gpu-less" if name == "gpu" else name)
        yield made
    finally:
        made.stop()
        shutil.rmtree(home, ignore_errors=True)


def answer(url: str) -> str:
    try:
        with urllib.request.urlopen(url, timeout=5) as got:
            return got.read().decode().strip()
    except OSError as error:
        return str(error)


def test_each_process_of_the_compose_file_comes_up_and_does_its_work(
    installation: Installation, tmp_path: Path
) -> None:
    healthz = f"http://127.0.0.1:{installation.web}/healthz?strict"
    installation.wait(lambda: answer(healthz) == "ok")
    code = (
        "from curation.celery_app import *; import json; "
        "print(json.dumps([q for q in QUEUES if not listeners()[q]]))"
    )
    installation.wait(
        lambda: installation.manage("web", "shell", "-v0", "-c", code).strip() == "[]"
    )
    made = (
        "from curation.projects.models import User; from curation.projects.services import create_project\n"
        "user = User.objects.create_user('ada', password='a long enough word', may_create_projects=True)\n"
        "create_project(user, 'Eggs', 'eggs')"
    )
    installation.manage("web", "shell", "-v0", "-c", made)
    file = tmp_path / "rows.jsonl"
    file.write_text(
        '{"question": "2 + 3?", "reference_answer": "5", '
        '"rationales": [{"teacher": "one", "text": "2 + 3 = 5.\\nThe answer is 5."}]}\n'
    )
    installation.manage("files", "import_questions", str(file), "--project", "eggs")
    scored = "from curation.rationales.models import Score; print(Score.objects.count())"
    installation.wait(
        lambda: installation.manage("web", "shell", "-v0", "-c", scored).strip() == "1"
    )


@pytest.mark.skipif(
    not shutil.which("caddy") and not os.environ.get("CI"),  # where CI lacks it, it fails
    reason="no Caddy here: Debian's package caddy",
)
def test_the_proxy_ends_tls_before_the_web(installation: Installation) -> None:
    installation.wait(lambda: answer(f"http://127.0.0.1:{installation.web}/healthz") == "ok")
    installation.start_proxy()
    url = f"https://localhost:{installation.proxy}"

    def page() -> Any:
        try:
            return urllib.request.urlopen(f"{url}/sign-in/", timeout=5, context=any_certificate())
        except OSError:
            return None

    with installation.wait(page) as got:
        assert got.status == 200 and b"Sign in" in got.read()
        assert "max-age=31536000" in got.headers["Strict-Transport-Security"]
        assert re.search(r"csrftoken=.*[Ss]ecure", got.headers["Set-Cookie"])


def any_certificate() -> ssl.SSLContext:
    made = ssl.create_default_context()
    made.check_hostname, made.verify_mode = False, ssl.CERT_NONE
    return made


def test_compose_and_units_know_every_process_and_publish_only_the_proxy() -> None:
    commands = {one["command"][0] for one in SERVICES.values() if "image" in one and
                str(one["image"]).startswith("chainwright-")}  # fmt: skip
    assert commands == {*PROCESSES, "migrate"}
    assert [name for name, one in SERVICES.items() if "ports" in one] == ["proxy"]
    for name in ("db", "broker"):
        assert (
            SERVICES[name]["networks"] == ["inside"] and COMPOSE["networks"]["inside"]["internal"]
        )
    keys = {name for name, one in SERVICES.items() if "model-keys.env" in one.get("env_file", ())}
    assert keys == {"network", "cpu", "gpu", "gpu-less"}
    target = (DEPLOY / "systemd" / "chainwright.target").read_text()
    wanted = set(re.findall(r"chainwright-worker@(\w+)", target))
    assert wanted == {*QUEUES} - {"gpu"}  # which a machine without one does not start


def test_the_units_are_what_systemd_takes(tmp_path: Path) -> None:
    if not shutil.which("systemd-analyze"):
        pytest.skip("no systemd here")
    for unit in (DEPLOY / "systemd").iterdir():
        # The interpreter of this test stands for the one that an installation has there.
        text = unit.read_text().replace("/srv/chainwright/.venv/bin/python", sys.executable)
        (tmp_path / unit.name).write_text(text)
    done = subprocess.run(
        ["systemd-analyze", "verify", *sorted(map(str, tmp_path.iterdir()))],
        capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0 and not done.stderr.strip(), done.stderr
