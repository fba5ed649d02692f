"""The supervisor: one command up, one signal down, nothing left over; and what died comes back."""

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from benchmarks.client import Api
from local.children import Child, Children, readable
from local.dynamodb import wait_until_up
from local.process import free_port, is_free
from local.run import choose_port
from local.stack import Stack
from local.system import ROOT


def until(condition: Callable[[], bool], what: str) -> None:
    """Waits for something that must happen."""
    ends = time.monotonic() + 60
    while not condition():
        if time.monotonic() > ends:
            pytest.fail(f"not in time: {what}")
        time.sleep(0.05)


def alive(pids: list[int]) -> list[int]:
    """Those that still run."""
    living = []
    for pid in pids:
        try:
            if psutil.Process(pid).status() != psutil.STATUS_ZOMBIE:
                living.append(pid)
        except psutil.NoSuchProcess:
            continue
    return living


# -- one process after the other --


@pytest.fixture
def taken() -> Iterator[int]:
    """A port that somebody listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield int(listener.getsockname()[1])


def test_a_taken_port_gets_the_next_one(taken: int, capfd: pytest.CaptureFixture[str]) -> None:
    """In one clear line that names both and how to choose."""
    port = choose_port("127.0.0.1", taken)
    assert port > taken
    assert capfd.readouterr().err == f"Port {taken} is taken; using {port} (choose another with PORT=...).\n"


def test_a_free_port_is_taken_without_a_word(capfd: pytest.CaptureFixture[str]) -> None:
    """Nothing is said where there is nothing to say."""
    port = choose_port("127.0.0.1", 0)
    assert choose_port("127.0.0.1", port) == port
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_end_that_is_asked_for_is_not_lost(number: signal.Signals) -> None:
    """Wherever it comes: what is raised while an object goes, or while a module is imported, may reach nobody."""
    code = (
        "import os\nfrom local.run import Asked\n"
        "class Going:\n"
        "    def __del__(self):\n"
        f"        os.kill(os.getpid(), {int(number)})\n"
        "        os.getpid()\n"
        "asked = Asked()\nasked.go_on()\nGoing()\nasked.go_on()\nprint('it went on')\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, check=False, timeout=60)
    assert (done.returncode, done.stdout, done.stderr) == (128 + number, b"", b"")


def test_nobody_who_asked_for_the_end_waits_for_an_emulator() -> None:
    """It may be a minute until one that does not answer is given up."""
    asked = 0

    def go_on() -> None:
        nonlocal asked
        asked += 1
        if asked == 3:
            raise SystemExit(130)

    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"]) as process:
        try:
            with pytest.raises(SystemExit):
                wait_until_up(f"http://127.0.0.1:{free_port()}", process, go_on=go_on)
        finally:
            process.kill()


@pytest.mark.parametrize(
    ("env", "said"),
    [
        ({"PORT": "eighty"}, "PORT and WORKERS are numbers"),
        ({"WORKERS": "two"}, "PORT and WORKERS are numbers"),
        ({"PORT": "70000"}, "PORT is between 0 and 65535, not 70000"),
        ({"PORT": "-1"}, "PORT is between 0 and 65535, not -1"),
        ({"WORKERS": "0"}, "WORKERS is at least 1"),
        ({"DYNAMODB": "mongo"}, "DYNAMODB is moto or local, not 'mongo'"),
        ({"DYNAMODB": "local", "PATH": ""}, "DYNAMODB=local is not possible: Java 17 is not installed"),
    ],
)
def test_a_wrong_setting_is_one_line(env: dict[str, str], said: str, tmp_path: Path) -> None:
    """No traceback for a person's mistake."""
    command = [sys.executable, "-m", "local.run"]
    data = {"DATA": str(tmp_path), "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        command, cwd=ROOT, env={**os.environ, **data, **env}, capture_output=True, check=False, timeout=60
    )
    assert done.returncode == 1
    assert done.stderr.decode().startswith(said)
    assert done.stderr.count(b"\n") == 1


def test_a_child_that_dies_is_started_again(tmp_path: Path) -> None:
    """What died with it is put right first, and its output is kept."""
    said: list[str] = []
    repaired: list[str] = []
    log = tmp_path / "sleeper.log"
    children = Children(tmp_path, said.append, quiet=True)
    command = [sys.executable, "-c", "import time; print('up', flush=True); time.sleep(60)"]
    child = children.start(Child("sleeper", "role", command, {}, on_restart=lambda: repaired.append("done")))
    try:
        first = children.pids()["role"]
        until(lambda: log.exists() and log.read_text() == "up\n", "its output")
        os.kill(first[0], signal.SIGKILL)
        until(lambda: children.watch() and child.process is None, "its death noticed")
        until(lambda: children.watch() and child.process is not None, "its restart")
        assert children.pids()["role"] != first
        assert (repaired, said) == (["done"], ["sleeper ended (SIGKILL); starting it again"])
        until(lambda: log.read_text() == "up\nup\n", "its second output")
    finally:
        children.stop()
    assert children.pids() == {}


