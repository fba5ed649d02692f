"""Network namespaces as people's homes: two sites, each behind a symmetric NAT, and the internet with a server between them.

`masquerade fully-random` gives every flow a port of its own, so that what a STUN server sees of a page is of no use to
anybody else; and the NAT lets in only answers. The addresses are public ones, but nothing leaves the namespaces, which end
with the block.
"""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

SERVER: Final = "5.5.0.1"
_NAT: Final = """
table ip nat {
 chain leaving {
  type nat hook postrouting priority 100;
  oifname "wan" masquerade fully-random
 }
}
table ip filter {
 chain through {
  type filter hook forward priority 0; policy drop;
  iifname "lan" accept
  ct state established,related accept
 }
}
"""


@dataclass(frozen=True, slots=True)
class Network:
    """The names of its namespaces."""

    internet: str
    sites: tuple[str, str]

    def inside(self, namespace: str) -> list[str]:
        """What runs a command there."""
        return ["ip", "netns", "exec", namespace]

    def command(self, namespace: str, program: str, path: Path) -> Path:
        """A program of its own that runs another one there, for whoever takes but a path."""
        path.write_text(f'#!/bin/sh\nexec ip netns exec {namespace} {program} "$@"\n')
        path.chmod(0o755)
        return path


def unavailable() -> str | None:
    """Why there can be none here."""
    if os.geteuid() != 0:
        return "network namespaces need root"
    missing = [name for name in ("ip", "nft") if shutil.which(name) is None]
    if missing:
        return f"{' and '.join(missing)} missing (apt-get install iproute2 nftables)"
    probe = f"holodeck-{os.getpid()}-probe"
    if subprocess.run(["ip", "netns", "add", probe], capture_output=True, check=False).returncode:
        return "this machine's kernel or container allows no network namespaces"
    _run("ip", "netns", "del", probe)
    return None


@contextmanager
def network() -> Iterator[Network]:
    """Made, and taken away again."""
    name = f"holodeck-{os.getpid()}"
    internet = f"{name}-net"
    sites = [(f"{name}-home{n}", f"{name}-nat{n}") for n in (1, 2)]
    made = [internet, *(ns for site in sites for ns in site)]
    try:
        for namespace in made:
            _run("ip", "netns", "add", namespace)
            _run("ip", "-n", namespace, "link", "set", "lo", "up")
        _run("ip", "-n", internet, "addr", "add", f"{SERVER}/32", "dev", "lo")
        _forward(internet)
        for n, (home, nat) in enumerate(sites, 1):
            _site(n, internet, home, nat)
        yield Network(internet, (sites[0][0], sites[1][0]))
    finally:
        for namespace in made:
            subprocess.run(["ip", "netns", "del", namespace], capture_output=True, check=False)


def _site(n: int, internet: str, home: str, nat: str) -> None:
    _cable(internet, f"site{n}", f"5.5.{n}.1/24", nat, "wan", f"5.5.{n}.2/24")
    _cable(nat, "lan", "10.0.0.1/24", home, "eth0", "10.0.0.2/24")  # both homes have the same addresses, as homes do
    _run("ip", "-n", nat, "route", "add", "default", "via", f"5.5.{n}.1")
    _run("ip", "-n", home, "route", "add", "default", "via", "10.0.0.1")
    _forward(nat)
    subprocess.run(["ip", "netns", "exec", nat, "nft", "-f", "-"], input=_NAT.encode(), check=True)


def _cable(one: str, plug: str, address: str, other: str, other_plug: str, other_address: str) -> None:
    _run("ip", "link", "add", plug, "netns", one, "type", "veth", "peer", "name", other_plug, "netns", other)
    for namespace, name, where in ((one, plug, address), (other, other_plug, other_address)):
        _run("ip", "-n", namespace, "addr", "add", where, "dev", name)
        _run("ip", "-n", namespace, "link", "set", name, "up")


def _forward(namespace: str) -> None:
    _run("ip", "netns", "exec", namespace, "sh", "-c", "echo 1 > /proc/sys/net/ipv4/ip_forward")


def _run(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True)
