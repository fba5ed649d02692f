"""A media node's settings: environment variables, read once, typed, with the defaults that are safe."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from chalicelib.aws.settings import Settings, from_environment
from chalicelib.wire import limits

LOOPS: Final = ("uvloop", "asyncio")


@dataclass(frozen=True, slots=True)
class NodeSettings:
    """See docs/deploy.md for what each one does. `aws` are those that the functions have too."""

    aws: Settings
    url: str
    """Of the WebSocket."""
    host: str
    port: int
    capacity: int
    idle_s: int
    """A node without rooms ends after so long; 0: never."""
    workers: int
    nice: int
    """The system's priority of a worker, which others' people wait for; the default is that of audio servers."""
    loop: str
    """One of LOOPS. A waking costs a third less on libuv's, and a node wakes for each beat; asyncio's tells of its timers."""
    version: str


def node_settings(env: Mapping[str, str] | None = None) -> NodeSettings:
    """The settings of this process. ValueError, which names the variable."""
    e = os.environ if env is None else env
    aws = from_environment(e)
    url = e.get("NODE_WEBSOCKET_URL") or aws.websocket_url
    if not url.startswith(("ws://", "wss://")):
        raise ValueError("NODE_WEBSOCKET_URL (or WEBSOCKET_URL) is to be a ws:// or wss:// address")
    return NodeSettings(
        aws=aws,
        url=url,
        host=e.get("NODE_HOST", "0.0.0.0"),  # noqa: S104 - it is there to be reached
        port=_number(e, "NODE_PORT", 0, 0, 65_535),
        capacity=_number(e, "NODE_CAPACITY", limits.NODE_PEERS_MAX, 1, 10_000),
        idle_s=_number(e, "NODE_IDLE_S", limits.NODE_IDLE_S, 0, 86_400),
        workers=_number(e, "NODE_WORKERS", 1, 1, 64),
        nice=_number(e, "NODE_NICE", -10, -20, 19),
        loop=_one_of(e, "NODE_LOOP", LOOPS),
        version=e.get("NODE_VERSION", "0"),
    )


def _one_of(env: Mapping[str, str], name: str, known: Sequence[str]) -> str:
    """The first, where nothing is said."""
    value = env.get(name) or known[0]
    if value not in known:
        raise ValueError(f"{name} is one of: {', '.join(known)}")
    return value


def _number(env: Mapping[str, str], name: str, default: int, least: int, most: int) -> int:
    try:
        value = int(env.get(name) or default)
    except ValueError:
        raise ValueError(f"{name} is a number") from None
    if not least <= value <= most:
        raise ValueError(f"{name} is from {least} to {most}")
    return value
