"""STUN and TURN as a page is told of them, with credentials of its own that end. Pure: clock and secret are arguments.

coturn's `use-auth-secret` (draft-uberti-behave-turn-rest-00): the user name is `<end, unix seconds>:<user id>`, the password
base64(HMAC-SHA1(secret, user name)). So the TURN server needs no database and no word from us: it computes the same, and
refuses whose time has come. It is also how its quotas know one person: by what follows the colon.

A secret is changed without a gap by two of them: the TURN server takes both, the first of ours signs.
"""

import base64
import hashlib
import hmac
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from chalicelib.wire.peers import IceServer, IceServers

SECRET_CHARS_MIN: Final = 32
"""A secret that could be guessed is none: whoever has a credential can try secrets against it at home."""
_SECRET: Final = re.compile(r"[A-Za-z0-9_+/=.-]+")
_HOST: Final = r"(?:\[[0-9a-fA-F:.]+\]|[A-Za-z0-9.-]+)(?::[0-9]{1,5})?"
_STUN: Final = re.compile(rf"stuns?:{_HOST}")
_TURN: Final = re.compile(rf"turns?:{_HOST}(?:\?transport=(?:udp|tcp))?")


@dataclass(frozen=True, slots=True)
class Ice:
    """What a deployment has. Each may be empty; without secrets there is no TURN."""

    stun_urls: tuple[str, ...] = ()
    turn_urls: tuple[str, ...] = ()
    secrets: tuple[str, ...] = ()

    def __repr__(self) -> str:
        """Without its secrets: it may come to be in a trace."""
        return f"Ice({self.stun_urls}, {self.turn_urls}, {len(self.secrets)} secrets)"


def configured(stun: str, turn: str, secret: Callable[[], str | None]) -> Ice:
    """What the settings say; the secret is read only where there is TURN. RuntimeError where they are not right."""
    urls = turn_urls(turn)
    text = secret() if urls else None
    if urls and text is None:
        raise RuntimeError("with TURN_URLS, set TURN_SECRET_FILE or TURN_SECRET_PARAMETER")
    return Ice(stun_urls(stun), urls, parse_secrets(text) if text is not None else ())


def stun_urls(text: str) -> tuple[str, ...]:
    """The comma-separated `stun:` and `stuns:` URIs (RFC 7064) of a setting. RuntimeError for anything else."""
    return _urls(text, _STUN, "STUN_URLS")


def turn_urls(text: str) -> tuple[str, ...]:
    """The comma-separated `turn:` and `turns:` URIs (RFC 7065) of a setting. RuntimeError for anything else.

    A browser that is given one wrong URI makes no peer connection at all, so it is found out at once.
    """
    return _urls(text, _TURN, "TURN_URLS")


def parse_secrets(text: str) -> tuple[str, ...]:
    """The secrets of a document, one a line, the signing one first. RuntimeError, whose text holds nothing of it."""
    secrets = tuple(line.strip() for line in text.splitlines() if line.strip())
    if not secrets:
        raise RuntimeError("there is no TURN secret")
    if not all(len(secret) >= SECRET_CHARS_MIN and _SECRET.fullmatch(secret) for secret in secrets):
        raise RuntimeError(f"a TURN secret is a line of at least {SECRET_CHARS_MIN} of A-Z a-z 0-9 _ + / = . -")
    return secrets


def credential(secret: str, username: str) -> str:
    """The password that goes with a user name."""
    return base64.b64encode(hmac.new(secret.encode(), username.encode(), hashlib.sha1).digest()).decode()


def ice_servers(ice: Ice, user_id: str, *, now_ms: int, ttl_s: int) -> IceServers:
    """What one person's pages may use, for `ttl_s` seconds, to the second below."""
    ends_s = now_ms // 1000 + ttl_s
    servers = []
    if ice.stun_urls:
        servers.append(IceServer(urls=ice.stun_urls))
    if ice.turn_urls and ice.secrets:
        username = f"{ends_s}:{user_id}"
        password = credential(ice.secrets[0], username)
        servers.append(IceServer(urls=ice.turn_urls, username=username, credential=password))
    return IceServers(ice_servers=tuple(servers), ttl_s=ttl_s, expires_at_ms=ends_s * 1000)


def _urls(text: str, shape: re.Pattern[str], name: str) -> tuple[str, ...]:
    urls = tuple(url.strip() for url in text.split(",") if url.strip())
    wrong = [url for url in urls if not shape.fullmatch(url)]
    if wrong:
        raise RuntimeError(f"{name} has what is no such URI: {wrong[0]}")
    return urls
