"""Where a model key goes: a walk over every path from a task to a socket.

A stranger has a project of their own, names somebody else's key in it, and their own server as the
address. The operator allows that server as such (`MODEL_HOSTS`), so that nothing but the key's own
list of hosts stands between the key and the server.
"""

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

from curation import artifacts, key_names
from curation.evaluations.models import Evaluation
from curation.evaluations.services import order_evaluation
from curation.jobs import Status
from curation.projects.models import Project, User
from curation.projects.services import create_project
from curation.questions.models import Question
from curation.rationales.generation.orders import order_run
from curation.rationales.models import GenerationRun, Judge, Score, ScoringRun, Slot, Teacher
from curation.rationales.scoring.scores import order_rescoring
from curation.rationales.teachers.trial import order_try
from curation.training.services import order_training
from tests.curation.training.training_rows import frozen
from tests.workers.generation.generation_server import (
    KEY,
    Reply,
    Server,
    backend_for,
    chat,
    request,
)
from tests.workers.generation.test_generation_runs import cold_afterwards, run_to_its_end  # noqa: F401
from tests.workers.training.training_tiny import sums
from workers import model_keys
from workers.child_environment import without_secrets
from workers.evaluation.tasks import ask_addresses, evaluate
from workers.generation import tasks
from workers.generation.engine import model_process
from workers.generation.types import BackendError
from workers.generation.vllm import engine
from workers.scoring.grade.math_verify import HardComparer
from workers.scoring.isolation.process import TextProcess
from workers.scoring.tasks import score
from workers.ssrf_guard import parse_url
from workers.training import process as training_process
from workers.training.tasks import train

pytestmark = pytest.mark.django_db(transaction=True)
ROOT = Path(__file__).resolve().parents[2]
NAME = "FAR_API_KEY"
LISTS = {
    "no list": None,
    "an empty list": " , ",
    "another host": "api.example.com",
    "another port": "127.0.0.1:1",
    "the host at its usual port": "127.0.0.1",
    "the address as a prefix": "127.0.0.1:{port}0",
    "a wildcard": "*",
}


@pytest.fixture
def server() -> Iterator[Server]:
    with Server(lambda n, r: chat("Answer: 3")) as made:
        yield made


@pytest.fixture(params=LISTS)
def theirs(
    request: pytest.FixtureRequest,
    stranger: User,
    make_questions: Callable[..., list[Question]],
    server: Server,
    monkeypatch: pytest.MonkeyPatch,
) -> Project:
    """The stranger's project, on an installation whose key lists hosts as the parameter says."""
    monkeypatch.setattr(settings, "MODEL_HOSTS", ["127.0.0.1"])
    monkeypatch.setenv(NAME, KEY)
    hosts = LISTS[request.param]
    if hosts is None:
        monkeypatch.delenv(f"{NAME}_HOSTS", raising=False)
    else:
        monkeypatch.setenv(f"{NAME}_HOSTS", hosts.format(port=server.port))
    project = create_project(stranger, "Trap", "trap", use_embeddings=False, student="demo:student")
    make_questions(2, to=project)
    make_questions(2, split="eval", to=project)
    return project


def trap(project: Project, server: Server) -> Teacher:
    return Teacher(
        project=project, name="trap", backend="openai", model="m", base_url=server.url,
        api_key_env=NAME,
    )  # fmt: skip


def assert_refused(said: str) -> None:
    """One clear line: which key, and the variable that the operator would set."""
    assert NAME in said and f"{NAME}_HOSTS" in said, said
    assert KEY not in said and "\n" not in said.strip()


def measure(evaluation_id: int) -> None:
    """As the workers of its two queues do, one after the other."""
    ask_addresses(evaluation_id)
    evaluate(evaluation_id)


def test_a_try_sends_no_key(theirs: Project, stranger: User, server: Server) -> None:
    row = order_try(theirs, stranger, trap(theirs, server), "")
    tasks.try_address(row.pk)
    row.refresh_from_db()
    assert row.status == Status.FAILED and server.received == []
    assert_refused(row.error)


def test_a_run_sends_no_key(theirs: Project, stranger: User, server: Server) -> None:
    teacher = trap(theirs, server)
    teacher.save()
    run = run_to_its_end(order_run(theirs, stranger, teachers=[teacher], temperatures=[0.5]))
    assert run.status == Status.FAILED and server.received == []
    errors = set(Slot.objects.filter(run=run).values_list("status", "error"))
    assert len(errors) == 1 and errors.pop()[0] == "failed"
    assert_refused(Slot.objects.filter(run=run).first().error)


