"""Audio sections of every kind of peer are taken as docs/voice.md says, kept over renegotiations, else refused."""

import random
from pathlib import Path

import pytest
from aiortc.sdp import SessionDescription

from chalicelib.wire import limits
from chalicelib.wire.errors import AppError
from media_node.ice import Credentials
from media_node.ports import Audio
from media_node.sdp import Ours, parse_offer, write_answer
from media_node.sdp_audio import NOTHING, OPUS, SOURCE, Negotiated, audio_of, fresh_ssrcs, negotiate

VECTORS = Path(__file__).parents[2] / "vectors" / "sdp"
SSRCS = (11, 22, 33, 44)
OURS = Ours(
    session=42,
    version=1,
    credentials=Credentials("abcd1234", "p" * 32),
    fingerprint=":".join(["AB"] * 32),
    addresses=("192.0.2.1",),
    port=4000,
    ssrcs=SSRCS,
)
OPUS_LINES = ("a=rtpmap:111 opus/48000/2", "a=rtcp-fb:111 nack", "a=fmtp:111 minptime=10;useinbandfec=1")


def section(mid: str, *said: str, direction: str = "recvonly", line: str = "m=audio 9 UDP/TLS/RTP/SAVPF 111 63") -> str:
    return "\r\n".join((line, f"a=mid:{mid}", f"a={direction}", *said, ""))


def audio(mid: str, direction: str = "recvonly", *more: str) -> str:
    return section(mid, "a=rtcp-mux", *OPUS_LINES, *more, direction=direction)


def offer(*sections: str, group: str | None = None, data_at: int = 0) -> str:
    """The data section, with mid `d`, and others; all of them in one bundle."""
    data = "m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\na=mid:d\r\na=sctp-port:5000\r\n"
    every = [*sections[:data_at], data, *sections[data_at:]]
    mids = [line[6:] for each in every for line in each.splitlines() if line.startswith("a=mid:")]
    return (
        "v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\n"
        f"a=group:BUNDLE {group or ' '.join(mids)}\r\na=ice-ufrag:abcd\r\na=ice-pwd:{'q' * 24}\r\n"
        f"a=fingerprint:sha-256 {':'.join(['CD'] * 32)}\r\na=setup:actpass\r\n" + "".join(every)
    )


def page(slots: int = limits.VOICE_SLOTS, *, level: bool = True) -> str:
    """What a page offers."""
    extension = ["a=extmap:1 urn:ietf:params:rtp-hdrext:ssrc-audio-level"] if level else []
    return offer(audio("s", "sendonly", *extension), *(audio(f"r{each}") for each in range(slots)))


def read(text: str, before: Negotiated = NOTHING) -> Negotiated:
    parsed = parse_offer(text)
    return negotiate(parsed.sections, parsed.bundle, before.parts)


def heard(text: str) -> Audio | None:
    return audio_of(read(text), SSRCS)


def answered(text: str, before: Negotiated = NOTHING) -> list[list[str]]:
    """The answer's session and sections, as lines."""
    answer = write_answer(parse_offer(text), OURS, read(text, before))
    assert answer.endswith("\r\n")
    made: list[list[str]] = [[]]
    for line in answer.removesuffix("\r\n").split("\r\n"):
        if line.startswith("m="):
            made.append([])
        made[-1].append(line)
    return made


def test_what_a_page_offers_is_taken_whole() -> None:
    """One source, and slots in the order of their sections, each by the link's SSRC."""
    assert heard(page()) == Audio(payload_type=111, level_id=1, slots=SSRCS, sends=True, nack=True)
    assert heard(page(2, level=False)) == Audio(payload_type=111, level_id=None, slots=(11, 22), sends=True, nack=True)


