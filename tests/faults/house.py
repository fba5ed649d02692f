"""The whole system with something in the middle of every way: clients - line - gateway - workers - proxy - DynamoDB."""

import asyncio
import contextlib
import os
import signal
import time
from types import TracebackType
from typing import Final, Self

import psutil

from local.process import free_port
from local.stack import Stack
from tests.faults.checker import check
from tests.faults.crew import Crew, calm
from tests.faults.history import History
from tests.faults.proxy import DynamoProxy, Line, Where
from tests.faults.relays import RelayedHand, Relays

SOAK: Final = bool(os.environ.get("SOAK"))
HANDS: Final = 3
APPEND: Final = Where("PutItem", b'"holodeck-local-oplog"')
SHELF: Final = Where("PutItem", b'"snapshot#')


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
                "RELAY": "0",
            },
        )
        self.line: Line
        self.relays = Relays(self.stack, self.dynamodb.port, self.database_url)
        """Media nodes, if a test starts some."""
        self._stopped: set[int] = set()

    def __enter__(self) -> Self:
        self._ways.enter_context(self.dynamodb)
        self._ways.enter_context(self.stack)
        self._ways.enter_context(self.relays)
        self.line = self._ways.enter_context(Line(int(self.stack.base_url.rpartition(":")[2])))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.resume()
        self._ways.close()

    def kill(self, port: int) -> None:
        """Kills the worker or media node that a request came from, at this instant."""
        self._signal(port, signal.SIGKILL)

    def pause(self, port: int) -> None:
        """Stops the worker or media node that a request came from, until `resume`."""
        self._stopped.add(self._signal(port, signal.SIGSTOP))

    def resume(self) -> None:
        """Those that were stopped go on as if nothing had been."""
        for pid in self._stopped:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)
        self._stopped.clear()

    def pause_all(self, role: str) -> None:
        """Stops every process of a role, until `resume`."""
        for pid in self.stack.pids()[role]:
            os.kill(pid, signal.SIGSTOP)
            self._stopped.add(pid)

    def kill_all(self, role: str) -> None:
        """Kills every process of a role."""
        for pid in self.stack.pids()[role]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def heal(self) -> None:
        """Nothing goes wrong any more, and everybody connects anew."""
        self.dynamodb.heal()
        self.relays.heal()
        self.resume()
        self.line.heal()

    def _signal(self, port: int, number: signal.Signals) -> int:
        ends = time.monotonic() + 10
        while time.monotonic() < ends:
            pids = self.stack.pids()
            for pid in [*pids["worker"], *pids.get("media", [])]:
                with contextlib.suppress(psutil.NoSuchProcess, ProcessLookupError):
                    if any(each.laddr.port == port for each in psutil.Process(pid).net_connections("tcp")):
                        os.kill(pid, number)
                        return pid
        raise AssertionError(f"no process of ours speaks from port {port}")


def nudge(house: House, crew: Crew) -> None:
    """Whoever connects anew asks at once, and does not wait for an answer that does not come."""
    clients = [hand.client for hand in crew.hands]
    if not any(isinstance(client, RelayedHand) for client in clients):
        house.line.cut()
    for client in clients:
        if isinstance(client, RelayedHand):
            client.anew()


async def judged(house: House, crew: Crew, *, states: int = 200 if SOAK else 8) -> History:
    """It heals, everybody settles, and nothing that was promised is found broken."""
    crew.weather = calm
    house.heal()
    settling = asyncio.create_task(crew.settle())
    try:
        while not SOAK and not (await asyncio.wait({settling}, timeout=1.5))[0]:
            nudge(house, crew)
        await settling
    finally:
        settling.cancel()
    history = await crew.evidence(states)
    found = [f"{violation.clause}: {violation.evidence}" for violation in check(history)]
    assert not found, "\n".join([f"seed {crew.seed}", *found[:8]])
    assert history.log
    return history
