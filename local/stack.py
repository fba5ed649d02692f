"""The whole system for a test or a benchmark: `with Stack() as stack`. It is `local.run`, started beside the caller."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import psutil

from local.process import child_dies_with_us
from local.system import ROOT


class Stack:
    """A system of its own on free ports; `settings` are environment variables.

    Its data is its own and goes with it, unless a folder is given, which is kept.
    """

    def __init__(
        self,
        *,
        dynamodb: str = "moto",
        workers: int = 2,
        settings: dict[str, str] | None = None,
        data: Path | None = None,
    ) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="holodeck-")
        self.data = data or Path(self._folder.name)
        self._env = {
            **os.environ,
            "PORT": "0",
            "HOST": "127.0.0.1",
            "DYNAMODB": dynamodb,
            "WORKERS": str(workers),
            "DATA": str(self.data),
            "QUIET": "1",
            **(settings or {}),
        }
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        (self.data / "state.json").unlink(missing_ok=True)
        with (self.data / "run.log").open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "local.run"],
                cwd=ROOT,
                env=self._env,
                stdout=subprocess.DEVNULL,
                stderr=log,
                preexec_fn=child_dies_with_us,  # noqa: PLW1509
            )
        ends = time.monotonic() + 180
        while not (self.data / "state.json").exists():
            if self._process.poll() is not None or time.monotonic() > ends:
                self._process.kill()
                self._process.wait()
                said = (self.data / "run.log").read_text()[-4000:]
                self._folder.cleanup()
                raise RuntimeError(f"the system did not start:\n{said}")
            time.sleep(0.05)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process is not None:
            self._process.send_signal(signal.SIGTERM)
            try:
                self._process.wait(15)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        self._folder.cleanup()

    @property
    def supervisor_pid(self) -> int:
        """The process that keeps the others alive."""
        if self._process is None:
            raise RuntimeError("not started")
        return self._process.pid

    @property
    def base_url(self) -> str:
        """Where the page is; REST is below /api."""
        return str(self._state()["url"])

    @property
    def connections_endpoint(self) -> str:
        """Where @connections is."""
        return str(self._state()["connections_endpoint"])

    @property
    def env(self) -> dict[str, str]:
        """The functions' settings."""
        return dict(self._state()["env"])

    def pids(self) -> dict[str, list[int]]:
        """The processes by role: gateway, worker, emulator."""
        return {role: list(pids) for role, pids in self._state()["pids"].items()}

    def cpu_seconds(self) -> dict[str, float]:
        """CPU time used so far, by role."""
        used: dict[str, float] = {}
        for role, pids in self.pids().items():
            for pid in pids:
                with contextlib.suppress(psutil.NoSuchProcess):
                    times = psutil.Process(pid).cpu_times()
                    used[role] = used.get(role, 0.0) + times.user + times.system
        return used

    def _state(self) -> dict[str, Any]:
        state: dict[str, Any] = json.loads((self.data / "state.json").read_text())
        return state