def test_who_only_listens_or_only_speaks_offers_what_he_needs() -> None:
    """Nothing has to be there."""
    assert heard(offer(audio("r"))) == Audio(payload_type=111, level_id=None, slots=(11,), sends=False, nack=False)
    assert heard(offer(audio("s", "sendrecv"))) == Audio(
        payload_type=111, level_id=None, slots=(), sends=True, nack=True
    )
    assert heard(offer()) is None


def test_the_answer_to_a_page() -> None:
    """Every line of the source's section and of a slot's, and one bundle of all."""
    session, data, source, first, *_, last = answered(page())
    assert "a=group:BUNDLE d s r0 r1 r2 r3" in session
    carried = [
        "a=ice-ufrag:abcd1234",
        f"a=ice-pwd:{'p' * 32}",
        "a=ice-options:ice2",
        f"a=fingerprint:sha-256 {':'.join(['AB'] * 32)}",
        "a=setup:passive",
    ]
    ends = ["a=candidate:1 1 udp 2130706431 192.0.2.1 4000 typ host", "a=end-of-candidates"]
    head = ["m=audio 4000 UDP/TLS/RTP/SAVPF 111", "c=IN IP4 192.0.2.1"]
    codec = ["a=rtcp-mux", "a=rtpmap:111 opus/48000/2", f"a=fmtp:111 {OPUS}", "a=rtcp-fb:111 nack"]
    assert data[-2:] == ends
    assert source == [
        *head,
        "a=mid:s",
        *carried,
        "a=recvonly",
        *codec,
        "a=extmap:1 urn:ietf:params:rtp-hdrext:ssrc-audio-level",
        *ends,
    ]
    slot = ["a=msid:slot0 slot0", "a=ssrc:11 cname:slot0", "a=ssrc:11 msid:slot0 slot0"]
    assert first == [*head, "a=mid:r0", *carried, "a=sendonly", *codec, *slot, *ends]
    assert "a=ssrc:44 cname:slot3" in last


def test_the_data_section_may_come_after_the_audio() -> None:
    """Browsers write it last."""
    session, source, data, slot = answered(offer(audio("s", "sendonly"), audio("r"), data_at=1))
    assert "a=group:BUNDLE s d r" in session
    assert [each[0].split()[:2] for each in (source, data, slot)] == [
        ["m=audio", "4000"],
        ["m=application", "4000"],
        ["m=audio", "4000"],
    ]


def test_more_sections_are_rejected() -> None:
    """A second source, a slot too many, a video."""
    more = (audio("s2", "sendrecv"), section("v", "a=rtcp-mux", line="m=video 9 UDP/TLS/RTP/SAVPF 96"), audio("r9"))
    slots = tuple(audio(f"r{each}") for each in range(limits.VOICE_SLOTS))
    session, _, *sections = answered(offer(audio("s", "sendonly"), *slots, *more))
    assert [each[0].split()[1] for each in sections] == ["4000"] * 5 + ["0"] * 3
    assert "a=group:BUNDLE d s r0 r1 r2 r3" in session
    assert all("a=inactive" in each for each in sections[5:])


@pytest.mark.parametrize(
    ("name", "broken"),
    [
        ("no RTCP on the same port", section("x", *OPUS_LINES)),
        ("no Opus", section("x", "a=rtcp-mux", "a=rtpmap:0 PCMU/8000", line="m=audio 9 UDP/TLS/RTP/SAVPF 0")),
        ("Opus that is no format of it", section("x", "a=rtcp-mux", "a=rtpmap:96 opus/48000/2")),
        ("mono Opus", section("x", "a=rtcp-mux", "a=rtpmap:111 opus/48000")),
        (
            "a number that RTCP has",
            section("x", "a=rtcp-mux", "a=rtpmap:72 opus/48000/2", line="m=audio 9 RTP/SAVPF 72"),
        ),
        ("plain RTP", section("x", "a=rtcp-mux", *OPUS_LINES, line="m=audio 9 RTP/AVP 111")),
        ("stopped", section("x", "a=rtcp-mux", *OPUS_LINES, line="m=audio 0 UDP/TLS/RTP/SAVPF 111")),
        ("inactive from the start", audio("x", "inactive")),
        ("not in the bundle", audio("x") + "a=not:there\r\n"),
    ],
)
def test_what_the_node_does_not_take_is_rejected(name: str, broken: str) -> None:
    """And the data channels are there all the same."""
    text = offer(broken, group="d" if name == "not in the bundle" else None)
    assert heard(text) is None, name
    _, data, rejected = answered(text)
    assert data[0].startswith("m=application 4000")
    assert rejected[0].split()[1] == "0"


