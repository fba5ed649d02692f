"""The relay's peers, for those of the room who have no channel: their states as JSON, a few times a second. Pure.

Who joined and who left is told by the functions' broadcaster, as ever; a page that is covered by channels writes its
state to its row only now and then, so what it does in between comes from here. A recipient whose last post is under way
gets nothing now, and newer states later: what it is owed are names, not bytes.
"""

from collections.abc import Callable, Iterable

from chalicelib.presence.frames import Change, encode


class Bridge:
    """What is owed to each WebSocket."""

    def __init__(self) -> None:
        self._peers: dict[str, None] = {}
        self._changed: dict[str, None] = {}
        self._owed: dict[str, dict[str, None]] = {}

    def update(self, peer_id: str) -> None:
        """A peer has a newer state."""
        self._peers[peer_id] = None
        self._changed[peer_id] = None

    def leave(self, peer_id: str) -> None:
        """A peer is not on the relay any more."""
        self._peers.pop(peer_id, None)
        self._changed.pop(peer_id, None)
        for owed in self._owed.values():
            owed.pop(peer_id, None)

    def retell(self, connection_id: str) -> None:
        """It did not get its last post."""
        if connection_id in self._owed:
            self._owed[connection_id] = dict(self._peers)

    def posts(
        self, recipients: Iterable[str], busy: Callable[[str], bool], fragment: Callable[[str], bytes], at_ms: int
    ) -> list[tuple[str, list[bytes]]]:
        """What to post to whom now. `fragment` is the JSON of a peer's newest state; each is asked for once."""
        changed, self._changed = self._changed, {}
        before = self._owed
        self._owed = {}
        fragments: dict[str, bytes] = {}
        encoded: dict[tuple[str, ...], list[bytes]] = {}
        made: list[tuple[str, list[bytes]]] = []
        for connection_id in recipients:
            owed = self._owed[connection_id] = before.get(connection_id) or {}
            owed.update(changed if connection_id in before else self._peers)
            if not owed or busy(connection_id):
                continue
            names = tuple(owed)
            owed.clear()
            if names not in encoded:
                for peer_id in names:
                    if peer_id not in fragments:
                        fragments[peer_id] = fragment(peer_id)
                states = {peer_id: fragments[peer_id] for peer_id in names}
                encoded[names] = encode(Change(states=states), at_ms=at_ms, full=False)
            made.append((connection_id, encoded[names]))
        return made
