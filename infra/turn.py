"""coturn's configuration, made in one place: the stack's TURN server boots with it (infra/turn_host.py), the tests run it.

What it must not be is a door: a TURN server sends what strangers give it from an address that others trust. So it knows
nobody without a credential of ours that still holds (`use-auth-secret`), relays UDP only, to public addresses only (never to
itself, its neighbours or the instance's metadata), so much of it and no more, and answers little more than what was asked.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from chalicelib.peers.turn import parse_secrets
from chalicelib.wire import limits

STUN_PORT: Final = 3478
TLS_PORT: Final = 443
"""Where nothing else goes through, this does."""
RELAY_PORTS: Final = (49152, 65535)
_TRANSPORTS: Final = 3
_NETWORKS: Final = 2
ALLOCATIONS_A_PERSON: Final = 2 * (limits.MESH_MAX - 1) * _TRANSPORTS * _NETWORKS
"""Two pages, each with a whole mesh: each peer connection asks for one by UDP, TCP and TLS, on each network."""
ALLOCATIONS: Final = 6000
"""Of all. Each holds a port of RELAY_PORTS and about 50 KB."""
BYTES_PER_S_AN_ALLOCATION: Final = 750_000
"""6 Mbit/s: a screen and voice."""
ALLOCATION_S: Final = limits.ICE_TTL_S
NONCE_S: Final = 600

DENIED: Final = (
    # IANA's special-purpose registries (RFC 6890), IPv4 and IPv6. No IPv6 span may begin at "::": coturn takes that for no
    # lower end, counts every IPv4 address below any IPv6 one, and would relay to nobody.
    "0.0.0.0-0.255.255.255",
    "10.0.0.0-10.255.255.255",
    "100.64.0.0-100.127.255.255",
    "127.0.0.0-127.255.255.255",
    "169.254.0.0-169.254.255.255",  # with 169.254.169.254, the instance's metadata, and .170.2, a task's credentials
    "172.16.0.0-172.31.255.255",
    "192.0.0.0-192.0.0.255",
    "192.0.2.0-192.0.2.255",
    "192.88.99.0-192.88.99.255",
    "192.168.0.0-192.168.255.255",
    "198.18.0.0-198.19.255.255",
    "198.51.100.0-198.51.100.255",
    "203.0.113.0-203.0.113.255",
    "224.0.0.0-239.255.255.255",
    "240.0.0.0-255.255.255.255",
    "::1-::ffff:ffff",
    "::ffff:0.0.0.0-::ffff:255.255.255.255",
    "64:ff9b::-64:ff9b::ffff:ffff",
    "64:ff9b:1::-64:ff9b:1:ffff:ffff:ffff:ffff:ffff",
    "100::-100::ffff:ffff:ffff:ffff",
    "2001::-2001:1ff:ffff:ffff:ffff:ffff:ffff:ffff",
    "2001:db8::-2001:db8:ffff:ffff:ffff:ffff:ffff:ffff",
    "2002::-2002:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
    "fc00::-fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",  # with fd00:ec2::254, the metadata by IPv6
    "fe80::-feff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
    "ff00::-ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
)


@dataclass(frozen=True, slots=True)
class Turn:
    """One server. `secrets` is the parameter's text, one a line; `external_ip` is where the world sees its private address.

    `more` is for tests: lines that come last, such as the one address of this machine that they may relay to.
    """

    realm: str
    secrets: str
    certificate: Path | str
    key: Path | str
    external_ip: str = ""
    listening_ip: str = ""
    stun_port: int = STUN_PORT
    tls_port: int = TLS_PORT
    relay_ports: tuple[int, int] = RELAY_PORTS
    allocations_a_person: int = ALLOCATIONS_A_PERSON
    allocations: int = ALLOCATIONS
    more: tuple[str, ...] = ()


def configuration(turn: Turn) -> str:
    """turnserver.conf. RuntimeError where the secrets are none."""
    secrets = [f"static-auth-secret={secret}" for secret in parse_secrets(turn.secrets)]
    return "\n".join([without_secrets(turn), *secrets]) + "\n"


def without_secrets(turn: Turn) -> str:
    """All of it that anybody may read; a server with this alone would let nobody in."""
    lines = [
        "# Made by infra/turn.py; change it there.",
        f"realm={turn.realm}",
        "use-auth-secret",
        *_where(turn),
        *_STRICT,
        f"stale-nonce={NONCE_S}",
        f"max-allocate-lifetime={ALLOCATION_S}",
        f"user-quota={turn.allocations_a_person}",
        f"total-quota={turn.allocations}",
        f"max-bps={BYTES_PER_S_AN_ALLOCATION}",
        *(f"denied-peer-ip={span}" for span in DENIED),
        *turn.more,
    ]
    return "\n".join(lines)


_STRICT: Final = (
    "fingerprint",
    "no-multicast-peers",
    "no-tcp-relay",  # RFC 6062: WebRTC needs none, and it would make TCP connections for strangers
    "no-rfc5780",  # nor what would answer from, or to, another address
    "no-stun-backward-compatibility",
    "response-origin-only-with-rfc5780",
    "no-software-attribute",
    "no-dtls",  # no browser speaks TURN over it
    "no-tlsv1",
    "no-tlsv1_1",
    "no-cli",
    "no-dynamic-ip-list",
    "no-dynamic-realms",
    # Its log has addresses and user names (when a credential ends, and whose it is), never a password: it says of them
    # no more than that they were wrong. No `verbose`, which would write messages' attributes.
    "log-file=stdout",
    "new-log-timestamp",
)


def _where(turn: Turn) -> list[str]:
    lines = [
        f"listening-port={turn.stun_port}",
        f"tls-listening-port={turn.tls_port}",
        f"min-port={turn.relay_ports[0]}",
        f"max-port={turn.relay_ports[1]}",
        f"cert={turn.certificate}",
        f"pkey={turn.key}",
    ]
    if turn.listening_ip:
        lines += [f"listening-ip={turn.listening_ip}", f"relay-ip={turn.listening_ip}"]
    if turn.external_ip:
        lines.append(f"external-ip={turn.external_ip}")
    return lines


def stun_url(domain: str) -> str:
    """What STUN_URLS has of it."""
    return f"stun:{domain}:{STUN_PORT}"


def turn_urls(domain: str) -> str:
    """What TURN_URLS has of it: UDP first, then what goes through firewalls."""
    return ",".join(
        (
            f"turn:{domain}:{STUN_PORT}?transport=udp",
            f"turn:{domain}:{STUN_PORT}?transport=tcp",
            f"turns:{domain}:{TLS_PORT}?transport=tcp",
        )
    )
