"""RTCP, read and written."""

import struct
from random import Random

import pytest
from aiortc.rtp import RtcpPacket, RtcpRrPacket, RtcpRtpfbPacket, RtcpSrPacket

from media_node import rtcp
from media_node.rtcp import Block, Nack, ReceiverReport, RtcpError, SenderReport
from tests.fakes.talk import goodbye

BLOCK = Block(ssrc=9, fraction=25, lost=-3, highest=2**17 + 5, jitter=77, last_sr=0x12345678, delay=65_536)
SR = SenderReport(ssrc=5, ntp=0xE000_0000_8000_0000, timestamp=960, packets=50, octets=3000, blocks=(BLOCK,))


def test_a_compound_packet_is_read_as_it_was_written() -> None:
    """In its order."""
    data = (
        rtcp.sender_report(SR)
        + rtcp.receiver_report(ReceiverReport(6, (BLOCK, BLOCK)))
        + rtcp.description([(5, "a"), (6, "name"), (7, "")])
        + rtcp.nack(1, 2, [65_535, 0, 16, 40])
    )
    assert rtcp.parse(data) == (
        SR,
        ReceiverReport(6, (BLOCK, BLOCK)),
        Nack(1, 2, (65_535, 0, 16, 40)),
    )


def test_another_implementation_reads_what_was_written() -> None:
    """aiortc's, of reports and of requests to send again, over a wrap too."""
    data = (
        rtcp.sender_report(SR)
        + rtcp.receiver_report(ReceiverReport(6, (BLOCK, BLOCK)))
        + rtcp.nack(1, 2, [65_535, 0, 3])
    )
    sent, received, asked = RtcpPacket.parse(data)
    assert isinstance(sent, RtcpSrPacket)
    assert isinstance(received, RtcpRrPacket)
    assert isinstance(asked, RtcpRtpfbPacket)
    info = sent.sender_info
    assert (sent.ssrc, info.ntp_timestamp, info.rtp_timestamp) == (SR.ssrc, SR.ntp, SR.timestamp)
    assert (info.packet_count, info.octet_count) == (SR.packets, SR.octets)
    told = [
        (each.ssrc, each.fraction_lost, each.packets_lost, each.highest_sequence, each.jitter, each.lsr, each.dlsr)
        for each in received.reports
    ]
    assert told == [(9, 25, -3, 2**17 + 5, 77, 0x12345678, 65_536)] * 2
    assert (asked.media_ssrc, [each & 0xFFFF for each in asked.lost]) == (2, [65_535, 0, 3])


def test_a_nack_names_seventeen_packets_in_a_word() -> None:
    """RFC 4585 section 6.2.1; whatever is farther gets a word of its own."""
    assert len(rtcp.nack(1, 2, range(17))) == 16
    assert len(rtcp.nack(1, 2, range(18))) == 20
    assert rtcp.parse(rtcp.nack(1, 2, [5, 5])) == (Nack(1, 2, (5,)),)


def test_what_is_of_another_kind_is_passed_over() -> None:
    """Transport-wide feedback, REMB, extended reports, goodbyes; names."""
    other = b"\x8f\xcd\x00\x02" + bytes(8) + b"\x80\xcf\x00\x01" + bytes(4) + goodbye(9)
    assert rtcp.parse(other + rtcp.description([(9, "B")]) + rtcp.nack(1, 2, [5])) == (Nack(1, 2, (5,)),)


def test_a_name_is_written_as_rfc_3550_has_it() -> None:
    """Section 6.5: chunks end with at least one zero, at a word's end."""
    assert rtcp.description([(9, "abc"), (8, "")]) == (
        b"\x82\xca\x00\x05" + bytes((0, 0, 0, 9, 1, 3)) + b"abc" + bytes(3) + bytes((0, 0, 0, 8, 1, 0, 0, 0))
    )


def test_padding_is_passed_over() -> None:
    """RFC 3550 section 6.4.1."""
    assert rtcp.parse(b"\xa0\xc9\x00\x02" + bytes((0, 0, 0, 9, 0, 0, 0, 4))) == (ReceiverReport(9),)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x80\xc8",
        b"\x40\xc8\x00\x00",
        b"\x80\xc8\x00\x06" + bytes(20),
        b"\x80\xc8\x00\x05" + bytes(20),
        b"\x81\xc9\x00\x01" + bytes(4),
        b"\x80\xc9\x00\x00",
        b"\x81\xcd\x00\x01" + bytes(4),
        b"\xa0\xc9\x00\x00",
        b"\xa0\xc9\x00\x01" + bytes(3) + b"\x09",
        b"\x80\xd0\x00\x00" * 65,
    ],
)
def test_what_is_none_raises_what_it_says(data: bytes) -> None:
    """Cut short anywhere, padded wrongly, of another version, without end."""
    with pytest.raises(RtcpError):
        rtcp.parse(data)


def test_no_bytes_escape() -> None:
    """Seeded: whatever they are, RtcpError or packets."""
    chance = Random(11)
    good = rtcp.sender_report(SR) + rtcp.description([(5, "name")]) + rtcp.nack(1, 2, [7, 9])
    for _ in range(20_000):
        data = bytearray(chance.choice((good, chance.randbytes(chance.randrange(80)))))
        for _ in range(chance.randrange(5)):
            if data:
                data[chance.randrange(len(data))] = chance.randrange(256)
        try:
            rtcp.parse(bytes(data[: chance.randrange(len(data) + 1)]))
        except RtcpError:
            continue


def test_times_go_to_ntp_and_back() -> None:
    """To a few microseconds; the middle is what reports are named by."""
    ntp = rtcp.ntp_of(1_764_201_600.25)
    assert rtcp.seconds_of(ntp) == pytest.approx(1_764_201_600.25, abs=1e-5)
    assert rtcp.middle(ntp) == struct.unpack(">I", ntp.to_bytes(8, "big")[2:6])[0]


def test_more_than_a_packet_can_count_is_refused() -> None:
    """Five bits."""
    with pytest.raises(ValueError, match="32 of 31"):
        rtcp.description([(ssrc, "") for ssrc in range(32)])