def test_a_child_that_will_not_end_is_killed_with_its_own_children(tmp_path: Path) -> None:
    """Nothing that a child started outlives the system."""
    note = tmp_path / "pid"
    grandchild = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(60)"
    code = (
        "import pathlib, signal, subprocess, sys, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); "
        f"p = subprocess.Popen([sys.executable, '-c', {grandchild!r}]); "
        f"pathlib.Path({str(note)!r}).write_text(str(p.pid)); time.sleep(60)"
    )
    children = Children(tmp_path, lambda _: None, quiet=True)
    children.start(Child("stubborn", "role", [sys.executable, "-c", code], {}))
    until(lambda: note.exists() and bool(note.read_text()), "the grandchild")
    pids = [*children.pids()["role"], int(note.read_text())]
    children.stop()
    until(lambda: not alive(pids), "the end of all")


def test_what_others_need_to_end_well_ends_after_them(tmp_path: Path) -> None:
    """A media node gives its documents back to a database that is there still, though that was started first."""
    port, up, note = free_port(), tmp_path / "up", tmp_path / "note"
    base = f"import socket; s = socket.create_server(('127.0.0.1', {port}))\nwhile True: s.accept()"
    guest = (
        "import pathlib, signal, socket, sys, time\n"
        "def end(*_):\n"
        "    time.sleep(0.5)\n"
        f"    socket.create_connection(('127.0.0.1', {port}))\n"
        f"    pathlib.Path({str(note)!r}).write_text('given back')\n"
        "    sys.exit()\n"
        "signal.signal(signal.SIGTERM, end)\n"
        f"pathlib.Path({str(up)!r}).touch()\n"
        "signal.pause()\n"
    )
    children = Children(tmp_path, lambda _: None, quiet=True)
    children.start(Child("base", "role", [sys.executable, "-c", base], {}, outlives=True))
    until(lambda: not is_free("127.0.0.1", port), "what the other needs")
    children.start(Child("guest", "role", [sys.executable, "-c", guest], {}))
    until(up.exists, "the other")
    children.stop()
    assert note.read_text() == "given back"
    assert children.pids() == {}


# -- logs --


def test_a_structured_line_is_readable() -> None:
    """Time, process, event and fields; what every line has is left out."""
    line = {
        "level": "INFO",
        "location": "x:1",
        "message": "session.created",
        "timestamp": "2026-01-02 03:04:05,678+0000",
        "service": "holodeck",
        "session_id": "ses_1",
    }
    assert readable("worker-0", json.dumps(line)) == "03:04:05 worker-0   session.created session_id=ses_1"


def test_a_warning_says_so_and_an_exception_is_shown() -> None:
    """With its trace on lines of its own."""
    line = {"level": "ERROR", "message": "m", "timestamp": "2026-01-02 03:04:05", "exception": "Traceback ...\nE"}
    assert readable("w", json.dumps(line)) == "03:04:05 w          ERROR m \nTraceback ...\nE"


@pytest.mark.parametrize("line", ["plain text", "{not json", '"text"', "[1]", "17", "null", '{"no":"message"}'])
def test_any_other_line_is_shown_as_it_is(line: str) -> None:
    """With its process before it."""
    assert readable("moto", line) == f"moto       {line}"


def test_an_empty_line_is_not_shown() -> None:
    """Nothing for nothing."""
    assert readable("moto", "") == ""


# -- the whole system --


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
async def test_a_signal_ends_every_process(number: signal.Signals, tmp_path: Path) -> None:
    """Asked or killed, the supervisor leaves no process behind; asked, no file that says it is there."""
    with Stack(workers=1, data=tmp_path) as stack:
        pids = [pid for role in stack.pids().values() for pid in role]
        assert len(alive(pids)) == 4
        os.kill(stack.supervisor_pid, number)
        until(lambda: not alive([*pids, stack.supervisor_pid]), "the end of all")
        assert (tmp_path / "state.json").exists() is (number == signal.SIGKILL)


def test_ctrl_c_while_it_starts_ends_it_at_once(tmp_path: Path) -> None:
    """Nobody has to wait until it is up, and there is neither a traceback nor a process left."""
    env = {**os.environ, "DATA": str(tmp_path), "PORT": "0", "QUIET": "1"}
    command = [sys.executable, "-m", "local.run"]
    with subprocess.Popen(command, cwd=ROOT, env=env, stderr=subprocess.PIPE) as process:
        supervisor = psutil.Process(process.pid)
        until(lambda: bool(supervisor.children()), "the first child")
        children = supervisor.children()
        process.send_signal(signal.SIGINT)
        try:
            _, said = process.communicate(timeout=30)
        finally:
            process.kill()
    assert (process.returncode, said) == (128 + signal.SIGINT, b"")
    until(lambda: not alive([child.pid for child in children]), "the end of all")
    assert not (tmp_path / "state.json").exists()


async def test_a_system_whose_moto_is_killed_recovers() -> None:
    """Its tables and its user pool are made anew, and people can come in again."""
    with Stack(workers=1) as stack:
        pool = stack.env["COGNITO_USER_POOL_ID"]
        worker = stack.pids()["worker"]
        for pid in stack.pids()["emulator"]:
            os.kill(pid, signal.SIGKILL)
        until(lambda: stack.env["COGNITO_USER_POOL_ID"] != pool, "a new pool")
        until(lambda: stack.pids().get("worker", worker) != worker, "a worker that knows it")
        async with Api(stack.base_url) as api, asyncio.timeout(60):
            made: Any = None
            while made is None:
                try:
                    made = await api.create(await api.guest("Ada"), "Room")
                except Exception:  # noqa: BLE001 - until it is back, anything may happen
                    await asyncio.sleep(0.1)
        assert made.name == "Room"
