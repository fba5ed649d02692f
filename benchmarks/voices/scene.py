"""What the people of a room do beside talking: move at 20 Hz, and edit the scene; and how old all of it is when it comes.

Ages of poses are read at each fifth listener: decoding every frame of fifty would be the load's greatest work. An edit is
timed from when it was to be made to when one of the others, drawn by lot, has its commit.
"""

import zlib
from array import array
from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Any, Final

import msgspec

from benchmarks.report import percentile
from benchmarks.voices.link import now_s
from benchmarks.voices.ours import place_of
from chalicelib.wire import limits
from chalicelib.wire.types import Pointer, Pose, PresenceState
from media_node.frames import FrameError, decode, full_counter

HZ: Final = 20
WITNESS_EVERY: Final = 5
AGAIN_S: Final = 4.0
_KEPT: Final = 512
_UPRIGHT: Final = (0.0, 0.0, 0.0, 1.0)


class Told:
    """All that was told to anybody, read once: a node sends the same bytes to all."""

    def __init__(self) -> None:
        self.members: dict[int, str] = {}
        """Peer ids by index, which are the room's."""
        self._known: dict[bytes, dict[str, Any]] = {}

    def read(self, data: bytes) -> dict[str, Any]:
        """A control message."""
        message = self._known.get(data)
        if message is None:
            text = data if data[:1] == b"{" else zlib.decompress(data, -zlib.MAX_WBITS)
            message = msgspec.json.decode(text, type=dict[str, Any])
            if message["type"] == "relay.roster":
                self._roster(message)
            if len(self._known) >= _KEPT:
                self._known.clear()
            self._known[data] = message
        return message

    def hear(self, stream: int, data: bytes) -> None:
        """Whatever comes by channels, for who is who."""
        if stream == limits.CONTROL_CHANNEL:
            self.read(data)

    def _roster(self, message: dict[str, Any]) -> None:
        for index in message.get("left", ()):
            self.members.pop(index, None)
        self.members.update({each["index"]: each["peer_id"] for each in message.get("members", ())})


class Ages:
    """Of poses and of edits, in a window."""

    def __init__(self) -> None:
        self.recording = False
        self.poses = array("d")
        self.edits = array("d")
        self.made = self.landed = self.rejected = 0

    def clear(self) -> None:
        """For another window."""
        self.poses, self.edits = array("d"), array("d")
        self.made = self.landed = self.rejected = 0

    def figures(self, seconds: float) -> dict[str, float]:
        """What was read of them."""
        figures = {
            "edits_per_s": self.made / seconds,
            "edits_landed_ratio": min(1.0, self.landed / max(1, self.made)),
            "edits_rejected": float(self.rejected),
            "poses_read_per_s": len(self.poses) / seconds,
        }
        for name, ages in (("presence", self.poses), ("op_to_other", self.edits)):
            figures |= {f"{name}_p{p}_ms": percentile(list(ages), p) * 1000 for p in (50, 99)}
        return figures


class Mover:
    """One who walks and points: a newer state HZ times a second. `tell` sends one, and returns its counter."""

    def __init__(self, tell: Callable[[PresenceState], int], number: int, chance: Random) -> None:
        self._tell = tell
        self.sent = array("d", bytes(8 * _KEPT))
        self.newest = 0
        self._x, self._y, self._z = place_of(number)
        self._chance = chance

    def move(self, _now: float) -> float:
        """Within a metre of their place; how long until the next."""
        x, z = self._x + self._chance.uniform(-1, 1), self._z + self._chance.uniform(-1, 1)
        pose = Pose(position=(x, self._y, z), rotation=_UPRIGHT)
        state = PresenceState(pose=pose, cursor=Pointer(position=(x + 1, 1.0, z), rotation=_UPRIGHT))
        sent_at = now_s()
        self.newest = self._tell(state)
        self.sent[self.newest % _KEPT] = sent_at
        return 1 / HZ


