"""A room's voice packet by packet: what is lost, asked for again, reported, malformed, too much."""

from dataclasses import replace
from random import Random

import msgspec
import pytest

from chalicelib.wire import limits
from chalicelib.wire.voice import (
    ActiveRecording,
)
from media_node import rtcp
from media_node.rtcp import Nack, ReceiverReport, SenderReport
from media_node.rtp import Rtp
from tests.fakes.relay import FakeLink, person
from tests.fakes.talk import Hall, audio, goodbye, speaker_of, weather

RECORDING = ActiveRecording(
    recording_id="rec_" + "a" * 20, channel_id="main", started_by="ada", started_at_ms=1, consented=("bob",)
)


def test_in_loss_a_listener_sees_each_slot_as_one_stream_with_the_gaps_that_were_real() -> None:
    """Seeded, 5 and 10 percent, to the node; what comes again when it is asked for fills them."""
    for seed, loss in ((1, 0.05), (2, 0.1)):
        hall = Hall("ada", "bob", "cyd")
        chance = Random(seed)
        events = []
        for name in ("bob", "cyd"):
            sent = [(hall.now + number * 0.02, hall.mouths[name].say()) for number in range(1000)]
            came = weather(sent, chance, loss=loss)
            there = {data for _, data in came}
            events += [(at, name, data) for at, data in came]
            events += [(at + 0.06, name, data) for at, data in sent if data not in there and chance.random() >= loss]
        lost = 2000 - len(events)
        for at, name, data in sorted(events, key=lambda event: event[0]):
            hall.pass_until(at)
            hall.voice.media(hall.links[name], data, hall.now)
        by_ssrc: dict[int, list[Rtp]] = {}
        for packet in hall.heard("ada"):
            by_ssrc.setdefault(packet.ssrc, []).append(packet)
        missing = 0
        for packets in by_ssrc.values():
            first = packets[0].sequence
            numbers = sorted(((packet.sequence - first + 0x8000) & 0xFFFF) - 0x8000 for packet in packets)
            assert len(set(numbers)) == len(numbers)
            missing += numbers[-1] - numbers[0] + 1 - len(numbers)
        assert len(by_ssrc) == 2
        assert missing <= lost
        assert missing < 2000 * loss * loss * 2


@pytest.mark.parametrize(("seed", "loss"), [(1, 0.05), (2, 0.1), (3, 0.3)])
def test_a_listener_that_asks_for_what_it_misses_ends_with_every_packet(seed: int, loss: float) -> None:
    """Seeded, from the node on: speakers who change places, and what comes again is lost as often."""
    hall, chance = Hall(*"abcdefg"), Random(seed)
    link, got, sent = hall.links["a"], dict[tuple[int, int], bytes](), dict[tuple[int, int], bytes]()
    for _ in range(60):
        hall.pass_s(0.25, {name: 20 + chance.randrange(20) for name in "bcdefg" if chance.random() < 0.7})
        for _ in range(8):
            media, link.media = link.media, []
            for data in media:
                number = int.from_bytes(data[8:12], "big"), int.from_bytes(data[2:4], "big")
                if 192 <= data[1] < 224:
                    continue
                assert sent.setdefault(number, data) == data
                if chance.random() >= loss:
                    got[number] = data
            for ssrc in {ssrc for ssrc, _ in sent}:
                missing = sorted(number[1] for number in sent.keys() - got.keys() if number[0] == ssrc)
                hall.voice.media_control(link, rtcp.nack(1, ssrc, missing), hall.now)
    assert len(sent) > 2000
    assert got == sent
    for ssrc in {ssrc for ssrc, _ in sent}:
        numbers = sorted(sequence for each, sequence in sent if each == ssrc)
        assert numbers == list(range(numbers[0], numbers[-1] + 1))


def test_what_is_missing_is_asked_for_at_once_and_once_more() -> None:
    """Where the page can send again, and somebody listens."""
    hall = Hall("ada", "bob")
    hall.pass_s(0.5, {"bob": 25})
    hall.links["bob"].media.clear()
    hall.mouths["bob"].skip(2)
    missing = [(hall.mouths["bob"].sequence - back) & 0xFFFF for back in (2, 1)]
    hall.pass_s(0.3, {"bob": 25})
    nacks = [item for data in hall.links["bob"].media if 192 <= data[1] < 224 for item in rtcp.parse(data)]
    asked = [list(item.sequences) for item in nacks if isinstance(item, Nack)]
    assert asked == [missing, missing]
    assert {item.ssrc for item in nacks if isinstance(item, Nack)} == {hall.mouths["bob"].ssrc}


