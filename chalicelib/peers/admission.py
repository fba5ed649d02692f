"""Who may open a WebSocket as a media node: whoever has a token that the nodes' own keys signed, once."""

import re
from collections.abc import Callable
from typing import Final, Protocol

from chalicelib.wire import limits
from chalicelib.wire.codes import Code
from chalicelib.wire.errors import AppError
from chalicelib.wire.tokens import NodeClaims, SigningKey, verify_until

_NODE_ID: Final = re.compile(r"node_[a-z0-9]{12}\Z")


class Burnt(Protocol):
    """Used tokens: True the first time, False ever after."""

    def burn(self, jti: str, expires_at_s: int) -> bool: ...


class Admission:
    """Honours media nodes' tokens. Without keys there are no nodes."""

    def __init__(self, keys: tuple[SigningKey, ...], burnt: Burnt, *, now_s: Callable[[], int]) -> None:
        self._keys = keys
        self._burnt = burnt
        self._now_s = now_s

    def admit(self, token: str) -> NodeClaims:
        """What a token says, and burns it. TICKET_INVALID (also when expired) or TICKET_USED."""
        try:
            claims, expires_s = verify_until(token, NodeClaims, self._keys, now_s=self._now_s())
        except AppError as exc:
            raise AppError(Code.TICKET_INVALID) from exc
        if not _NODE_ID.match(claims.sub):
            raise AppError(Code.TICKET_INVALID)
        if not self._burnt.burn(f"node#{claims.jti}", expires_s + limits.TICKET_BURNT_S):
            raise AppError(Code.TICKET_USED)
        return claims
