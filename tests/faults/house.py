"""The whole system with something in the middle of every way: clients - line - gateway - workers - proxy - DynamoDB."""

import contextlib
import os
import signal
import time
from types import TracebackType
from typing import Self

import psutil

from local.process import free_port
from local.stack import Stack
from tests.faults.proxy import DynamoProxy, Line


class House:
    """A stack that can be hurt. Messages are spread over its workers, as over Lambda's containers."""

    def __init__(self, database: str = "moto") -> None:
        port = free_port()
        self._ways = contextlib.ExitStack()
        self.dynamodb = DynamoProxy(port)
        self.database_url = self.dynamodb.upstream
        self.stack = Stack(
            dynamodb=database,
            settings={
                "DYNAMODB_PORT": str(port),
                "DYNAMODB_THROUGH": self.dynamodb.url,
                "GATEWAY_FILL": "0",
            },
        )
        self.line: Line
        self._stopped: set[int] = set()

    def __enter__(self) -> Self:
        self._ways.enter_context(self.dynamodb)
        self._ways.enter_context(self.stack)
        self.line = self._ways.enter_context(Line(int(self.stack.base_url.rpartition(":")[2])))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.resume()
        self._ways.close()

    def kill(self, port: int) -> None:
        """Kills the worker that a request came from, at this instant."""
        self._signal(port, signal.SIGKILL)

    def pause(self, port: int) -> None:
        """Stops the worker that a request came from, until `resume`."""
        self._stopped.add(self._signal(port, signal.SIGSTOP))

    def resume(self) -> None:
        """Those that were stopped go on as if nothing had been."""
        for pid in self._stopped:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)
        self._stopped.clear()

    def kill_all(self, role: str) -> None:
        """Kills every process of a role."""
        for pid in self.stack.pids()[role]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def heal(self) -> None:
        """Nothing goes wrong any more, and everybody connects anew."""
        self.dynamodb.heal()
        self.resume()
        self.line.heal()

    def _signal(self, port: int, number: signal.Signals) -> int:
        ends = time.monotonic() + 10
        while time.monotonic() < ends:
            for pid in self.stack.pids()["worker"]:
                with contextlib.suppress(psutil.NoSuchProcess, ProcessLookupError):
                    if any(each.laddr.port == port for each in psutil.Process(pid).net_connections("tcp")):
                        os.kill(pid, number)
                        return pid
        raise AssertionError(f"no worker speaks from port {port}")
