"""Where peers reach this node: given, or learned from the machine.

A Fargate task's public address is not in it: the task's metadata (v4) names its network interface's private address,
and what it is called outside is asked of a server that says where a request came from. On one machine it is the address
that the machine's own traffic leaves by, and loopback for pages on the machine itself.
"""

import socket
from collections.abc import Awaitable, Callable, Mapping
from ipaddress import ip_address
from typing import Final

METADATA_VARIABLE: Final = "ECS_CONTAINER_METADATA_URI_V4"
ECHO: Final = "https://checkip.amazonaws.com"
"""AWS's own; answers with the address that asked."""

Get = Callable[[str], Awaitable[bytes]]
"""The body of an URL. OSError."""


async def public_address(env: Mapping[str, str], get: Get) -> str:
    """The addresses to be told, by commas, the best first. OSError where none can be found out; ValueError for what is
    none.
    """
    given = env.get("NODE_ADDRESS", "")
    if given:
        return ",".join(str(ip_address(each.strip())) for each in given.split(","))
    if METADATA_VARIABLE in env:
        return str(ip_address((await get(ECHO)).decode("ascii", "replace").strip()))
    return ",".join(local_addresses())


def local_addresses() -> list[str]:
    """The machine's main address, if it has one, and loopback."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # nothing is sent: the kernel only picks a way (RFC 5737)
            main = str(probe.getsockname()[0])
        except OSError:
            return ["127.0.0.1"]
    return [main, "127.0.0.1"] if main != "127.0.0.1" else [main]