class Witness:
    """One whose frames are read."""

    def __init__(self, told: Told, movers: dict[str, Mover], ages: Ages) -> None:
        self._told, self._movers, self._ages = told, movers, ages
        self._known: dict[str, int] = {}

    def frame(self, data: bytes) -> None:
        """A presence frame came."""
        now = now_s()
        try:
            entries = decode(data).entries
        except FrameError:
            return
        for entry in entries:
            peer_id = self._told.members.get(entry.index, "")
            mover = self._movers.get(peer_id)
            if mover is None:
                continue
            counter = full_counter(mover.newest, entry.counter)
            if counter > self._known.get(peer_id, 0):
                self._known[peer_id] = counter
                if self._ages.recording:
                    self._ages.poses.append(now - mover.sent[counter % _KEPT])


@dataclass(slots=True)
class _Transaction:
    """When its first edit was to be made, how many it has, and when it was sent last."""

    made_at: float
    edits: int = 1
    sent_at: float = 0.0


class Editors:
    """Everybody's edits: one transaction each in flight, what comes meanwhile goes with the next, as the page does it.

    `say` sends a text for somebody, on the control channel.
    """

    def __init__(
        self, people: int, document_id: str, revision: int, ages: Ages, chance: Random, say: Callable[[int, str], None]
    ) -> None:
        self._people, self._document_id, self._ages, self._chance, self._send = people, document_id, ages, chance, say
        self._revisions = [revision] * people
        self._sequences = [1] * people
        self._flying: list[_Transaction | None] = [None] * people
        self._waiting: list[_Transaction | None] = [None] * people
        self._watched: dict[tuple[int, int], tuple[int, float]] = {}
        """Witness and moment of each transaction."""
        self._numbers = {client_of(number): number for number in range(people)}

    def edits(self, number: int, per_s: float) -> Callable[[float], float]:
        """That one's, at exponential intervals."""

        def act(now: float) -> float:
            if self._ages.recording:
                self._ages.made += 1
            flying, waiting = self._flying[number], self._waiting[number]
            if flying is None:
                self._submit(number, _Transaction(now))
            elif waiting is None:
                self._waiting[number] = _Transaction(now)
            else:
                waiting.edits += 1
            if flying is not None and now - flying.sent_at > AGAIN_S:
                self._say(number, flying)
            return self._chance.expovariate(per_s)

        return act

    def hear(self, listener: int, message: dict[str, Any]) -> None:
        """A control message came to somebody."""
        if message["type"] in {"op.committed", "doc.commits"}:
            for commit in message["commits"]:
                self._revisions[listener] = max(self._revisions[listener], commit["revision"])
                author = self._numbers.get(commit["client"])
                if author is not None:
                    self._committed(listener, author, commit["seq"])
        elif message["type"] == "op.rejected":
            self._ages.rejected += 1
            self._landed(listener, message["seq"])

    def _committed(self, listener: int, author: int, sequence: int) -> None:
        watched = self._watched.get((author, sequence))
        if watched is not None and watched[0] == listener:
            del self._watched[author, sequence]
            if self._ages.recording:
                self._ages.edits.append(now_s() - watched[1])
        if listener == author:
            self._landed(author, sequence)

    def _landed(self, author: int, sequence: int) -> None:
        flying = self._flying[author]
        if flying is None or sequence != self._sequences[author]:
            return
        self._flying[author] = None
        self._sequences[author] += 1
        if self._ages.recording:
            self._ages.landed += flying.edits
        waiting, self._waiting[author] = self._waiting[author], None
        if waiting is not None:
            self._submit(author, waiting)

    def _submit(self, number: int, transaction: "_Transaction") -> None:
        others = [each for each in range(self._people) if each != number]
        self._watched[number, self._sequences[number]] = self._chance.choice(others), transaction.made_at
        self._flying[number] = transaction
        self._say(number, transaction)

    def _say(self, number: int, transaction: "_Transaction") -> None:
        transaction.sent_at = now_s()
        position = [round(self._chance.uniform(-9, 9), 3) for _ in range(3)]
        operation = {"op": "set", "id": f"scene001.e{number * 20}", "path": ["position"], "value": position}
        message = {
            "type": "op.submit",
            "document_id": self._document_id,
            "client": client_of(number),
            "seq": self._sequences[number],
            "base": self._revisions[number],
            "operations": [operation],
        }
        self._send(number, msgspec.json.encode(message).decode())


def client_of(number: int) -> str:
    """Whose operations they are."""
    return f"bench{number:03}"
