"""A slot's stream: what a decoder sees, whoever is in the slot."""

from itertools import pairwise
from random import Random

import pytest

from chalicelib.wire import limits
from media_node.rewrite import CLOCK_HZ, Budget, Line
from media_node.rtp import MARKER, Rtp, parse
from media_node.speaker import Speaker
from tests.fakes.talk import FRAME, PAYLOAD_TYPE, Mouth, audio, number_of, speaker_of, weather


class Desk:
    """One slot of one listener, and speakers who may be put in it."""

    def __init__(self, *names: str) -> None:
        self.sent: list[bytes] = []
        self.budget = Budget(4, 0.0)
        self.line = Line(5, 96, self.sent.append, self.budget, Random(1))
        self.asked: list[bytes] = []
        self.mouths = {name: Mouth(name, ssrc=number) for number, name in enumerate(names)}
        self.speakers = {name: Speaker(audio(9), self.asked.append, 1, 0.0) for name in names}
        for speaker in self.speakers.values():
            speaker.allow(may_speak=True)

    def hears(self, name: str | None) -> None:
        """Somebody else is in the slot, or nobody."""
        for speaker in self.speakers.values():
            if self.line in speaker.lines or self.line in speaker.waiting:
                speaker.detach(self.line)
        if name is not None:
            self.speakers[name].attach(self.line)

    def comes(self, name: str, data: bytes, now: float) -> None:
        """A packet of somebody's."""
        self.budget.refill(now)
        self.speakers[name].take(data, now)

    def says(self, name: str, count: int, now: float) -> float:
        """So many packets; when the next one would come."""
        for _ in range(count):
            self.comes(name, self.mouths[name].say(), now)
            now += 0.02
        return now

    @property
    def heard(self) -> list[Rtp]:
        """All of it."""
        packets = [parse(data, None) for data in self.sent]
        return [packet for packet in packets if packet is not None]


def steps(packets: list[Rtp]) -> list[tuple[int, int]]:
    """From each to the next: sequence and timestamp."""
    return [
        ((after.sequence - before.sequence) & 0xFFFF, (after.timestamp - before.timestamp) & 0xFFFFFFFF)
        for before, after in pairwise(packets)
    ]


def test_one_speaker_goes_through_as_they_are() -> None:
    """Under the slot's SSRC and the listener's payload type; the first one is marked."""
    desk = Desk("ada")
    desk.hears("ada")
    desk.says("ada", 200, 0.0)
    heard = desk.heard
    assert [number_of(packet) for packet in heard] == list(range(200))
    assert {(packet.ssrc, packet.payload_type) for packet in heard} == {(5, 96)}
    assert set(steps(heard)) == {(1, FRAME)}
    assert [packet.marker for packet in heard] == [MARKER] + [0] * 199


def test_a_switch_goes_on_by_one_and_by_the_time_that_passed() -> None:
    """Marked, for the decoder is to begin anew; whoever left is not heard any more, however late they come."""
    desk = Desk("ada", "bob")
    desk.hears("ada")
    now = desk.says("ada", 10, 0.0)
    desk.says("bob", 5, now)
    late = desk.mouths["ada"].say()
    desk.hears("bob")
    now = desk.says("bob", 10, now + 0.48)
    desk.comes("ada", late, now)
    heard = desk.heard
    assert [speaker_of(packet) for packet in heard] == ["ada"] * 10 + ["bob"] * 10
    assert steps(heard)[9][0] == 1
    assert steps(heard)[9][1] == pytest.approx(0.5 * CLOCK_HZ, abs=1)
    assert heard[10].marker == MARKER
    assert number_of(heard[10]) == 5


def test_what_a_speaker_said_before_they_had_the_slot_is_not_sent() -> None:
    """Though it comes after what they said later."""
    desk = Desk("ada", "bob")
    desk.hears("ada")
    now = desk.says("ada", 3, 0.0)
    overtaken = [desk.mouths["bob"].say(), desk.mouths["bob"].say()]
    desk.hears("bob")
    now = desk.says("bob", 2, now)
    for data in overtaken:
        desk.comes("bob", data, now)
    desk.says("bob", 1, now)
    assert [number_of(packet) for packet in desk.heard][3:] == [2, 3, 4]
    assert {step[0] for step in steps(desk.heard)} == {1}


def test_what_was_lost_stays_a_gap_and_what_comes_late_its_place() -> None:
    """As wide as it was."""
    desk = Desk("ada")
    desk.hears("ada")
    desk.says("ada", 2, 0.0)
    late = desk.mouths["ada"].say()
    desk.mouths["ada"].skip(2)
    desk.says("ada", 1, 0.1)
    desk.comes("ada", late, 0.12)
    desk.says("ada", 1, 0.14)
    assert steps(desk.heard) == [(1, FRAME), (4, 4 * FRAME), (0x10000 - 3, 2**32 - 3 * FRAME), (4, 4 * FRAME)]


def test_a_pause_of_the_sender_is_one_of_the_timestamps_alone() -> None:
    """DTX: the sequence goes on by one."""
    desk = Desk("ada")
    desk.hears("ada")
    now = desk.says("ada", 2, 0.0)
    desk.mouths["ada"].timestamp += 50 * FRAME
    desk.says("ada", 2, now + 1)
    assert steps(desk.heard) == [(1, FRAME), (1, 51 * FRAME), (1, FRAME)]


