"""Files of uploads that died: none is left, and what a killed process left is removed when it is old."""

import io
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.urls import reverse

from curation import artifacts
from curation.errors import Invalid
from curation.projects.models import Project, User
from curation.questions.leftovers import AGE
from curation.questions.models import QuestionImport
from curation.questions.services import order_import
from tests.conftest import signed_in
from workers.requeue import sweep

REPOSITORY = Path(__file__).resolve().parents[2]


def files() -> list[str]:
    """Names of all files that an upload may have made."""
    home = django_settings.HOME
    inside = [p for p in (home / "artifacts").rglob("*") if p.is_file()]
    return sorted(str(p) for p in [*inside, *home.glob("*upload*"), *home.glob("tmp*")])


class Broken(io.BytesIO):
    """An upload that breaks off."""

    def read(self, size: int | None = -1) -> bytes:
        if self.tell():
            raise ConnectionResetError("the client is gone")
        return super().read(10)


@pytest.mark.parametrize(
    ("file", "error", "how"),
    [
        (Broken(b"x" * 100), ConnectionResetError, {}),
        (io.BytesIO(b""), Invalid, {}),
        (io.BytesIO(b"x" * 100), Invalid, {"preset": "there is none"}),
        (io.BytesIO(b"x" * 100), Invalid, {"split": "there is none"}),
        (io.BytesIO(b"x" * 3_000_000), Invalid, {}),
    ],
    ids=["the client is gone", "empty", "an unknown preset", "an unknown split", "too large"],
)
def test_an_import_that_is_refused_or_breaks_off_leaves_no_file(
    file: Any, error: type[Exception], how: dict[str, str], project: Project, settings: Any
) -> None:
    settings.IMPORT_MAX_BYTES = 2_000_000
    before = files()
    with pytest.raises(error):
        order_import(project, None, file, "rows.jsonl", **how)
    assert files() == before and not QuestionImport.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_a_client_that_goes_in_the_middle_of_an_upload_leaves_no_file_and_no_import(
    project: Project, admin_user: User, live_server: Any
) -> None:
    client, before = signed_in(admin_user), files()
    client.get(reverse("import_new", args=["eggs"]))
    secret, session = client.cookies["csrftoken"].value, client.cookies["sessionid"].value
    head = "\r\n".join(
        [
            *("--x", 'Content-Disposition: form-data; name="csrfmiddlewaretoken"', "", secret),
            *("--x", 'Content-Disposition: form-data; name="split"', "", "train", "--x"),
            'Content-Disposition: form-data; name="file"; filename="a.jsonl"',
            *("", '{"question": "1 + 1?", "answer": "2"}', ""),
        ]
    )
    host, port = live_server.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port))) as line:
        line.sendall(
            f"POST {reverse('import_new', args=['eggs'])} HTTP/1.1\r\nHost: {host}:{port}\r\n"
            f"Cookie: csrftoken={secret}; sessionid={session}\r\nContent-Length: 90000000\r\n"
            "Content-Type: multipart/form-data; boundary=x\r\n\r\n".encode()
        )
        line.sendall(head.encode() + b'{"question": "2 + 2?", "answer": "4"}\n' * 150_000)
        line.shutdown(socket.SHUT_WR)
        answered = line.recv(12)  # the server has seen the end
    assert answered[9:12] in (b"400", b"403", b"")
    assert files() == before and not QuestionImport.objects.exists()


UPLOADING = """
import sys, time
import django
django.setup()
from django.core.handlers.wsgi import WSGIRequest

class Slow:
    sent = False
    def read(self, size=-1):
        if not self.sent:
            self.sent = True
            return (b'--x\\r\\nContent-Disposition: form-data; name="file"; filename="a"\\r\\n\\r\\n'
                    + b"x" * 3_000_000)[:size]
        print("half", flush=True)
        time.sleep(600)
    readline = read

request = WSGIRequest({"REQUEST_METHOD": "POST", "wsgi.input": Slow(), "CONTENT_LENGTH": "90000000",
                       "CONTENT_TYPE": "multipart/form-data; boundary=x", "PATH_INFO": "/"})
request.FILES
"""


def test_a_web_process_that_is_killed_during_an_upload_leaves_no_file(tmp_path: Path) -> None:
    env = {**os.environ, "CHAINWRIGHT_HOME": str(tmp_path), "TMPDIR": str(tmp_path)}
    env["DJANGO_SETTINGS_MODULE"] = "curation.settings"
    process = subprocess.Popen(
        [sys.executable, "-c", UPLOADING], cwd=REPOSITORY, env=env, stdout=subprocess.PIPE
    )
    try:
        assert process.stdout is not None and process.stdout.readline() == b"half\n"
        held = [str(p.readlink()) for p in Path(f"/proc/{process.pid}/fd").iterdir()]
        assert any(str(tmp_path) in one for one in held)  # so it was really on the disk
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
    large = [p for p in tmp_path.rglob("*") if p.is_file() and p.stat().st_size > 100_000]
    assert not large


@pytest.fixture
def aged() -> Callable[[str, float], None]:
    """aged(path, days): an artifact that was last written to so long ago."""

    def make(path: str, days: float) -> None:
        with artifacts.writing(path.removesuffix(artifacts.PART)) as file:
            file.write(b"x")
        place = artifacts.local_folder(path.rsplit("/", 1)[0]) / path.rsplit("/", 1)[1]
        if path.endswith(artifacts.PART):
            place.with_name(place.name.removesuffix(artifacts.PART)).rename(place)
        at = time.time() - days * 86400
        os.utime(place, (at, at))

    return make


def test_the_beat_removes_what_no_row_names_once_it_is_old(
    project: Project, aged: Callable[[str, float], None]
) -> None:
    days = AGE.total_seconds() / 86400
    old, young = days + 0.1, days - 0.1
    gone = [
        "imports/dead.jsonl",
        "imports/dead.jsonl.0a.part",
        f"datasets/{project.pk}/9/x.parquet.0b.part",
    ]
    kept = [
        "imports/named.jsonl",
        f"datasets/{project.pk}/9/dataset.jsonl",
        "training/9/out/adapter/x.json",
    ]
    for path in [*gone, *kept]:
        aged(path, old)
    new = ["imports/new.jsonl", "imports/new.jsonl.0a.part"]
    for path in new:
        aged(path, young)
    QuestionImport.objects.create(
        project=project, file_name="a", artifact="imports/named.jsonl", status="failed"
    )
    assert sweep() >= len(gone)
    assert not any(artifacts.exists(path) for path in gone)
    assert all(artifacts.exists(path) for path in [*kept, *new])
    assert sweep() == 0
    for path in [*kept, *new]:
        artifacts.remove(path)
