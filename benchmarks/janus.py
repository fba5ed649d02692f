"""Janus (Debian's `janus`) beside ours: started with settings of its own in a folder of its own, ended with the benchmark.

Its own defaults but: no STUN or TURN, the API by WebSocket on the loopback alone, its two audio plugins and no others, logs
of errors only. Levels are on in both rooms (benchmarks/voices/theirs.py); negative acknowledgements are what the offers say.
"""

import asyncio
import contextlib
import os
import socket
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from subprocess import Popen
from typing import Final

import psutil

from benchmarks import packages, peers
from local.process import child_dies_with_us, free_port

_START_S: Final = 15.0
_PLUGINS: Final = ("libjanus_audiobridge.so", "libjanus_videoroom.so")
_SETTINGS: Final = """general: {{
	configs_folder = "{folder}"
	debug_level = 2
}}
nat: {{
	ice_enforce_list = "{address}"
	full_trickle = false
	ipv6 = false
}}
plugins: {{
	disable = "{others}"
}}
transports: {{
	disable = "{transports}"
}}
"""
_WEBSOCKETS: Final = """general: {{
	json = "compact"
	ws = true
	ws_port = {port}
	ws_ip = "127.0.0.1"
	wss = false
}}
admin: {{
	admin_ws = false
	admin_wss = false
}}
"""


def install() -> None:
    """By apt, where it is not there and we may. RuntimeError where we may not."""
    packages.need("janus", "janus")


def address() -> str:
    """An address of this machine that is not the loopback, where Janus does not listen."""
    for addresses in psutil.net_if_addrs().values():
        for each in addresses:
            if each.family == socket.AF_INET and not each.address.startswith("127."):
                return each.address
    raise RuntimeError("this machine has no address but the loopback's")


@asynccontextmanager
async def running() -> AsyncIterator[tuple[Popen[bytes], str]]:
    """A fresh Janus: its process, and where its API is."""
    with tempfile.TemporaryDirectory(prefix="janus-") as folder:
        port = free_port()
        _write(Path(folder), port)
        process = _started(Path(folder))
        try:
            await _listening(port, process)
            yield process, f"ws://127.0.0.1:{port}"
        finally:
            process.kill()
            process.wait()


def _started(folder: Path) -> Popen[bytes]:
    command = ["janus", "-F", str(folder), "-C", str(folder / "janus.jcfg")]
    with (folder / "log").open("wb") as log:
        return Popen(command, stdout=log, stderr=log, preexec_fn=_begins)  # noqa: PLW1509


def _begins() -> None:
    child_dies_with_us()
    peers.prefer(os.getpid())  # before it has threads: each keeps the priority that it was born with


def _write(folder: Path, port: int) -> None:
    found = {kind: sorted(each.name for each in _libraries(kind)) for kind in ("plugins", "transports")}
    settings = _SETTINGS.format(
        folder=folder,
        address=address(),
        others=",".join(each for each in found["plugins"] if each not in _PLUGINS),
        transports=",".join(each for each in found["transports"] if each != "libjanus_websockets.so"),
    )
    (folder / "janus.jcfg").write_text(settings)
    (folder / "janus.transport.websockets.jcfg").write_text(_WEBSOCKETS.format(port=port))


def _libraries(kind: str) -> list[Path]:
    return [each for root in Path("/usr/lib").glob("*/janus") for each in (root / kind).glob("*.so")]


async def _listening(port: int, process: Popen[bytes]) -> None:
    async with asyncio.timeout(_START_S):
        while process.poll() is None:
            with contextlib.suppress(OSError):
                _, writer = await asyncio.open_connection("127.0.0.1", port)
                writer.close()
                return
            await asyncio.sleep(0.05)
    raise RuntimeError("janus ended at once")
