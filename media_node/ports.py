"""What a media node's rooms see of the network: a link to each peer, and what happens on it.

`transport.py` is the real one; tests of rooms have a fake. A link is one peer connection with the two channels of
docs/webrtc.md, and the audio sections of docs/voice.md where its peer offered them; everything below it (ICE, DTLS, SCTP,
SRTP) is nobody else's business.
"""

from dataclasses import dataclass
from typing import Protocol

from chalicelib.wire.codes import Code


@dataclass(frozen=True, slots=True)
class Audio:
    """What was agreed on with a peer, as answered. It changes with a renegotiation alone; the SSRCs never do."""

    payload_type: int
    """Of Opus, in everything that it sends and is sent."""
    level_id: int | None
    """Of RFC 6464's header extension, the only one there is, either way; None: it says no levels."""
    slots: tuple[int, ...]
    """By slot, the SSRC that the peer expects it by."""
    sends: bool
    """It has a section that sends."""
    nack: bool
    """It sends again what it is asked for (RFC 4585)."""


class Link(Protocol):
    """One peer connection. Sending on one that is not open does nothing: whoever is behind it is told to come again."""

    @property
    def key(self) -> str:
        """As given to `answer`: `<session_id> <peer_id>`."""
        ...

    @property
    def link_id(self) -> str:
        """As signalled."""
        ...

    @property
    def open(self) -> bool:
        """Whether both channels can be used."""
        ...

    @property
    def rtt_ms(self) -> float | None:
        """The smoothed round trip; None until one was measured."""
        ...

    @property
    def loss(self) -> float | None:
        """The share of what was sent on both channels lately that did not arrive; None until there is enough to say."""
        ...

    @property
    def available_kbps(self) -> float | None:
        """What the way to the peer carries; None while less is sent than that."""
        ...

    @property
    def presence_buffered(self) -> int:
        """Bytes given to `send_presence` that are not on the wire yet."""
        ...

    @property
    def control_buffered(self) -> int:
        """Bytes given to `send_control` that are not on the wire yet."""
        ...

    @property
    def audio(self) -> Audio | None:
        """None: none was offered, or none that the node takes."""
        ...

    def send_presence(self, data: bytes) -> None:
        """A frame: unordered, never sent again."""
        ...

    def send_control(self, data: str | bytes) -> None:
        """A message: ordered, reliable. Text as text, bytes as binary."""
        ...

    def send_media(self, packet: bytes) -> None:
        """Plain RTP, protected at once and sent within this turn of the loop.

        What goes under a sequence number that was used before must be the same bytes: SRTP's nonce is made of it.
        """
        ...

    def send_media_control(self, packet: bytes) -> None:
        """Plain RTCP, sent at once."""
        ...

    def close(self, reason: str) -> None:
        """Ends the connection; `closed` is told with the same reason."""
        ...


class LinkEvents(Protocol):
    """What the transport tells. Called from the loop, never reentered for the same link after `closed`; must not block."""

    def opened(self, link: Link) -> None:
        """Both channels can be used."""
        ...

    def presence(self, link: Link, data: str | bytes) -> None:
        """A message on the presence channel, within its limits."""
        ...

    def control(self, link: Link, data: str | bytes) -> None:
        """A message on the control channel, within its limits."""
        ...

    def media(self, link: Link, packet: bytes, now: float) -> None:
        """RTP of an open link's one source: authentic, deciphered, not heard before; its fixed header is there, at least.

        `now` is of the transport's clock, in seconds. Its SSRC may change, at most each second.
        """
        ...

    def media_control(self, link: Link, packet: bytes, now: float) -> None:
        """RTCP of an open link: authentic, deciphered; the first packet's header and SSRC are there, at least."""
        ...

    def refused(self, link: Link, code: Code) -> None:
        """Messages were over a limit and dropped; told at most once a second."""
        ...

    def closed(self, link: Link, reason: str) -> None:
        """The end, exactly once, of every link that was ever answered."""
        ...


@dataclass(slots=True)
class NodeStats:
    """Counters since the start, but `links` and `open_links`, which are of now."""

    links: int = 0
    open_links: int = 0
    packets_in: int = 0
    packets_out: int = 0
    bytes_in: int = 0
    bytes_out: int = 0
    stun_errors: int = 0
    """Malformed, for nobody, or not authentic."""
    dtls_errors: int = 0
    sctp_errors: int = 0
    unknown_dropped: int = 0
    """From an address that no link has, or of no known protocol."""
    rtp_in: int = 0
    """Authentic packets of voice, and"""
    rtcp_in: int = 0
    """of its control."""
    rtp_out: int = 0
    rtcp_out: int = 0
    rtp_dropped: int = 0
    """Unread: no audio was agreed on, not from its link's source, or too long."""
    srtp_errors: int = 0
    """Not authentic, heard before, or not to be protected."""
    send_dropped: int = 0
    """The socket's buffer was full."""
    refused: int = 0
    cpu_s: float = 0.0
    """Of this process."""


class Transport(Protocol):
    """One UDP port, and the links on it."""

    @property
    def port(self) -> int:
        """The bound port."""
        ...

    @property
    def public_address(self) -> str:
        """Where peers reach it, as in its answers."""
        ...

    async def answer(self, key: str, link_id: str, offer_sdp: str) -> str:
        """The answer to an offer.

        The same link again is an ICE restart or a renegotiation on the same DTLS association; a new link of the same key
        replaces the old one. Raises AppError: SDP_INVALID, RELAY_FULL.
        """
        ...

    def link(self, key: str) -> Link | None:
        """The newest link of a key."""
        ...

    def stats(self) -> NodeStats:
        """A copy."""
        ...

    async def close(self) -> None:
        """Closes every link (`draining`), then the socket."""
        ...
