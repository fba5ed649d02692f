"""The two data channels of a link, over the messages of its association (RFC 8831, RFC 8832). Pure.

Both are negotiated by being known to both sides (docs/webrtc.md). A client that cannot do so opens them in band, by their
labels; then they are on the streams that it opened. Who sends too much, or too long a message, has the excess dropped here.
"""

from dataclasses import dataclass, field
from enum import Enum
from typing import Final

from chalicelib.wire import limits

DCEP: Final = 50
TEXT: Final = 51
BINARY: Final = 53
TEXT_EMPTY: Final = 56
BINARY_EMPTY: Final = 57
DCEP_ACK: Final = b"\x02"
_OPEN: Final = 0x03
_OPEN_BYTES: Final = 12
_TEXTS: Final = (TEXT, TEXT_EMPTY)
_EMPTY: Final = (TEXT_EMPTY, BINARY_EMPTY)
_KINDS: Final = (TEXT, BINARY, TEXT_EMPTY, BINARY_EMPTY)


class Channel(Enum):
    """Which of the two, by label."""

    PRESENCE = "presence"
    CONTROL = "control"


class Nothing(Enum):
    """What a message came to that is not one of the two channels'."""

    IGNORED = "ignored"
    REFUSED = "refused"
    OPENED = "opened"
    """In band: DCEP_ACK is to go back on its stream."""


Taken = tuple[Channel, str | bytes] | Nothing
_LIMIT: Final = {Channel.PRESENCE: limits.PRESENCE_MESSAGE_BYTES, Channel.CONTROL: limits.CHANNEL_MESSAGE_BYTES}


@dataclass(slots=True)
class Allowance:
    """Token buckets on messages and on bytes, of one peer. A message that is refused takes nothing from either."""

    at: float
    messages: float = limits.CHANNEL_BURST
    octets: float = limits.CHANNEL_BYTES_BURST

    def take(self, size: int, now: float) -> bool:
        """Whether a message of so many bytes may pass now."""
        gone = now - self.at
        self.at = now
        messages = self.messages + gone * limits.CHANNEL_REFILL_PER_S
        octets = self.octets + gone * limits.CHANNEL_BYTES_PER_S
        self.messages = limits.CHANNEL_BURST if messages > limits.CHANNEL_BURST else messages
        self.octets = limits.CHANNEL_BYTES_BURST if octets > limits.CHANNEL_BYTES_BURST else octets
        if self.messages < 1 or self.octets < size:
            return False
        self.messages -= 1
        self.octets -= size
        return True


@dataclass(slots=True)
class Channels:
    """Which stream is which, and what may come."""

    allowance: Allowance
    streams: dict[Channel, int] = field(
        default_factory=lambda: {
            Channel.PRESENCE: limits.PRESENCE_CHANNEL,
            Channel.CONTROL: limits.CONTROL_CHANNEL,
        }
    )
    _of: dict[int, Channel] = field(
        default_factory=lambda: {
            limits.PRESENCE_CHANNEL: Channel.PRESENCE,
            limits.CONTROL_CHANNEL: Channel.CONTROL,
        }
    )

    def take(self, stream: int, protocol: int, data: bytes, now: float) -> Taken:
        """Takes a message of the association. Text that is not UTF-8 is refused."""
        if not self.allowance.take(len(data), now):
            return Nothing.REFUSED
        if protocol == DCEP:
            return self._in_band(stream, data)
        channel = self._of.get(stream)
        if channel is None or protocol not in _KINDS:
            return Nothing.IGNORED
        if len(data) > _LIMIT[channel]:
            return Nothing.REFUSED
        if protocol in _EMPTY:
            data = b""
        if protocol not in _TEXTS:
            return channel, data
        try:
            return channel, data.decode()
        except UnicodeDecodeError:
            return Nothing.REFUSED

    def _in_band(self, stream: int, data: bytes) -> Nothing:
        """DATA_CHANNEL_OPEN (RFC 8832 section 5.1); its other fields bind the opener, ours are as negotiated."""
        if len(data) < _OPEN_BYTES or data[0] != _OPEN:
            return Nothing.IGNORED
        size = int.from_bytes(data[8:10], "big")
        label = data[_OPEN_BYTES : _OPEN_BYTES + size]
        channel = next((each for each in Channel if each.value.encode() == label), None)
        if channel is None:
            return Nothing.IGNORED
        self.streams[channel] = stream
        self._of = {each: kind for kind, each in self.streams.items()}
        return Nothing.OPENED


def encode(data: str | bytes) -> tuple[int, bytes]:
    """Payload protocol and bytes of a message; an empty one is said by its protocol (RFC 8831 section 6.6)."""
    if isinstance(data, str):
        return (TEXT, data.encode()) if data else (TEXT_EMPTY, b"\0")
    return (BINARY, data) if data else (BINARY_EMPTY, b"\0")
