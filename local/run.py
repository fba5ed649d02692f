"""`python -m local.run`: the whole system with one command, until Ctrl-C.

PORT, HOST, DYNAMODB (moto or local), WORKERS and RELOAD=1 are read from the environment; DATA is where data and logs
go. RELAY=0: no media node, and nobody may ask for one; MEDIA_NODES is how many there are at first (1), NODE_... are
theirs. DYNAMODB_PORT and DYNAMODB_THROUGH let a test stand between the functions and the emulator.
"""

import os
import signal
import sys
import threading
import time
from pathlib import Path
from types import FrameType
from typing import Final

from local import dynamodb
from local.process import free_port, is_free
from local.system import ROOT, Plan, System

_PORT: Final = 8000
_ENDS: Final = (signal.SIGINT, signal.SIGTERM)


def say(text: str) -> None:
    """To the person at the terminal."""
    print(text, file=sys.stderr, flush=True)


def choose_port(host: str, wanted: int) -> int:
    """The wanted port, or the next free one, said in one line."""
    if not 0 <= wanted <= 65535:
        raise SystemExit(f"PORT is between 0 and 65535, not {wanted}")
    if wanted == 0:
        return free_port(host)
    for port in range(wanted, min(wanted + 100, 65536)):
        if is_free(host, port):
            if port != wanted:
                say(f"Port {wanted} is taken; using {port} (choose another with PORT=...).")
            return port
    raise SystemExit(f"No port from {wanted} on is free; choose another with PORT=...")


def plan() -> Plan:
    """What the environment asks for."""
    e = os.environ
    host = e.get("HOST", "127.0.0.1")
    database = e.get("DYNAMODB", "moto")
    if database not in {"moto", "local"}:
        raise SystemExit(f"DYNAMODB is moto or local, not {database!r}")
    if database == "local" and (reason := dynamodb.unavailable()):
        raise SystemExit(f"DYNAMODB=local is not possible: {reason}")
    try:
        port, workers = int(e.get("PORT", _PORT)), int(e.get("WORKERS", "2"))
    except ValueError:
        raise SystemExit("PORT and WORKERS are numbers") from None
    if workers < 1:
        raise SystemExit("WORKERS is at least 1")
    names = ("OPEN_GUESTS", "LOG_LEVEL", "MEDIA_NODES", "STUN_URLS", "TURN_URLS", "TURN_SECRET_FILE")
    settings = {n: v for n, v in e.items() if n in names or n.startswith(("GATEWAY_", "NODE_"))}
    if e.get("RELAY") == "0":
        settings |= {"MEDIA_NODES": "0", "NODE_MAX": "0"}
    data = Path(e.get("DATA", ROOT / ".local")).resolve()
    return Plan(
        host,
        choose_port(host, port),
        database,
        workers,
        data,
        settings,
        int(e["DYNAMODB_PORT"]) if "DYNAMODB_PORT" in e else None,
        e.get("DYNAMODB_THROUGH"),
    )


def welcome(system: System, chosen: Plan) -> None:
    """One block that says all there is to know."""
    kept = (
        "rooms on disk; accounts in memory, gone when this ends"
        if chosen.dynamodb == "local"
        else "in memory, gone when this ends (DYNAMODB=local keeps it)"
    )
    say(
        f"\n  Holodeck is at {system.url}\n\n"
        f"  API       {system.url}/api/docs\n"
        f"  data      {kept}\n"
        f"  logs      {chosen.data / 'logs'}\n"
        f"  stop      Ctrl-C\n"
    )


def reload_python(system: System) -> None:
    """New workers whenever the functions' code changes."""
    from watchfiles import watch  # noqa: PLC0415 - developers only

    for changes in watch(ROOT / "chalicelib", ROOT / "app.py"):
        if any(path.endswith(".py") for _, path in changes):
            say("code changed; new workers")
            system.restart_workers()


class Asked:
    """Whether the end was asked for, by Ctrl-C or politely.

    It is noted, and nothing is raised where it comes: what is raised in a weak reference's callback (each import has one)
    or in `__del__` is lost, and the system would go on as if nobody had asked; what is raised while a child is started
    leaves a process that nobody knows.
    """

    def __init__(self) -> None:
        self.number = 0
        for number in _ENDS:
            signal.signal(number, self._note)

    def go_on(self) -> None:
        """Ends here, if it was asked for."""
        if self.number:
            raise SystemExit(128 + self.number)

    def _note(self, number: int, _frame: FrameType | None) -> None:
        self.number = number


def main() -> None:
    """Starts, watches, stops."""
    for number in _ENDS:
        signal.signal(number, lambda n, _: sys.exit(128 + n))  # nothing is there yet, but perhaps a long download
    chosen = plan()
    asked = Asked()
    quiet = os.environ.get("QUIET") == "1"
    system = System(chosen, say, quiet=quiet)
    try:
        system.start(asked.go_on)
        if os.environ.get("RELOAD") == "1":
            system.run_beside("page", ["npm", "--prefix", str(ROOT / "web"), "run", "build", "--", "--watch"])
            threading.Thread(target=reload_python, args=(system,), daemon=True).start()
        if not quiet:
            welcome(system, chosen)
        while not asked.number:
            time.sleep(0.1)
            system.watch()
            system.repair()
    except RuntimeError as exc:
        raise SystemExit(str(exc)) from exc
    finally:
        system.stop()


if __name__ == "__main__":
    main()
