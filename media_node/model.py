"""What a media node knows of people. Pure."""

from dataclasses import dataclass

from chalicelib.wire.types import Role


@dataclass(frozen=True, slots=True)
class Person:
    """Who is behind a link: what signalling verified, not what the link says. `connection_id` is their WebSocket's."""

    session_id: str
    peer_id: str
    user_id: str
    role: Role
    connection_id: str
    name: str = ""

    @property
    def key(self) -> str:
        """What their link is called."""
        return key_of(self.session_id, self.peer_id)


def key_of(session_id: str, peer_id: str) -> str:
    """The key of a link."""
    return f"{session_id} {peer_id}"
