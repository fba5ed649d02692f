"""A load of voices: descriptions, checks, channels that open, what is measured, and what the comparison says of it."""

from random import Random
from types import SimpleNamespace
from typing import cast

import pytest

from benchmarks.voices import ice, sdp
from benchmarks.voices.channels import Opener, cookie_of
from benchmarks.voices.drive import Load, talkers
from benchmarks.voices.join import Listener
from benchmarks.voices.marks import mark, markable
from benchmarks.voices.meter import Meter
from benchmarks.voices.ours import DIRECTIONS, Page, place_of
from benchmarks.voices.theirs import chosen
from chalicelib.wire import limits
from media_node import sctp_chunks, stun
from media_node.rtp import build
from media_node.sctp import Association, State
from media_node.sdp import parse_offer

OURS = sdp.Ours("192.0.2.7", 5004, "abcd", "p" * 24, ":".join(["AB"] * 32), 4711)
JANUS = """v=0
o=- 1 1 IN IP4 192.0.2.2
s=VideoRoom 1234
t=0 0
a=group:BUNDLE 0 1
a=ice-options:trickle
a=fingerprint:sha-256 0a:0b
m=audio 9 UDP/TLS/RTP/SAVPF 111
c=IN IP4 192.0.2.2
a=sendonly
a=mid:0
a=rtcp-mux
a=ice-ufrag:ufra
a=ice-pwd:secretsecretsecretsecret
a=setup:actpass
a=rtpmap:111 opus/48000/2
a=extmap:4 urn:ietf:params:rtp-hdrext:ssrc-audio-level
a=ssrc:99 cname:janus
a=candidate:1 1 udp 2015363327 192.0.2.2 40000 typ host
m=audio 0 UDP/TLS/RTP/SAVPF 111
a=mid:1
a=inactive
"""


def test_the_node_reads_our_offer() -> None:
    offer = parse_offer(sdp.offer(OURS, DIRECTIONS, data=True))
    assert [section.kind for section in offer.sections] == ["audio"] * (1 + limits.VOICE_SLOTS) + ["application"]
    assert offer.credentials.ufrag == "abcd"


def test_what_a_server_says_is_read_and_what_it_refused_is_not_counted() -> None:
    theirs = sdp.read(JANUS)
    assert (theirs.address, theirs.port, theirs.ufrag) == ("192.0.2.2", 40000, "ufra")
    assert theirs.fingerprint == "0A:0B"
    assert (theirs.level_id, theirs.nack) == (4, False)
    assert "a=mid:1" in sdp.answer(OURS, theirs)


def test_a_description_without_a_candidate_is_refused() -> None:
    with pytest.raises(ValueError, match="candidate"):
        sdp.read(JANUS.replace("a=candidate", "a=other"))
    with pytest.raises(ValueError, match="ice-pwd"):
        sdp.read(JANUS.replace("a=ice-pwd", "a=other"))


def test_our_check_is_one_that_the_node_takes_and_we_answer_one_like_it() -> None:
    made = ice.check("theirs:ours", "password", controlling=True)
    request = stun.parse_request(made)
    assert (request.username, request.use_candidate, request.controlled) == ("theirs:ours", True, False)
    assert stun.authentic(made, request, b"password")
    answered = ice.answer(made, ("192.0.2.2", 1), "password")
    assert answered is not None
    assert answered[:2] == ice.SUCCESS
    assert ice.answer(made, ("192.0.2.2", 1), "another") is None
    assert ice.answer(made[:-1], ("192.0.2.2", 1), "password") is None
    assert stun.parse_request(ice.check("a:b", "p", controlling=False)).controlled


def test_channels_open_with_the_nodes_association_and_carry_both_ways() -> None:
    got: list[tuple[str, bytes]] = []
    node = Association(
        port=5000, peer_port=5000, deliver=lambda _, __, data: got.append(("node", data)), chance=Random(1)
    )
    ours = Opener(lambda _, __, data: got.append(("ours", data)), Random(2))
    ours.begin()
    for _ in range(4):
        for packet in ours.flush(0.0):
            node.receive(packet, 0.0)
        for packet in node.flush(0.0):
            ours.receive(packet, 0.0)
    assert (node.state, ours.state) == (State.OPEN, State.OPEN)
    ours.send(1, 53, b"up")
    node.send(1, 53, b"down")
    for packet in ours.flush(0.0):
        node.receive(packet, 0.0)
    for packet in node.flush(0.0):
        ours.receive(packet, 0.0)
    assert got == [("node", b"up"), ("ours", b"down")]


def test_an_init_that_was_lost_is_sent_again() -> None:
    ours = Opener(lambda _, __, ___: None, Random(2))
    ours.begin()
    first = ours.flush(0.0)
    ours.begin()
    assert ours.flush(0.0) == first
    with pytest.raises(sctp_chunks.SctpError):
        cookie_of(bytes(24))


def test_who_talks_is_spread_over_the_room() -> None:
    assert talkers(50, 5) == [0, 10, 20, 30, 40]
    assert talkers(10, 10) == list(range(10))
    assert len({place_of(number) for number in range(50)}) == 50


def test_everybody_subscribes_to_as_many_others_who_talk_as_there_are_slots() -> None:
    for number in range(50):
        wanted = chosen(number, talkers(50, 5), 4)
        assert len(set(wanted)) == 4
        assert number not in wanted
    assert len(chosen(0, [0, 1], 4)) == 1


def test_an_age_counts_from_the_last_sending_unless_somebody_had_to_ask() -> None:
    meter = Meter(2)
    meter.recording = True
    meter.sends(0, 5, 1.0)
    meter.sends_again(0, 5, 1.1)
    meter.comes(0, 5, 1.102, asked=False)
    meter.comes(0, 5, 1.15, asked=True)
    figures = meter.figures(2.0)
    assert figures["relay_p99_ms"] == pytest.approx(2.0)
    assert figures["recovered_p50_ms"] == pytest.approx(150.0)
    assert (figures["packets_sent_per_s"], figures["packets_heard_per_s"], figures["sent_again_per_s"]) == (
        0.5,
        1.0,
        0.5,
    )


async def test_whoever_joins_hears_a_voice_and_not_what_silence_sends() -> None:
    page = cast(Page, SimpleNamespace(link=SimpleNamespace()))
    listener = Listener(cast(Load, SimpleNamespace(meter=Meter(3), talking=[2])), page)
    for now, sender in ((1.0, 0), (2.0, 2), (3.0, 2)):
        assert listener.first.done() is (now > 2)
        payload = markable(b"\x78a") + mark(sender, 1)
        page.link.media(build(111, int(now), 0, 7, payload), now)
    assert await listener.first == 2.0


def test_a_mixers_packets_have_no_age_and_another_window_begins_with_nothing() -> None:
    meter = Meter(1)
    meter.recording = True
    meter.comes_unmarked()
    meter.comes(9, 1, 1.0, asked=False)
    figures = meter.figures(1.0)
    assert figures["packets_heard_per_s"] == 2
    assert "relay_p99_ms" not in figures
    meter.clear()
    assert meter.figures(1.0)["packets_heard_per_s"] == 0