def test_a_section_that_only_the_bundle_carries_is_taken() -> None:
    """`max-bundle` writes port 0 and `a=bundle-only` from the second section on."""
    line = "m=audio 0 UDP/TLS/RTP/SAVPF 111"
    text = offer(section("r", "a=rtcp-mux", "a=bundle-only", *OPUS_LINES, line=line))
    assert heard(text) == Audio(payload_type=111, level_id=None, slots=(11,), sends=False, nack=False)


def test_one_payload_type_is_opus_in_all_sections() -> None:
    """Another number in another section would need packets rewritten by section."""
    other = section("r", "a=rtcp-mux", "a=rtpmap:63 opus/48000/2")
    both = section("b", "a=rtcp-mux", "a=rtpmap:63 opus/48000/2", "a=rtpmap:111 OPUS/48000/2")
    _, _, source, rejected, slot = answered(offer(audio("s", "sendonly"), other, both))
    assert [each[0].split()[1] for each in (source, rejected, slot)] == ["4000", "0", "4000"]


@pytest.mark.parametrize(
    ("extension", "level_id"),
    [
        ("3/sendonly urn:ietf:params:rtp-hdrext:ssrc-audio-level vad=on", 3),
        ("14 urn:ietf:params:rtp-hdrext:ssrc-audio-level", 14),
        ("15 urn:ietf:params:rtp-hdrext:ssrc-audio-level", None),
        ("0 urn:ietf:params:rtp-hdrext:ssrc-audio-level", None),
        ("2 urn:ietf:params:rtp-hdrext:csrc-audio-level", None),
        ("x urn:ietf:params:rtp-hdrext:ssrc-audio-level", None),
    ],
)
def test_the_level_is_by_the_offers_id(extension: str, level_id: int | None) -> None:
    """One of those that a one-byte header can have; nothing else is an extension of ours."""
    taken = heard(offer(audio("s", "sendonly", f"a=extmap:{extension}")))
    assert taken is not None
    assert taken.level_id == level_id


def test_nack_is_there_where_it_was_offered() -> None:
    """For one payload type, or for all."""
    for line, nack in (("a=rtcp-fb:* nack", True), ("a=rtcp-fb:111 nack pli", False), ("a=rtcp-fb:63 nack", False)):
        made = heard(offer(section("s", "a=rtcp-mux", OPUS_LINES[0], line, direction="sendonly")))
        assert made is not None
        assert made.nack is nack


def test_a_renegotiation_moves_no_slot() -> None:
    """Whatever is paused, stopped, added, or offered in another direction now."""
    first = read(page(2))
    assert dict(first.parts) == {"s": SOURCE, "r0": 0, "r1": 1}
    paused = offer(audio("s", "inactive"), audio("r0", "inactive"), audio("r1"), audio("r2"))
    second = read(paused, first)
    assert dict(second.parts) == {"s": SOURCE, "r0": 0, "r1": 1, "r2": 2}
    _, _, source, slot0, slot1, _ = answered(paused, first)
    assert "a=inactive" in source
    assert "a=inactive" in slot0
    assert "a=ssrc:22 cname:slot1" in slot1
    assert audio_of(second, SSRCS) == Audio(payload_type=111, level_id=None, slots=(), sends=False, nack=True)
    stopped = offer(audio("s", "sendonly"), audio("r0").replace("m=audio 9", "m=audio 0"), audio("r1"))
    assert dict(read(stopped, second).parts) == {"s": SOURCE, "r0": 0, "r1": 1}
    recycled = offer(audio("s", "sendonly"), audio("new"), audio("r1"))
    assert dict(read(recycled, second).parts) == {"s": SOURCE, "new": 0, "r1": 1}