@pytest.mark.parametrize("kind", Judge.Kind.values)
def test_a_judge_sends_no_key(
    theirs: Project,
    stranger: User,
    server: Server,
    make_rationales: Callable[..., list[Any]],
    kind: str,
) -> None:
    (rationale,) = make_rationales(theirs.questions.first(), ["right"])
    Judge.objects.create(
        project=theirs, name="j", kind=kind, model="m", base_url=server.url, api_key_env=NAME
    )
    run = order_rescoring(theirs, stranger)
    score(run.pk)
    assert server.received == []
    assert_refused(ScoringRun.objects.get(pk=run.pk).note)
    assert Score.objects.get(pk=rationale.pk).correctness == 1.0


def test_an_evaluation_sends_no_key(theirs: Project, stranger: User, server: Server) -> None:
    trap(theirs, server).save()
    evaluation = order_evaluation(theirs, stranger)
    measure(evaluation.pk)
    evaluation.refresh_from_db()
    assert evaluation.status == Status.FAILED and server.received == []
    assert_refused(evaluation.error)


@pytest.fixture
def dataset(stranger: User) -> Callable[[Project], Any]:
    def make(project: Project) -> Any:
        rows = "".join(json.dumps(row) + "\n" for row in sums(8)).encode()
        with artifacts.writing(f"datasets/{project.pk}/1/dataset.jsonl") as file:
            file.write(rows)
        made = frozen(project)
        made.sha256 = hashlib.sha256(rows).hexdigest()
        made.save()
        return made

    return make


@pytest.mark.parametrize("theirs", ["another port"], indirect=True)
def test_a_training_and_the_evaluation_that_follows_it_send_no_key(
    theirs: Project,
    stranger: User,
    server: Server,
    dataset: Callable[[Project], Any],
) -> None:
    trap(theirs, server).save()
    recipe = {"max_steps": 1, "samples_every": 0}
    job = order_training(theirs, stranger, dataset(theirs), preset="demo", recipe=recipe)
    train(job.pk)
    job.refresh_from_db()
    assert job.status == Status.DONE, job.error
    evaluation = Evaluation.objects.get(job=job)
    measure(evaluation.pk)
    evaluation.refresh_from_db()
    assert evaluation.status == Status.FAILED and server.received == []
    assert_refused(evaluation.error)


# --- where the operator lets it go, it goes, together with its list ---------------------------


