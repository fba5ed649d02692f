"""Offers of every kind of peer are read, and answered conformantly; what is no offer is refused by its code."""

import random
from pathlib import Path

import pytest
from aiortc.sdp import SessionDescription

from chalicelib.wire import limits
from chalicelib.wire.codes import Code
from chalicelib.wire.errors import AppError
from media_node.ice import Credentials
from media_node.sdp import Offer, Ours, parse_offer, write_answer

VECTORS = Path(__file__).parents[2] / "vectors" / "sdp"
OURS = Ours(
    session=42,
    version=1,
    credentials=Credentials("abcd1234", "p" * 32),
    fingerprint=":".join(["AB"] * 32),
    addresses=("192.0.2.1", "2001:db8::1"),
    port=4000,
)


def offer_of(name: str) -> str:
    return (VECTORS / f"{name}.sdp").read_bytes().decode()


def lines_of(answer: str) -> list[str]:
    assert answer.endswith("\r\n")
    return answer.removesuffix("\r\n").split("\r\n")


def refused(text: str) -> str:
    with pytest.raises(AppError) as caught:
        parse_offer(text)
    assert caught.value.code is Code.SDP_INVALID
    return caught.value.detail


@pytest.mark.parametrize(
    ("name", "ufrag", "takes", "sections", "bundled"),
    [
        ("chromium_data", "BnGy", 262144, 1, True),
        ("chromium_all", "aIrR", 262144, 3, True),
        ("aiortc_data", "GrhN", 262144, 1, True),
        ("firefox_shape", "61b4f4b4", 1073741823, 2, True),
        ("safari_shape", "Yz1q", 65536, 1, True),
        ("libdatachannel_shape", "+hkR", 262144, 1, True),
        ("legacy_shape", "Yz1q", 65536, 1, False),
    ],
)
def test_each_peers_offer_is_read(name: str, ufrag: str, takes: int, sections: int, bundled: bool) -> None:
    """Credentials and fingerprints are found where that peer writes them: section, session, or the bundle's first section."""
    offer = parse_offer(offer_of(name))
    assert offer.credentials.ufrag == ufrag
    assert len(offer.credentials.password) >= 22
    assert offer.sctp_port == 5000
    assert offer.max_message_bytes == takes
    assert len(offer.sections) == sections
    assert bool(offer.bundle) is bundled
    assert all(value == value.upper() for _, value in offer.fingerprints)


def test_all_fingerprints_that_are_known_are_kept() -> None:
    """The certificate has to match each of them."""
    assert [algorithm for algorithm, _ in parse_offer(offer_of("aiortc_data")).fingerprints] == [
        "sha-256",
        "sha-384",
        "sha-512",
    ]
    weak = offer_of("chromium_data").replace("a=setup", "a=fingerprint:sha-1 AA:BB\r\na=setup")
    assert [algorithm for algorithm, _ in parse_offer(weak).fingerprints] == ["sha-256"]


def test_the_answer_to_data_channels_alone() -> None:
    """Every line, in the order that RFC 8829 writes them."""
    assert lines_of(write_answer(parse_offer(offer_of("chromium_data")), OURS)) == [
        "v=0",
        "o=- 42 1 IN IP4 0.0.0.0",
        "s=-",
        "t=0 0",
        "a=group:BUNDLE 0",
        "a=ice-lite",
        "a=msid-semantic: WMS",
        "m=application 4000 UDP/DTLS/SCTP webrtc-datachannel",
        "c=IN IP4 192.0.2.1",
        "a=mid:0",
        "a=ice-ufrag:abcd1234",
        f"a=ice-pwd:{'p' * 32}",
        "a=ice-options:ice2",
        f"a=fingerprint:sha-256 {':'.join(['AB'] * 32)}",
        "a=setup:passive",
        "a=sctp-port:5000",
        f"a=max-message-size:{limits.CHANNEL_MESSAGE_BYTES}",
        "a=candidate:1 1 udp 2130706431 192.0.2.1 4000 typ host",
        "a=candidate:2 1 udp 2130706175 2001:db8::1 4000 typ host",
        "a=end-of-candidates",
    ]


def test_what_is_not_taken_is_answered_as_rejected_in_the_offers_order() -> None:
    """Port 0, the same formats and mid, and not in the bundle (RFC 9143 section 7.3.3)."""
    lines = lines_of(write_answer(parse_offer(offer_of("chromium_all")), OURS))
    media = [line for line in lines if line.startswith("m=")]
    assert [line.split()[:2] for line in media] == [["m=audio", "0"], ["m=video", "0"], ["m=application", "4000"]]
    assert "a=group:BUNDLE 2" in lines
    assert [line for line in lines if line.startswith("a=mid")] == ["a=mid:0", "a=mid:1", "a=mid:2"]
    assert lines.count("a=inactive") == 2