def test_what_is_recorded_is_asked_for_though_nobody_hears_it() -> None:
    """Whoever is alone may record themselves."""
    hall = Hall("bob")
    state = msgspec.structs.replace(hall.voice.rules.state, recording=RECORDING)
    hall.voice.follow(replace(hall.voice.rules, state=state))
    hall.pass_s(0.2, {"bob": 25})
    hall.mouths["bob"].skip(2)
    hall.pass_s(0.02, {"bob": 25})
    items = [item for data in hall.links["bob"].media if 192 <= data[1] < 224 for item in rtcp.parse(data)]
    assert [len(item.sequences) for item in items if isinstance(item, Nack)] == [2]


def test_nothing_is_asked_for_where_nobody_hears_or_the_page_cannot_send_again() -> None:
    """It would be for nothing."""
    for hall in (Hall("bob"), Hall("ada", "bob")):
        hall.links["bob"].audio = audio(7, nack=False)
        hall.pass_s(0.5, {"bob": 25})
        hall.mouths["bob"].skip(2)
        hall.pass_s(0.3, {"bob": 25})
        items = [item for data in hall.links["bob"].media if 192 <= data[1] < 224 for item in rtcp.parse(data)]
        assert not any(isinstance(item, Nack) for item in items)


def test_a_listener_gets_again_what_it_misses_as_it_was() -> None:
    """The same bytes."""
    hall = Hall("ada", "bob")
    hall.pass_s(0.4, {"bob": 25})
    link = hall.links["ada"]
    sent = [data for data in link.media if not 192 <= data[1] < 224]
    link.media.clear()
    ssrc, sequence = int.from_bytes(sent[3][8:12], "big"), int.from_bytes(sent[3][2:4], "big")
    hall.voice.media_control(link, rtcp.nack(1, ssrc, [sequence, sequence + 1]), hall.now)
    assert link.media == sent[3:5]


def test_a_flood_of_nacks_is_answered_up_to_a_bound() -> None:
    """Of others' slots, of what never was: nothing."""
    hall = Hall("ada", "bob")
    hall.pass_s(0.4, {"bob": 25})
    link = hall.links["ada"]
    sent = [data for data in link.media if not 192 <= data[1] < 224]
    ssrc, sequence = int.from_bytes(sent[3][8:12], "big"), int.from_bytes(sent[3][2:4], "big")
    link.media.clear()
    for _ in range(1000):
        hall.voice.media_control(link, rtcp.nack(1, ssrc, range(sequence, sequence + 10)), hall.now)
    assert len(link.media) <= limits.VOICE_NACKS_PER_S
    assert hall.voice.malformed == 1000 - limits.VOICE_NACKS_PER_S
    eve = hall.enter("eve")
    hall.follow()
    hall.voice.media_control(eve, rtcp.nack(1, ssrc, [sequence]), hall.now)
    assert eve.media == []


def test_who_asks_for_everything_at_once_gets_the_newest() -> None:
    """One request for six thousand packets, by the masks: no more of it is looked at than anybody could have."""
    hall = Hall("ada", "bob")
    hall.pass_s(1, {"bob": 25})
    link = hall.links["ada"]
    sent = [data for data in link.media if not 192 <= data[1] < 224]
    ssrc, newest = int.from_bytes(sent[-1][8:12], "big"), int.from_bytes(sent[-1][2:4], "big")
    link.media.clear()
    pairs = [(newest - 16 - 17 * back) & 0xFFFF for back in reversed(range(350))]
    storm = bytes((0x81, 205)) + (2 + len(pairs)).to_bytes(2) + (1).to_bytes(4) + ssrc.to_bytes(4)
    storm += b"".join(first.to_bytes(2) + b"\xff\xff" for first in pairs)
    (asked,) = rtcp.parse(storm)
    assert isinstance(asked, Nack)
    assert asked.sequences[-1] == newest
    assert len(asked.sequences) == 17 * limits.VOICE_RING_PACKETS
    hall.voice.media_control(link, storm, hall.now)
    assert 0 < len(link.media) <= limits.VOICE_NACKS_PER_S
    assert hall.voice.counts()["voice_not_resent"] == len(asked.sequences) - len(link.media)


def test_what_is_no_rtcp_is_counted_and_nothing_more() -> None:
    """Whatever it is."""
    hall = Hall("ada")
    hall.voice.media_control(hall.links["ada"], b"\x80\xc8\x00\xff", hall.now)
    hall.voice.media_control(FakeLink(person("eve")), b"", hall.now)
    assert hall.voice.malformed == 1


