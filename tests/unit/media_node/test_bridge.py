"""Who has no channel is told the relay's states by post: newest only, one post at a time."""

import msgspec

from chalicelib.wire.decode import decode_server_message
from chalicelib.wire.messages import PeerState, PresenceFrame
from chalicelib.wire.types import PresenceState
from media_node.bridge import Bridge


class Ways:
    """A bridge, and what it posts."""

    def __init__(self) -> None:
        self.bridge = Bridge()
        self.busy: set[str] = set()
        self.encoded: list[str] = []
        self.counter = 0

    def move(self, *names: str) -> None:
        """These have newer states."""
        for name in names:
            self.bridge.update(name)

    def posts(self, *recipients: str) -> dict[str, list[str]]:
        """The next posts: who is told of whom."""
        told: dict[str, list[str]] = {}
        for connection_id, messages in self.bridge.posts(recipients, self.busy.__contains__, self._fragment, 5):
            for data in messages:
                frame = decode_server_message(data)
                assert isinstance(frame, PresenceFrame)
                assert not frame.full
                told.setdefault(connection_id, []).extend(state.peer_id for state in frame.states)
        return told

    def _fragment(self, peer_id: str) -> bytes:
        self.encoded.append(peer_id)
        return msgspec.json.encode(PeerState(peer_id=peer_id, epoch=1, counter=1, at_ms=1, state=PresenceState()))


A, B = "ada.tab00001", "bob.tab00001"


def test_a_newcomer_is_told_everybody_and_then_what_changes() -> None:
    """Each state is encoded once, however many are told."""
    ways = Ways()
    ways.move(A, B)
    assert ways.posts("one", "two") == {"one": [A, B], "two": [A, B]}
    assert ways.encoded == [A, B]
    assert ways.posts("one", "two") == {}
    ways.move(B)
    assert ways.posts("one", "two", "new") == {"one": [B], "two": [B], "new": [A, B]}


def test_whose_post_is_under_way_is_told_newer_states_later() -> None:
    """And of each peer once."""
    ways = Ways()
    ways.move(A)
    ways.posts("one")
    ways.busy = {"one"}
    for _ in range(3):
        ways.move(A, B)
        assert ways.posts("one") == {}
    ways.busy = set()
    assert ways.posts("one") == {"one": [A, B]}


def test_who_left_is_told_of_no_more() -> None:
    """Not even to who is owed it."""
    ways = Ways()
    ways.move(A, B)
    ways.busy = {"one"}
    ways.posts("one")
    ways.bridge.leave(A)
    ways.busy = set()
    assert ways.posts("one") == {"one": [B]}
    ways.bridge.leave(A)


def test_who_did_not_get_a_post_is_told_everybody_again() -> None:
    """Unless they are gone."""
    ways = Ways()
    ways.move(A, B)
    ways.posts("one")
    ways.bridge.retell("one")
    ways.bridge.retell("two")
    assert ways.posts("one") == {"one": [A, B]}


def test_who_is_not_there_any_more_is_forgotten() -> None:
    """And a newcomer again if they come back."""
    ways = Ways()
    ways.move(A)
    ways.posts("one")
    assert ways.posts() == {}
    assert ways.posts("one") == {"one": [A]}
