"""A real coturn with the configuration that infra/turn.py makes, for as long as a block lasts."""

import contextlib
import shutil
import socket
import sqlite3
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from infra.turn import Turn, configuration
from local.process import child_dies_with_us, free_port

TURNSERVER = shutil.which("turnserver")
SECRETS = f"{'n3w+' * 10}==\n{'0ld/' * 10}\n"
"""As the parameter holds them: the first signs, both are taken."""
_SCHEMA = Path("/usr/share/coturn/schema.sql")
REALM = "turn.example.org"


def certificate(folder: Path) -> tuple[Path, Path]:
    """One that signs itself, for localhost and 127.0.0.1, and its key."""
    found = folder / "cert.pem", folder / "key.pem"
    names = "subjectAltName=DNS:localhost,IP:127.0.0.1"
    curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    files = ["-out", str(found[0]), "-keyout", str(found[1])]
    command = ["openssl", "req", "-x509", *curve, *files, "-days", "2", "-subj", "/CN=localhost", "-addext", names]
    subprocess.run(command, check=True, capture_output=True)
    return found


def _make_database(path: Path) -> None:
    """As Debian's package makes it. Where coturn has to make it itself, whoever asks meanwhile is refused (401)."""
    if _SCHEMA.is_file():
        with contextlib.closing(sqlite3.connect(path)) as database:
            database.executescript(_SCHEMA.read_text())


class Coturn:
    """One server on `ip`. On 127.0.0.1 it may relay to that one address besides, which no configuration of a stack allows.

    `prefix` is what the command is run by, such as `ip netns exec ...`; `settings` are Turn's.
    """

    def __init__(self, folder: Path, ip: str = "127.0.0.1", prefix: Sequence[str] = (), **settings: Any) -> None:
        self.ip = ip
        self.log = folder / "log"
        self._prefix = list(prefix)
        self._conf = folder / "turnserver.conf"
        cert, key = certificate(folder)
        _make_database(folder / "db")
        here = ("allow-loopback-peers", "allowed-peer-ip=127.0.0.1") if ip == "127.0.0.1" else ()
        ports = {} if prefix else {"stun_port": free_port(), "tls_port": free_port()}
        more = (*here, f"userdb={folder / 'db'}", f"pidfile={folder / 'pid'}", *settings.pop("more", ()))
        given: dict[str, Any] = {"secrets": SECRETS, **ports, **settings}
        self.turn = Turn(REALM, certificate=cert, key=key, listening_ip=ip, more=more, **given)
        self._conf.write_text(configuration(self.turn))
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def udp(self) -> str:
        """The URI by UDP."""
        return f"turn:{self.ip}:{self.turn.stun_port}?transport=udp"

    @property
    def tcp(self) -> str:
        """The URI by TCP."""
        return f"turn:{self.ip}:{self.turn.stun_port}?transport=tcp"

    @property
    def tls(self) -> str:
        """The URI by TLS."""
        return f"turns:{self.ip}:{self.turn.tls_port}?transport=tcp"

    def __enter__(self) -> Self:
        with self.log.open("wb") as log:
            self._process = subprocess.Popen(
                [*self._prefix, str(TURNSERVER), "-c", str(self._conf)],
                stdout=log,
                stderr=subprocess.STDOUT,
                preexec_fn=child_dies_with_us,  # noqa: PLW1509
            )
        ends = time.monotonic() + 20
        while time.monotonic() < ends and self._process.poll() is None:
            if self._listens():
                return self
            time.sleep(0.05)
        self.__exit__(None, None, None)
        raise RuntimeError(f"coturn did not come up:\n{self.log.read_text()}")

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, tb: TracebackType | None) -> None:
        if self._process is not None:
            self._process.terminate()
            try:
                self._process.wait(5)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()

    def _listens(self) -> bool:
        """By TCP, on both ports; in a namespace, by what its log says."""
        if self._prefix:
            return "Total General servers" in self.log.read_text()
        for port in (self.turn.stun_port, self.turn.tls_port):
            try:
                socket.create_connection((self.ip, port), timeout=1).close()
            except OSError:
                return False
        return True
