"""Child processes that are kept alive: started, logged, restarted when they die, ended together."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Final

from local.process import child_dies_with_us

_GRACE_S: Final = 6.0
"""A media node whose pages stay waits four seconds for them, then gives back what it has."""
_QUICK_S: Final = 2.0
"""A child that lives shorter than this is restarted more slowly each time."""


@dataclass(slots=True)
class Child:
    """One process of a role; `on_restart` puts right what died with it, before the next one starts."""

    name: str
    role: str
    command: list[str]
    env: dict[str, str]
    on_restart: Callable[[], None] = lambda: None
    calm_s: float = 0.0
    """How long nobody starts it again after it ended by itself, well."""
    outlives: bool = False
    """It ends after all others have: they need it to end well."""
    wanted: bool = True
    process: subprocess.Popen[bytes] | None = None
    started_at: float = 0.0
    failures: int = 0
    restart_at: float = 0.0


@dataclass(slots=True)
class Children:
    """All of them. Everything but reading their output happens on the caller's thread, which must outlive them."""

    logs: Path
    say: Callable[[str], None]
    quiet: bool = False
    _all: list[Child] = field(default_factory=list)

    def start(self, child: Child) -> Child:
        """Starts a child and keeps it."""
        self._all.append(child)
        self._spawn(child)
        return child

    def pids(self) -> dict[str, list[int]]:
        """The living, by role."""
        found: dict[str, list[int]] = {}
        for child in self._all:
            if child.process is not None and child.process.poll() is None:
                found.setdefault(child.role, []).append(child.process.pid)
        return found

    def watch(self) -> bool:
        """Restarts who has died. True if anybody had."""
        changed = False
        self._all = [child for child in self._all if child.wanted or child.process is not None]
        for child in self._all:
            process = child.process
            if process is not None and process.poll() is not None:
                self._died(child, process.returncode)
                changed = True
            if child.process is None and child.wanted and time.monotonic() >= child.restart_at:
                child.on_restart()
                self._spawn(child)
                changed = True
        return changed

    def restart(self, role: str) -> None:
        """Ends a role's processes; `watch` starts them anew."""
        for child in self._all:
            if child.role == role:
                _signal(child.process, signal.SIGTERM)

    def kept(self, role: str) -> list[Child]:
        """Those of a role that are to live, whether or not they do just now."""
        return [child for child in self._all if child.role == role and child.wanted]

    def retire(self, child: Child) -> None:
        """Ends one for good; it has its own time for that."""
        child.wanted = False
        _signal(child.process, signal.SIGTERM)

    def stop(self) -> None:
        """Ends everyone and what they started, the last started first; then those who outlive the others.

        Kills who does not go.
        """
        _end([child for child in reversed(self._all) if not child.outlives])
        _end([child for child in reversed(self._all) if child.outlives])

    def _died(self, child: Child, code: int) -> None:
        how = signal.Signals(-code).name if code < 0 else f"exit {code}"
        quick = time.monotonic() - child.started_at < _QUICK_S
        child.failures = child.failures + 1 if quick else 0
        pause_s = child.calm_s if code == 0 and child.calm_s else min(5.0, 0.1 * 2**child.failures)
        child.restart_at = time.monotonic() + pause_s
        child.process = None
        self.say(f"{child.name} ended ({how})" + ("; starting it again" if child.wanted and not child.calm_s else ""))

    def _spawn(self, child: Child) -> None:
        child.started_at = time.monotonic()
        child.process = subprocess.Popen(
            child.command,
            env={**os.environ, **child.env},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            start_new_session=True,  # Ctrl-C is the supervisor's to hand on
            preexec_fn=child_dies_with_us,  # noqa: PLW1509
        )
        reader = threading.Thread(target=self._read, args=(child.name, child.process.stdout), daemon=True)
        reader.start()

    def _read(self, name: str, stream: IO[bytes]) -> None:
        with stream, (self.logs / f"{name}.log").open("ab") as log:
            for line in stream:
                log.write(line)
                log.flush()
                if not self.quiet:
                    text = readable(name, line.decode("utf-8", "replace").rstrip())
                    if text:
                        print(text, file=sys.stderr, flush=True)


def _end(children: list[Child]) -> None:
    for child in children:
        _signal(child.process, signal.SIGTERM)
    ends = time.monotonic() + _GRACE_S
    for child in children:
        if child.process is None:
            continue
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.process.wait(max(0.05, ends - time.monotonic()))
        _signal(child.process, signal.SIGKILL)
        child.process.wait()


def _signal(process: subprocess.Popen[bytes] | None, number: signal.Signals) -> None:
    """To a child and to all of its own children: each child leads a group."""
    if process is not None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, number)


_HIDDEN: Final = {
    "level",
    "location",
    "message",
    "timestamp",
    "service",
    "xray_trace_id",
    "correlation_id",
    "exception",
    "exception_name",
    "stack_trace",
}


def readable(name: str, line: str) -> str:
    """A structured line as a person reads it: time, process, event, fields. Other lines as they are."""
    try:
        event = json.loads(line)
        message = event["message"]
    except (ValueError, KeyError, TypeError):
        return f"{name:<10} {line}" if line else ""
    fields = " ".join(f"{k}={v}" for k, v in event.items() if k not in _HIDDEN)
    clock = str(event.get("timestamp", ""))[11:19]
    level = "" if event.get("level") == "INFO" else f"{event.get('level')} "
    trace = f"\n{event['exception']}" if "exception" in event else ""
    return f"{clock} {name:<10} {level}{message} {fields}{trace}"