def test_a_packet_that_is_none_or_of_another_payload_type_goes_nowhere() -> None:
    """Nor one of a link that is nobody's."""
    hall = Hall("ada", "bob")
    hall.pass_s(0.2, {"bob": 25})
    hall.voices("ada")
    bob = hall.links["bob"]
    for data in (b"", b"\x80" * 20, hall.mouths["bob"].say(payload_type=96), hall.mouths["bob"].say(size=800)):
        hall.voice.media(bob, data, hall.now)
    hall.voice.media(FakeLink(person("eve")), hall.mouths["bob"].say(), hall.now)
    assert hall.voices("ada") == set()


def test_whatever_bytes_come_nothing_breaks_and_the_others_are_heard() -> None:
    """Seeded: packets and reports with bytes and ends gone wrong, numbers that jump, SSRCs of others."""
    hall, chance = Hall("ada", "bob", "eve"), Random(9)
    eve, nack = hall.links["eve"], rtcp.nack(1, 3000, range(50)) + goodbye(5)
    for _ in range(3000):
        data = bytearray(chance.choice((hall.mouths["eve"].say(), nack, chance.randbytes(chance.randrange(90)))))
        for _ in range(chance.randrange(4)):
            if data:
                data[chance.randrange(len(data))] = chance.randrange(256)
        cut = bytes(data[: chance.randrange(len(data) + 1)])
        hall.voice.media(eve, cut, hall.now)
        hall.voice.media_control(eve, cut, hall.now)
        hall.pass_s(0.02, {"bob": 25})
    assert sum(packet.payload.startswith(b"bob ") for packet in hall.heard("ada")) == 3000
    counts = hall.voice.counts()
    assert (counts["voice_pages"], counts["voice_malformed"] > 0, counts["voice_dropped"] > 0) == (3, True, True)


def test_an_ssrc_that_is_anothers_says_nothing() -> None:
    """Whose a packet is, is the link that it came by."""
    hall = Hall("ada", "bob", "eve")
    hall.change("eve", muted=True)
    hall.mouths["eve"].ssrc = hall.mouths["bob"].ssrc
    hall.pass_s(0.5, {"bob": 25, "eve": 10})
    assert hall.voices("ada") == {"bob"}
    hall.change("eve", muted=False)
    hall.mouths["eve"].ssrc = 1000  # ada's first slot
    hall.pass_s(0.5, {"bob": 25, "eve": 25})
    heard = hall.heard("ada")
    by_ssrc = {packet.ssrc: speaker_of(packet) for packet in heard}
    assert set(by_ssrc.values()) == {"bob", "eve"}
    assert all(by_ssrc[packet.ssrc] == speaker_of(packet) for packet in heard)


def test_reports_say_again_and_again_what_was_sent_and_how_it_came() -> None:
    """By slot, with the sender's clock; to each sender how it is received."""
    hall = Hall("ada", "bob")
    hall.pass_s(0.5, {"bob": 25})
    mouth = hall.mouths["bob"]
    wall_s = int(hall.now * 1000) / 1000
    report = SenderReport(mouth.ssrc, rtcp.ntp_of(wall_s - 3600), mouth.timestamp, 25, 1500)
    hall.voice.media_control(hall.links["bob"], rtcp.sender_report(report), hall.now)
    hall.links["ada"].media.clear()
    mouth.skip(5)
    hall.pass_s(0.1)
    hall.pass_s(2 * limits.VOICE_REPORT_S, {"bob": 25})
    told = [item for data in hall.links["ada"].media if 192 <= data[1] < 224 for item in rtcp.parse(data)]
    media = {packet.sequence: packet for packet in hall.heard("ada")}
    reports = [item for item in told if isinstance(item, SenderReport)]
    assert len(reports) == 2
    newest = media[max(media)] if max(media) - min(media) < 1000 else None
    assert newest is not None
    for each in reports:
        at_s = rtcp.seconds_of(each.ntp)
        passed = ((newest.timestamp - each.timestamp + 2**31) & 0xFFFFFFFF) - 2**31
        assert passed / 48_000 == pytest.approx(hall.now - 0.02 - at_s, abs=0.002)
    assert reports[-1].packets - reports[0].packets == pytest.approx(50 * limits.VOICE_REPORT_S, abs=5)
    assert reports[-1].octets == reports[-1].packets * 60
    blocks = [
        block
        for data in hall.links["bob"].media
        if 192 <= data[1] < 224
        for item in rtcp.parse(data)
        if isinstance(item, ReceiverReport | SenderReport)
        for block in item.blocks
    ]
    assert [block.ssrc for block in blocks] == [mouth.ssrc] * len(blocks)
    assert len(blocks) >= 2
    assert blocks[-1].lost == 5
    assert blocks[-1].last_sr == rtcp.middle(report.ntp)
    assert 0 < blocks[-1].delay <= (0.1 + 2 * limits.VOICE_REPORT_S) * 65_536