class Few(random.Random):
    """Draws of very few."""

    def randrange(self, start: int, stop: int | None = None, step: int = 1) -> int:
        return self.choice((5, 6, 7, 8, 9, 10))


def test_ssrcs_are_nobody_elses() -> None:
    """Not the peer's, which share the bundle's space, and not each other's."""
    sections = parse_offer(offer(audio("s", "sendonly", "a=ssrc:5 cname:x", "a=ssrc:x", "a=ssrc:6"))).sections
    few = Few(3)
    assert set(fresh_ssrcs(sections, few)) == {7, 8, 9, 10}


def test_only_declared_errors_escape_whatever_is_offered() -> None:
    """Seeded: offers with audio, cut, doubled, and with lines and bytes changed; what is taken is always within bounds."""
    seed = 20_261
    chance = random.Random(seed)
    texts = [page(), *(each.read_bytes().decode() for each in sorted(VECTORS.glob("*.sdp")) if "voice" in each.stem)]
    scraps = [
        "",
        "\r\n",
        "m=audio 9 UDP/TLS/RTP/SAVPF 111",
        "a=mid:",
        "a=sendonly",
        "\x00",
        "9" * 30,
        "é",
        "a=rtcp-mux\r\n",
    ]
    before = NOTHING
    for index in range(3000):
        lines = chance.choice(texts).splitlines(keepends=True)
        for _ in range(chance.randrange(1, 8)):
            at = chance.randrange(len(lines))
            lines[at : at + chance.randrange(3)] = [chance.choice(scraps) or chance.choice(lines)]
        try:
            parsed = parse_offer("".join(lines))
        except AppError:
            continue
        before = negotiate(parsed.sections, parsed.bundle, before.parts)
        made = audio_of(before, SSRCS)
        assert sorted(each.part for each in before.taken.values()) == sorted({e.part for e in before.taken.values()}), (
            index
        )
        assert made is None or len(made.slots) <= limits.VOICE_SLOTS, (seed, index)
        answer = write_answer(parsed, OURS, before)
        assert answer.isascii(), (seed, index)
        assert answer.count("\r\nm=") == len(parsed.sections), (seed, index)


VOICE = ["aiortc_voice", "chromium_voice", "firefox_voice_shape", "libdatachannel_voice"]


@pytest.mark.parametrize("name", VOICE)
def test_each_peers_offer_is_answered_as_another_implementation_reads_it(name: str) -> None:
    """aiortc's parser finds the codec, the extension, directions and SSRCs in the answer to each."""
    text = (VECTORS / f"{name}.sdp").read_bytes().decode()
    made = heard(text)
    assert made is not None
    assert made.sends
    assert len(made.slots) == limits.VOICE_SLOTS
    answer = SessionDescription.parse(write_answer(parse_offer(text), OURS, read(text)))
    sections = [each for each in answer.media if each.kind == "audio"]
    assert [each.direction for each in sections] == ["recvonly"] + ["sendonly"] * limits.VOICE_SLOTS
    assert [each.ssrc[0].ssrc for each in sections[1:]] == list(SSRCS)
    for each in sections:
        (codec,) = each.rtp.codecs
        assert (codec.mimeType, codec.clockRate, codec.channels) == ("audio/opus", 48000, 2)
        assert codec.payloadType == made.payload_type
        assert each.rtcp_mux
        assert each.ice_candidates
    assert [each.id for each in sections[0].rtp.headerExtensions] == ([] if made.level_id is None else [made.level_id])
