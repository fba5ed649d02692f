"""What is authentic is heard once, of one source at a time; nobody can make a node keep more than it means to."""

import random

import pytest

from media_node.srtp import SOURCE_S, SSRCS_MAX, Srtp, is_control
from tests.unit.media_node.secured import KEYS, ends, placed, report, rtp, sealed, session


def heard(end: Srtp, packet: bytes, now: float) -> bytes | None:
    """As a link takes a packet."""
    if is_control(packet):
        return None if end.foreign_control(packet) else end.take_control(packet)
    return None if end.foreign(packet, now) else end.take(packet, now)


def test_packets_go_both_ways() -> None:
    """Media and its control."""
    node, peer = ends()
    for packet in (rtp(), report()):
        assert heard(node, sealed(peer, packet), 0) == packet
        assert heard(peer, sealed(node, packet), 0) == packet


@pytest.mark.parametrize(
    ("second", "control"), [(72 + 128, True), (192, True), (223, True), (111, False), (111 + 128, False)]
)
def test_control_is_told_by_its_type(second: int, control: bool) -> None:
    """RFC 5761 section 4."""
    assert is_control(bytes((0x80, second, 0, 0))) is control
    assert not is_control(b"\x80")
    assert not is_control(b"")


def test_what_was_heard_is_not_heard_again() -> None:
    """Within the window and before it, media and control."""
    node, peer = ends()
    first, control = sealed(peer, rtp(1)), sealed(peer, report())
    assert heard(node, first, 0)
    assert heard(node, control, 0)
    assert heard(node, first, 0) is None
    assert heard(node, control, 0) is None
    late = sealed(peer, rtp(2))
    for sequence in range(3, 1500):
        assert heard(node, sealed(peer, rtp(sequence)), 0)
    assert heard(node, late, 0) is None
    assert heard(node, first, 0) is None


def test_what_comes_out_of_order_is_heard() -> None:
    """Of a window's breadth."""
    node, peer = ends()
    packets = [sealed(peer, rtp(sequence)) for sequence in range(1, 900)]
    random.Random(4).shuffle(packets)
    assert all(heard(node, each, 0) for each in packets)


def test_other_keys_and_changed_bytes_are_not_authentic() -> None:
    """Every bit of header, payload and tag counts."""
    node, peer = ends()
    stranger = Srtp(session(KEYS[0], inbound=True), session(bytes(28), inbound=False))
    assert heard(node, sealed(stranger, rtp()), 0) is None
    assert heard(node, sealed(stranger, report()), 0) is None
    packet = sealed(peer, rtp())
    for at in range(2, len(packet)):
        assert heard(node, packet[:at] + bytes((packet[at] ^ 1,)) + packet[at + 1 :], 0) is None
        assert heard(node, packet[:at], 0) is None
    assert heard(node, packet, 0)


def test_one_source_at_a_time() -> None:
    """Another one's turn comes after a while; control has its own SSRCs."""
    node, peer = ends()
    assert heard(node, sealed(peer, rtp(1, ssrc=1)), 0)
    assert heard(node, sealed(peer, rtp(1, ssrc=2)), SOURCE_S / 2) is None
    assert heard(node, sealed(peer, report(3)), SOURCE_S / 2)
    assert heard(node, sealed(peer, rtp(2, ssrc=1)), SOURCE_S / 2)
    assert heard(node, sealed(peer, rtp(2, ssrc=2)), SOURCE_S)
    assert heard(node, sealed(peer, rtp(3, ssrc=1)), SOURCE_S) is None


def test_a_source_that_comes_back_has_its_window_still() -> None:
    """What was overheard before a change is not heard after it."""
    node, peer = ends()
    overheard = sealed(peer, rtp(1, ssrc=1))
    assert heard(node, overheard, 0)
    assert heard(node, sealed(peer, rtp(1, ssrc=2)), 2)
    assert heard(node, overheard, 4) is None
    assert heard(node, sealed(peer, rtp(2, ssrc=2)), 4), "and it did not become the source by that"
    assert heard(node, sealed(peer, rtp(2, ssrc=1)), 6)


def test_thousands_of_ssrcs_take_no_place() -> None:
    """Of who can make authentic ones: so many ever, and no more."""
    node, peer = ends()
    taken = [ssrc for ssrc in range(1, 2000) if heard(node, sealed(peer, rtp(ssrc=ssrc)), ssrc * 2.0)]
    assert len(taken) == SSRCS_MAX
    assert [heard(node, sealed(peer, report(ssrc)), 9_000) for ssrc in range(5000, 5100)] == [None] * 100
    assert heard(node, sealed(peer, report(3)), 9_000), "one that is known is heard still"
    assert heard(node, sealed(peer, rtp(2, ssrc=3)), 9_002)
    node, peer = ends()
    taken = [ssrc for ssrc in range(1, 2000) if heard(node, sealed(peer, report(ssrc)), 0)]
    assert len(taken) == SSRCS_MAX


def test_who_can_make_no_authentic_ones_takes_no_place_at_all() -> None:
    """A forger neither becomes the source nor uses up SSRCs."""
    node, peer = ends()
    stranger = Srtp(session(KEYS[0], inbound=True), session(bytes(28), inbound=False))
    for ssrc in range(1000, 1100):
        assert heard(node, sealed(stranger, rtp(ssrc=ssrc)), ssrc) is None
        assert heard(node, sealed(stranger, report(ssrc)), ssrc) is None
    assert heard(node, sealed(peer, rtp()), 1100)


def test_what_is_sent_again_is_the_same_bytes() -> None:
    """A nonce is used for one plaintext alone."""
    node, _ = ends()
    once = sealed(node, rtp(5))
    assert sealed(node, rtp(6)) != once
    assert sealed(node, rtp(5)) == once


@pytest.mark.parametrize("packet", [b"", b"\x80", b"\x80\xc9", rtp()[:11], report()[:7], b"\x9f" + rtp()[1:]])
def test_what_cannot_be_protected_is_nothing(packet: bytes) -> None:
    """Too short, or with a header that is longer than it."""
    node, _ = ends()
    assert placed(node, packet) is None


@pytest.mark.parametrize("packet", [b"", b"\x80\xc9", report()[:7], report() + bytes(1400)])
def test_what_is_no_control_cannot_be_protected_as_it(packet: bytes) -> None:
    """Too short or too long; what is in it is nobody's business here."""
    node, _ = ends()
    assert node.protect_control(packet) is None


def test_nothing_escapes_whatever_comes() -> None:
    """Seeded: bytes, and authentic packets that were broken."""
    chance = random.Random(12)
    node, peer = ends()
    for index in range(5000):
        packet = bytes((chance.randrange(128, 192),)) + chance.randbytes(
            chance.choice((0, 1, 3, 7, 11, 12, 30, 60, 2000))
        )
        if index % 2:
            broken = bytearray(sealed(peer, chance.choice((rtp(index), report()))))
            broken[chance.randrange(len(broken))] ^= 1 << chance.randrange(8)
            packet = bytes(broken)
        assert heard(node, packet, index) is None