def test_a_legacy_offer_is_answered_in_its_own_way() -> None:
    """No mid, no bundle, `a=sctpmap` instead of `a=sctp-port`; an IPv6 address is said to be one."""
    ours = Ours(
        session=1,
        version=3,
        credentials=OURS.credentials,
        fingerprint=OURS.fingerprint,
        addresses=("2001:db8::1",),
        port=9,
    )
    lines = lines_of(write_answer(parse_offer(offer_of("legacy_shape")), ours))
    assert not any(line.startswith(("a=mid", "a=group", "a=msid", "a=sctp-port")) for line in lines)
    assert "m=application 9 DTLS/SCTP 5000" in lines
    assert "a=sctpmap:5000 webrtc-datachannel 256" in lines
    assert "c=IN IP6 2001:db8::1" in lines


def test_a_legacy_medium_without_a_name_is_rejected_without_one() -> None:
    """RFC 3264 section 6 needs nothing but the line itself."""
    offer = parse_offer(offer_of("legacy_shape").replace("m=application", "m=audio 9 RTP/AVP 0\r\nm=application"))
    lines = lines_of(write_answer(offer, OURS))
    assert lines[lines.index("m=audio 0 RTP/AVP 0") + 1 :][:2] == ["c=IN IP4 0.0.0.0", "a=inactive"]


@pytest.mark.parametrize("name", [each.stem for each in sorted(VECTORS.glob("*.sdp"))])
def test_another_implementation_reads_the_answer(name: str) -> None:
    """aiortc's parser finds what ours wrote."""
    read = SessionDescription.parse(write_answer(parse_offer(offer_of(name)), OURS))
    data = next(each for each in read.media if each.kind == "application")
    assert data.ice is not None
    assert data.dtls is not None
    assert data.ice.usernameFragment == "abcd1234"
    assert data.dtls.role == "server"
    assert [each.ip for each in data.ice_candidates] == ["192.0.2.1", "2001:db8::1"]
    assert data.ice_candidates_complete


@pytest.mark.parametrize(
    ("before", "after", "detail"),
    [
        ("v=0", "v=1", "not a session"),
        ("m=application 41454 UDP/DTLS/SCTP", "m=application 41454 UDP/TLS/RTP/SAVPF", "no data channels"),
        ("m=application 41454", "m=application x", "m="),
        ("m=application 41454", "m=application 0", "switched off"),
        ("a=setup:actpass", "a=setup:passive", "setup"),
        ("a=ice-ufrag:BnGy", "a=ice-ufrag:B", "ice-ufrag"),
        ("a=ice-ufrag:BnGy\r\n", "", "ice-ufrag"),
        ("a=ice-pwd:JsjFk8MAani8kWy3mxQx3dj5", "a=ice-pwd:short", "ice-ufrag"),
        ("a=fingerprint:sha-256", "a=fingerprint:md5", "fingerprint"),
        ("a=fingerprint:sha-256 4E:", "a=fingerprint:sha-256 ", "fingerprint"),
        ("a=mid:0", "a=mid:0 1", "mid"),
        ("a=sctp-port:5000", "a=sctp-port:0", "sctp-port"),
        ("a=sctp-port:5000", "a=sctp-port:-1", "sctp-port"),
        ("a=max-message-size:262144", "a=max-message-size:many", "max-message-size"),
        ("a=msid-semantic", "a=ice-lite\r\na=msid-semantic", "ice-lite"),
        ("t=0 0", "t=0 0" + "\r\nm=audio 9 RTP/AVP 0" * 32, "m="),
        ("t=0 0", "t=0 0" + "\r\na=x" * 1300, "very long"),
        ("t=0 0", "a=" + "x" * limits.SDP_CHARS, "very long"),
    ],
)
def test_what_cannot_be_answered_is_refused(before: str, after: str, detail: str) -> None:
    """As `sdp.invalid`, saying which part."""
    text = offer_of("chromium_data")
    assert before in text
    assert detail in refused(text.replace(before, after))


def test_a_bundle_that_the_data_section_is_not_in_carries_nothing_of_it() -> None:
    """Its own attributes are needed then, and the answer has no group."""
    text = offer_of("chromium_all").replace("BUNDLE 0 1 2", "BUNDLE 0 1")
    assert not parse_offer(text).bundle
    assert "a=group" not in write_answer(parse_offer(text), OURS)
    assert "switched off" in refused(offer_of("firefox_shape").replace("BUNDLE 0 1", "BUNDLE 0"))


def test_only_declared_errors_escape_whatever_is_offered() -> None:
    """Seeded: real offers, cut, doubled, and with bytes changed."""
    seed = 20_260
    chance = random.Random(seed)
    texts = [offer_of(each.stem) for each in VECTORS.glob("*.sdp")]
    for index in range(3000):
        text = list(chance.choice(texts))
        for _ in range(chance.randrange(1, 12)):
            at = chance.randrange(len(text))
            text[at : at + chance.randrange(4)] = chance.choice(
                ["", "\r\n", "m=", "a=mid:", "\u2028", "\x00", "9" * 30, "é"]
            )
        answer = answer_or_refusal("".join(text))
        assert answer.isascii(), (seed, index)


def answer_or_refusal(text: str) -> str:
    try:
        offer: Offer = parse_offer(text)
    except AppError as error:
        return error.code
    answer = write_answer(offer, OURS)
    assert answer.count("\r\nm=") == len(offer.sections)
    return answer
