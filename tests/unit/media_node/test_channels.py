"""The two channels: text and bytes, opened either way, within their limits."""

import pytest

from chalicelib.wire import limits
from media_node.channels import (
    BINARY,
    BINARY_EMPTY,
    DCEP,
    TEXT,
    TEXT_EMPTY,
    Allowance,
    Channel,
    Channels,
    Nothing,
    Taken,
    encode,
)

PRESENCE, CONTROL = limits.PRESENCE_CHANNEL, limits.CONTROL_CHANNEL


def made() -> Channels:
    return Channels(Allowance(0.0))


def opening(label: bytes) -> bytes:
    """DATA_CHANNEL_OPEN (RFC 8832 section 5.1)."""
    return bytes((3, 0, 0, 0, 0, 0, 0, 0)) + len(label).to_bytes(2, "big") + b"\0\0" + label


@pytest.mark.parametrize(
    ("stream", "protocol", "data", "taken"),
    [
        (PRESENCE, TEXT, b"{}", (Channel.PRESENCE, "{}")),
        (CONTROL, TEXT, "é".encode(), (Channel.CONTROL, "é")),
        (CONTROL, BINARY, b"\xff", (Channel.CONTROL, b"\xff")),
        (CONTROL, TEXT_EMPTY, b"\0", (Channel.CONTROL, "")),
        (CONTROL, BINARY_EMPTY, b"\0", (Channel.CONTROL, b"")),
        (CONTROL, TEXT, b"\xff", Nothing.REFUSED),
        (CONTROL, 99, b"x", Nothing.IGNORED),
        (7, TEXT, b"x", Nothing.IGNORED),
        (7, DCEP, b"\x02", Nothing.IGNORED),
        (7, DCEP, opening(b"chat"), Nothing.IGNORED),
        (CONTROL, BINARY, bytes(limits.CHANNEL_MESSAGE_BYTES), (Channel.CONTROL, bytes(limits.CHANNEL_MESSAGE_BYTES))),
        (CONTROL, BINARY, bytes(limits.CHANNEL_MESSAGE_BYTES + 1), Nothing.REFUSED),
        (PRESENCE, BINARY, bytes(limits.PRESENCE_MESSAGE_BYTES + 1), Nothing.REFUSED),
    ],
)
def test_messages_are_what_their_protocol_says(stream: int, protocol: int, data: bytes, taken: Taken) -> None:
    """And those that are not of a channel, or too long, are none."""
    assert made().take(stream, protocol, data, 0.0) == taken


def test_channels_can_be_opened_in_band() -> None:
    """They are then where they were opened, both ways, and no longer where they would have been."""
    channels = made()
    assert channels.take(0, DCEP, opening(b"presence"), 0.0) is Nothing.OPENED
    assert channels.take(4, DCEP, opening(b"control"), 0.0) is Nothing.OPENED
    assert channels.streams == {Channel.PRESENCE: 0, Channel.CONTROL: 4}
    assert channels.take(0, TEXT, b"a", 0.0) == (Channel.PRESENCE, "a")
    assert channels.take(4, TEXT, b"a", 0.0) == (Channel.CONTROL, "a")
    assert channels.take(CONTROL, TEXT, b"a", 0.0) is Nothing.IGNORED


def test_more_messages_than_allowed_are_refused_until_time_has_passed() -> None:
    """A burst, then so many a second."""
    channels = made()
    taken = [channels.take(CONTROL, TEXT, b"x", 0.0) for _ in range(limits.CHANNEL_BURST + 5)]
    assert taken.count(Nothing.REFUSED) == 5
    assert channels.take(CONTROL, TEXT, b"x", 0.001) is Nothing.REFUSED
    later = [channels.take(CONTROL, TEXT, b"x", 1.001) for _ in range(limits.CHANNEL_REFILL_PER_S + 5)]
    assert later.count(Nothing.REFUSED) == 5


def test_more_bytes_than_allowed_are_refused_until_time_has_passed() -> None:
    """Whatever the number of messages; a long wait gives no more than the burst."""
    allowance = Allowance(0.0)
    size = limits.CHANNEL_MESSAGE_BYTES
    fitting = limits.CHANNEL_BYTES_BURST // size
    assert [allowance.take(size, 0.0) for _ in range(fitting + 1)] == [True] * fitting + [False]
    assert allowance.take(size, size / limits.CHANNEL_BYTES_PER_S)
    assert [allowance.take(size, 900.0) for _ in range(fitting + 1)] == [True] * fitting + [False]


def test_messages_are_encoded_by_their_kind() -> None:
    """An empty one is said by its protocol, for SCTP has no empty messages (RFC 8831 section 6.6)."""
    assert encode("é") == (TEXT, "é".encode())
    assert encode(b"x") == (BINARY, b"x")
    assert encode("") == (TEXT_EMPTY, b"\0")
    assert encode(b"") == (BINARY_EMPTY, b"\0")