@pytest.mark.parametrize("why", ["muted", "restarted", "too fast"])
def test_what_the_node_dropped_or_was_begun_anew_is_nobodys_loss(why: str) -> None:
    """The slot goes on by one, marked."""
    desk = Desk("ada")
    desk.hears("ada")
    speaker, mouth = desk.speakers["ada"], desk.mouths["ada"]
    now = desk.says("ada", 10, 0.0)
    if why == "muted":
        speaker.allow(may_speak=False)
        now = desk.says("ada", 50, now)
        speaker.allow(may_speak=True)
    elif why == "restarted":
        mouth.ssrc, mouth.sequence, mouth.timestamp = 1234, 7, 7
        now += 1
    else:
        for _ in range(500):
            desk.comes("ada", mouth.say(), now)
        now += 1
    before = len(desk.sent)
    desk.says("ada", 10, now)
    heard = desk.heard
    assert len(heard) == before + 10
    assert {step[0] for step in steps(heard)} == {1}
    assert heard[before].marker == MARKER
    assert steps(heard)[before - 1][1] == pytest.approx(CLOCK_HZ, abs=2 * FRAME)


def again(desk: Desk, packet: bytes) -> bytes | None:
    """What is sent where a packet is missing."""
    return desk.line.again(int.from_bytes(packet[2:4], "big"))


def test_what_is_missed_comes_again_as_the_same_bytes() -> None:
    """SRTP's nonce is made of the number: anything else under it would give the keystream away. Across switches too."""
    desk = Desk("ada", "bob")
    now = 0.0
    for turn in range(6):
        desk.hears(("ada", "bob")[turn % 2])
        now = desk.says(("ada", "bob")[turn % 2], 10, now)
    assert [again(desk, data) for data in desk.sent[10:]] == desk.sent[10:]
    desk.hears(None)
    assert again(desk, desk.sent[-1]) == desk.sent[-1]


def test_what_is_not_there_any_more_is_not_sent() -> None:
    """Older than the ring, older than the last switches, never sent, or of somebody who has gone."""
    desk = Desk("ada", "bob")
    desk.hears("ada")
    now = desk.says("ada", limits.VOICE_RING_PACKETS + 10, 0.0)
    assert again(desk, desk.sent[9]) is None
    assert again(desk, desk.sent[10]) == desk.sent[10]
    newest = int.from_bytes(desk.sent[-1][2:4], "big")
    assert desk.line.again((newest + 1) & 0xFFFF) is None
    desk.hears("bob")
    desk.says("bob", 5, now)
    desk.line.forget(desk.speakers["ada"])
    assert again(desk, desk.sent[20]) is None
    assert again(desk, desk.sent[-1]) == desk.sent[-1]


def test_a_listener_that_names_opus_otherwise_is_sent_it_so() -> None:
    """Nothing that went out by the old name comes again; the numbers go on."""
    desk = Desk("ada")
    desk.line.change(97)
    desk.hears("ada")
    now = desk.says("ada", 5, 0.0)
    desk.hears(None)
    desk.line.change(97)
    assert again(desk, desk.sent[4]) == desk.sent[4]
    desk.line.change(PAYLOAD_TYPE)
    desk.hears("ada")
    desk.says("ada", 5, now)
    assert [packet.payload_type for packet in desk.heard] == [97] * 5 + [PAYLOAD_TYPE] * 5
    assert set(steps(desk.heard)) == {(1, FRAME)}
    assert again(desk, desk.sent[4]) is None
    assert again(desk, desk.sent[5]) == desk.sent[5]


def test_a_burst_beyond_what_slots_bring_is_dropped_and_never_queued() -> None:
    """What waited somewhere for too long; it can be asked for."""
    desk = Desk("ada")
    desk.hears("ada")
    desk.says("ada", 1, 0.0)
    desk.budget.tokens = 3
    for _ in range(10):
        desk.speakers["ada"].take(desk.mouths["ada"].say(), 0.1)
    assert (len(desk.sent), desk.budget.dropped) == (4, 7)
    assert again(desk, desk.sent[-1]) == desk.sent[-1]
    desk.budget.refill(99.0)
    assert desk.budget.tokens == 4 * limits.VOICE_PACKETS_BURST


@pytest.mark.parametrize(("seed", "loss", "jitter_s"), [(1, 0.05, 0.0), (2, 0.1, 0.0), (3, 0.05, 0.05), (4, 0.1, 0.1)])
def test_in_any_weather_a_listener_sees_one_stream(seed: int, loss: float, jitter_s: float) -> None:
    """Seeded: three speakers with loss and reordering, who change places in the slot all the time.

    Each number once; within a speaker's stretch the same order and gaps as they came with; never one of another
    speaker's among them; time that never goes back across a switch.
    """
    chance, names = Random(seed), ("ada", "bob", "cyd")
    desk = Desk(*names)
    came: list[tuple[float, str, bytes]] = []
    for name in names:
        sent = [(number * 0.02, desk.mouths[name].say()) for number in range(1500)]
        came += [(at, name, data) for at, data in weather(sent, chance, loss=loss, jitter_s=jitter_s)]
    switches = 0
    for at, name, data in sorted(came, key=lambda each: each[0]):
        if chance.random() < 0.01:
            switches += 1
            desk.hears(chance.choice(names))
        desk.comes(name, data, at)
    heard = desk.heard
    assert switches > 20
    assert len({packet.sequence for packet in heard}) == len(heard)
    for before, after in pairwise(heard):
        ahead = ((after.sequence - before.sequence + 0x8000) & 0xFFFF) - 0x8000
        passed = ((after.timestamp - before.timestamp + 2**31) & 0xFFFFFFFF) - 2**31
        if after.marker:
            assert ahead >= 1
            assert passed > 0
        else:
            assert speaker_of(after) == speaker_of(before)
            assert ahead == number_of(after) - number_of(before)
            assert passed == ahead * FRAME
