"""What the people of a measured room do beside talking, and how old it is when it comes."""

import zlib
from random import Random
from typing import Any

import msgspec
import pytest

from benchmarks.relay import DRIVER
from benchmarks.room_50 import figures_of
from benchmarks.voices.meter import Meter
from benchmarks.voices.scene import HZ, Ages, Editors, Mover, Told, Witness, client_of
from chalicelib.wire.types import PresenceState
from media_node.frames import entry, head


def test_a_message_is_read_as_text_or_packed_and_names_the_rooms_members() -> None:
    told = Told()
    roster = {"type": "relay.roster", "members": [{"index": 3, "peer_id": "a"}, {"index": 4, "peer_id": "b"}]}
    assert told.read(msgspec.json.encode(roster)) == roster
    deflater = zlib.compressobj(6, zlib.DEFLATED, -zlib.MAX_WBITS)
    packed = deflater.compress(msgspec.json.encode({"type": "relay.roster", "left": [3]})) + deflater.flush()
    told.hear(2, packed)
    told.hear(1, b"a frame")
    assert told.members == {4: "b"}


def test_the_age_of_a_pose_is_from_its_sending_and_only_of_what_is_newer() -> None:
    states: list[PresenceState] = []

    def tell(state: PresenceState) -> int:
        states.append(state)
        return len(states)

    told, ages = Told(), Ages()
    told.members[7] = "a"
    mover = Mover(tell, 0, Random(1))
    assert mover.move(0.0) == 1 / HZ
    ages.recording = True
    witness = Witness(told, {"a": mover}, ages)
    frame = head(1, 0.0, more=False) + entry(7, 1, states[0])
    for _ in range(2):
        witness.frame(frame)
    witness.frame(b"no frame")
    assert len(ages.poses) == 1
    assert 0 <= ages.poses[0] < 60


class Scene:
    """Two editors and what they say."""

    def __init__(self) -> None:
        self.said: list[tuple[int, dict[str, Any]]] = []
        self.ages = Ages()
        self.ages.recording = True
        self.editors = Editors(2, "doc_1", 5, self.ages, Random(1), self._say)

    def _say(self, number: int, text: str) -> None:
        self.said.append((number, msgspec.json.decode(text)))

    def commit(self, revision: int, number: int, sequence: int) -> None:
        """Told to both."""
        commits = [{"revision": revision, "client": client_of(number), "seq": sequence}]
        for listener in range(2):
            self.editors.hear(listener, {"type": "op.committed", "commits": commits})


def test_an_edit_waits_for_the_one_in_flight_and_goes_with_those_that_wait() -> None:
    scene = Scene()
    edit = scene.editors.edits(0, 4.0)
    for now in (1.0, 1.1, 1.2):
        assert edit(now) > 0
    assert [(message["seq"], message["base"]) for _, message in scene.said] == [(1, 5)]
    scene.commit(6, 0, 1)
    assert [(message["seq"], message["base"]) for _, message in scene.said] == [(1, 5), (2, 6)]
    scene.commit(7, 0, 2)
    assert (scene.ages.made, scene.ages.landed, len(scene.ages.edits)) == (3, 3, 2)


def test_a_rejected_edit_is_counted_and_the_next_one_goes() -> None:
    scene = Scene()
    edit = scene.editors.edits(1, 4.0)
    edit(1.0)
    edit(1.1)
    scene.editors.hear(1, {"type": "op.rejected", "seq": 1})
    assert [message["seq"] for _, message in scene.said] == [1, 2]
    assert scene.ages.figures(1.0)["edits_rejected"] == 1


def test_what_nobody_answers_is_sent_again_as_it_was() -> None:
    scene = Scene()
    edit = scene.editors.edits(0, 4.0)
    edit(1.0)
    edit(1e9)
    assert [message["seq"] for _, message in scene.said] == [1, 1]


def test_a_window_tells_ages_and_whose_cpu_it_was() -> None:
    ages = Ages()
    ages.poses.extend([0.01, 0.02])
    ages.edits.append(0.1)
    told = Meter(1).figures(2.0) | ages.figures(2.0)
    figures = figures_of(told, {"media": 1.0, "worker": 0.5, "emulator": 3.0, DRIVER: 0.4})
    assert figures["presence_p50_ms"] == pytest.approx(15)
    assert figures["op_to_other_p99_ms"] == pytest.approx(100)
    assert (figures["node_cpu_cores"], figures["functions_cpu_cores"]) == (0.5, 0.25)
    assert (figures["emulator_cpu_cores"], figures["driver_cpu_cores"]) == (1.5, 0.2)
    ages.clear()
    assert ages.figures(1.0)["poses_read_per_s"] == 0