def test_a_key_goes_where_it_may_go_and_its_list_goes_along_into_the_evaluation(
    project: Project,
    admin_user: User,
    make_questions: Callable[..., list[Question]],
    server: Server,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(settings, "MODEL_HOSTS", ["127.0.0.1"])
    monkeypatch.setenv(NAME, KEY)
    monkeypatch.setenv(f"{NAME}_HOSTS", f"api.example.com, 127.0.0.1:{server.port}")
    make_questions(1)
    make_questions(2, split="eval")
    teacher = trap(project, server)
    row = order_try(project, admin_user, teacher, "")
    tasks.try_address(row.pk)
    teacher.save()
    run = order_run(project, admin_user, teachers=[teacher], temperatures=[0.5])
    run_to_its_end(GenerationRun.objects.get(pk=run.pk))
    assert len(server.received) == 2
    evaluation = order_evaluation(project, admin_user)
    measure(evaluation.pk)
    evaluation.refresh_from_db()
    assert evaluation.status == Status.DONE, evaluation.error
    assert len(server.received) == 4
    assert {got.headers["authorization"] for got in server.received} == {f"Bearer {KEY}"}


@pytest.mark.parametrize("hosts", ["", "127.0.0.1:1"])
def test_the_child_of_an_evaluation_decides_once_more(
    tmp_path: Path, server: Server, hosts: str
) -> None:
    """Run by hand with the key in its environment, as an evaluation's process has it."""
    question = {"id": "1", "question": "1 + 2?", "reference_answer": "3", "split": "eval"}
    (tmp_path / "questions.jsonl").write_text(json.dumps(question) + "\n")
    spec = {"backend": "openai", "model": "m", "base_url": server.url, "api_key_env": NAME}
    config = {
        "questions": str(tmp_path / "questions.jsonl"),
        "output_dir": str(tmp_path / "out"),
        "models": [{"name": "trap", "role": "teacher", "spec": spec}],
        "student_tokenizer": str(ROOT / "workers" / "demo" / "models" / "student"),
    }
    (tmp_path / "config.json").write_text(json.dumps(config))
    command = [sys.executable, "-m", "workers.evaluation", str(tmp_path / "config.json")]
    command += ["-o", str(tmp_path / "report.json"), "--allow-host", "127.0.0.1"]
    done = subprocess.run(
        command,
        env=os.environ | {NAME: KEY, f"{NAME}_HOSTS": hosts},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1 and server.received == []
    (said,) = [line for line in done.stderr.splitlines() if line.startswith("Failed: ")]
    assert_refused(said)


def test_a_redirect_takes_no_key_along(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    away = Reply(307, b"", {"Location": server.url + "/chat/completions"})
    with Server(lambda n, r: away) as first:
        monkeypatch.setenv(NAME, KEY)
        monkeypatch.setenv(f"{NAME}_HOSTS", f"127.0.0.1:{first.port}")
        with backend_for(first.url, key=NAME) as backend:
            (done,) = backend.generate([request()])
        assert len(first.received) == 1
    assert "redirects" in done.error and server.received == []


# --- how a list is read ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("url", "entry", "may"),
    [
        ("https://api.example.com/v1", "api.example.com", True),
        ("https://api.example.com/v1", " API.example.com. ", True),
        ("https://api.example.com:443/v1", "api.example.com", True),
        ("https://api.example.com/v1", "api.example.com:443", True),
        ("https://api.example.com:8443/v1", "api.example.com:8443", True),
        ("https://[2606:4700::1]/v1", "[2606:4700::1]", True),
        ("https://[2606:4700::1]/v1", "2606:4700::1", True),
        ("https://api.example.com:8443/v1", "api.example.com", False),
        ("https://api.example.com/v1", "api.example.com:8443", False),
        ("https://evil.example.com/v1", "example.com", False),
        ("https://example.com.evil.org/v1", "example.com", False),
        ("https://api.example.com/v1", "https://api.example.com", False),
    ],
)
def test_an_entry_names_exactly_one_host_and_port(url: str, entry: str, may: bool) -> None:
    values = {NAME: KEY, f"{NAME}_HOSTS": entry}
    if may:
        assert model_keys.key_for(NAME, parse_url(url), values) == KEY
    else:
        with pytest.raises(BackendError, match=f"{NAME}_HOSTS"):
            model_keys.key_for(NAME, parse_url(url), values)


@pytest.mark.parametrize(
    "name",
    ["SECRET_KEY", "DATABASE_URL", "HF_TOKEN", "AWS_SECRET_ACCESS_KEY", "sk-abc", "a\nB_API_KEY"],
)
def test_what_is_no_name_of_a_key_is_refused_and_not_repeated(name: str) -> None:
    values = {name: KEY, f"{name}_HOSTS": "example.com"}
    with pytest.raises(BackendError) as error:
        model_keys.key_for(name, parse_url("https://example.com/v1"), values)
    assert name not in str(error.value)


def test_the_web_and_the_workers_agree_on_what_names_a_key() -> None:
    assert rf"^({model_keys.KEY_NAME.pattern})\Z" == key_names.PATTERN


# --- what children find in their environment -------------------------------------------------

SECRETS = {
    NAME: KEY, f"{NAME}_HOSTS": "x", "CHAINWRIGHT_KEY_ONE": KEY, "SECRET_KEY": KEY,
    "DATABASE_URL": KEY, "REDIS_URL": KEY, "HF_TOKEN": KEY, "AWS_ACCESS_KEY_ID": KEY,
    "PGPASSFILE": KEY, "SENTRY_DSN": KEY,
}  # fmt: skip


def test_no_child_is_given_a_secret_that_it_does_not_need(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)
    for given in (
        without_secrets(),
        model_process.child_environment(1),
        engine.environment("own"),
    ):
        assert not set(SECRETS) & set(given) and KEY not in given.values()
        assert "PATH" in given
    assert engine.environment("own", from_hub=True)["HF_TOKEN"] == KEY


def test_a_training_has_the_hubs_token_only_for_a_model_of_the_hub(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)
    (tmp_path / "data.jsonl").write_text("not read\n")
    for model, has in (
        (str(ROOT / "workers" / "demo" / "models" / "student"), False),
        ("o/n", True),
    ):
        values = {"base_model": model, "dataset": str(tmp_path / "data.jsonl")}
        path = tmp_path / "config.json"
        path.write_text(json.dumps(values | {"output_dir": str(tmp_path / "out")}))
        running = training_process.launch(path, tmp_path / "log")
        found = Path(f"/proc/{running.pid}/environ").read_bytes().split(b"\0")
        running.close(grace=0)
        names = {entry.partition(b"=")[0].decode() for entry in found}
        assert set(SECRETS) & names == ({"HF_TOKEN"} if has else set())


def test_no_running_child_of_the_scorer_has_a_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)
    texts, expressions = TextProcess(), HardComparer()
    try:
        assert texts.call("references", ("1/2",), None, ()) == ""
        assert expressions.compare("x**2", "x^2") is True
        for process in (texts._child.process, expressions._process):
            found = Path(f"/proc/{process.pid}/environ").read_bytes()
            names = {entry.partition(b"=")[0].decode() for entry in found.split(b"\0")}
            assert not set(SECRETS) & names and KEY.encode() not in found
            assert {"PATH", "PYTHONPATH"} <= names
    finally:
        texts.close()
        expressions.close()
