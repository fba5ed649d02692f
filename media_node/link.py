"""One peer connection: its ICE agent, its DTLS, its association and its two channels, joined.

Sockets and clocks are the transport's; this takes datagrams and moments and gives datagrams. Whatever the peer sends, nothing
but this link can end by it. The order of an end is fixed: abort, close_notify, out of the tables, then `closed` is told.
"""

from random import Random
from typing import Final, Protocol

from chalicelib.wire import limits
from chalicelib.wire.codes import Code
from media_node.channels import BINARY, DCEP, DCEP_ACK, Allowance, Channel, Channels, Nothing, encode
from media_node.dtls import Dtls, DtlsError, DtlsState, Identity
from media_node.ice import LiteAgent
from media_node.link_media import LinkMedia
from media_node.outbox import Outbox
from media_node.ports import Audio, LinkEvents, NodeStats
from media_node.sctp import Association, State
from media_node.sctp_chunks import SctpError
from media_node.sdp import SCTP_PORT, Offer
from media_node.share import Share
from media_node.srtp import Srtp, is_control
from media_node.stun import Address

_EARLY_MAX: Final = 4  # datagrams before an address was chosen: a ClientHello, in two parts and again
_GRACE_S: Final = 0.03
_PRESENCE_KEPT_BYTES: Final = 4 * limits.RELAY_BUFFER_BYTES
_NEVER: Final = float("inf")


class Host(Protocol):
    """What a link needs of the transport that it is on."""

    events: LinkEvents
    counted: NodeStats
    outbox: Outbox
    """For RTP, which leaves within the turn of the loop in which it was added."""

    def emit(self, datagram: bytes, address: Address) -> None:
        """Sends."""
        ...

    def touch(self, link: "PeerLink") -> None:
        """`flush` is called soon, once for whatever happens until then."""
        ...

    def later(self, link: "PeerLink", reason: str) -> None:
        """`end` is called soon."""
        ...

    def gone(self, link: "PeerLink") -> None:
        """Out of every table."""
        ...

    def now(self) -> float:
        """Monotonic seconds."""
        ...

    def clock(self) -> float:
        """Seconds, to see how long something took."""
        ...


class PeerLink:
    """See `ports.Link`, which this is."""

    def __init__(
        self, host: Host, key: str, link_id: str, agent: LiteAgent, offer: Offer, identity: Identity, chance: Random
    ) -> None:
        self.key = key
        self.link_id = link_id
        self.open = False
        self.agent = agent
        self.fingerprints = offer.fingerprints
        self.claimed: set[Address] = set()
        """Addresses whose datagrams are this link's."""
        self.version = 1
        self.session = chance.randrange(2**32)
        self.voice = LinkMedia(offer, chance, host.counted)
        self.dirty = False
        self.due = agent.consent_at + limits.CONSENT_S
        self.ended = False
        self._host = host
        self._peer_takes = offer.max_message_bytes or _NEVER
        self._early: list[bytes] = []
        self._refused_at = -_NEVER
        self._settled_at = _NEVER
        self._share = Share()
        self._srtp: Srtp | None = None
        """Of media, while the link is open."""
        self.send_media = host.outbox.way()
        """One packet of RTP, now or never. Without keys for it, or an address, there is nothing to be done: it is open while
        the link is."""
        self._channels = Channels(Allowance(agent.consent_at))
        self._dtls = Dtls(identity, offer.fingerprints, self._emit)
        self._association = Association(port=SCTP_PORT, peer_port=offer.sctp_port, deliver=self._message, chance=chance)

    # -- what rooms use --

    @property
    def rtt_ms(self) -> float | None:
        """By SCTP heartbeats."""
        took = self._association.rtt_s
        return None if took is None else took * 1000

    @property
    def loss(self) -> float | None:
        """Of SCTP's chunks."""
        return self._association.loss

    @property
    def available_kbps(self) -> float | None:
        """By its congestion window."""
        return self._association.available_kbps(self._host.now())

    @property
    def presence_buffered(self) -> int:
        """Bytes."""
        return self._association.buffered(self._channels.streams[Channel.PRESENCE])

    @property
    def control_buffered(self) -> int:
        """Bytes."""
        return self._association.buffered(self._channels.streams[Channel.CONTROL])

    @property
    def audio(self) -> Audio | None:
        """As answered."""
        return self.voice.audio

    def send_presence(self, data: bytes) -> None:
        """A frame; dropped where many wait already, for the next one is newer."""
        if self.open and data and self.presence_buffered < _PRESENCE_KEPT_BYTES:
            stream = self._channels.streams[Channel.PRESENCE]
            self._association.send(stream, BINARY, data, ordered=False, retransmits=0)
            self._host.touch(self)

    def send_control(self, data: str | bytes) -> None:
        """A message. A peer that does not keep up, or cannot take one so long, is let go: it comes again, and reads on."""
        if not self.open:
            return
        protocol, content = encode(data)
        if len(content) > self._peer_takes or self.control_buffered + len(content) > limits.CONTROL_BUFFER_BYTES:
            self._shut()
            self._host.later(self, "slow")
            return
        self._association.send(self._channels.streams[Channel.CONTROL], protocol, content)
        self._host.touch(self)

    def send_media_control(self, packet: bytes) -> None:
        """The same of RTCP."""
        srtp, address = self._dtls.srtp, self.agent.chosen
        if not self.open or srtp is None or address is None:
            return
        protected = self.voice.protected(packet, srtp)
        if protected is not None:
            self._host.emit(protected, address)

    def close(self, reason: str) -> None:
        """Ends it now."""
        self.end(reason)

    # -- what the transport tells --

    def datagram(self, data: bytes, now: float) -> None:
        """A DTLS datagram from one of its addresses."""
        if self._share.spent(now):
            self._host.counted.refused += 1
            return
        began = self._host.clock()
        self._read(data, now)
        self._share.busy_s += self._host.clock() - began

    def media(self, data: bytes, now: float) -> None:
        """SRTP or SRTCP from one of its addresses.

        Passing RTP on is not the sender's account: how many hear it is none of its doing, and rooms take VOICE_PACKETS_PER_S.
        """
        if self._share.spent(now):
            self._host.counted.refused += 1
            return
        host, srtp, plain = self._host, self._srtp, None
        clock = host.clock
        began = clock()
        if is_control(data):
            control = self.voice.hear_control(data, srtp)
            if control is not None:
                host.events.media_control(self, control, now)
        else:
            plain = self.voice.hear(data, srtp, now)
        self._share.busy_s += clock() - began
        if plain is not None:
            host.events.media(self, plain, now)

    def _read(self, data: bytes, now: float) -> None:
        if self.agent.chosen is None:
            if len(self._early) < _EARLY_MAX:
                self._early.append(data)
            return
        try:
            packets = self._dtls.receive(data)
        except DtlsError:
            self._host.counted.dtls_errors += 1
            packets = []
        association = self._association
        for packet in packets:
            try:
                association.receive(packet, now)
            except SctpError:
                self._host.counted.sctp_errors += 1
        if not self.open and association.state is State.OPEN:
            self._settle(now)
        self._end_if_over()
        self._host.touch(self)

    def chosen(self, now: float) -> None:
        """An address was chosen: media goes there now, and what came too early for that is taken."""
        self._lead()
        early, self._early = self._early, []
        for data in early:
            if not self.ended:
                self.datagram(data, now)

    def flush(self, now: float) -> None:
        """Sends what is to be sent, and says when it has to be looked at again."""
        self.dirty = False
        if self.ended:
            return
        began = self._host.clock()
        dtls = self._dtls
        for packet in self._association.flush(now):
            dtls.send(packet)
        handshake = dtls.timeout_s()
        self.due = min(
            self._association.deadline,
            self._settled_at if not self.open else _NEVER,
            self.agent.consent_at + limits.CONSENT_S,
            _NEVER if handshake is None else now + handshake,
        )
        self._share.busy_s += self._host.clock() - began

    def tick(self, now: float) -> None:
        """`due` has come."""
        if not self.agent.consented(now):
            self.end("idle")
            return
        if self._dtls.timeout_s() is not None:
            self._dtls.expired()
        self._association.tick(now)
        if not self.open and self._association.state is State.OPEN:
            self._settle(now)
        self._end_if_over()
        self._host.touch(self)

    def end(self, reason: str) -> None:
        """Ends it, once."""
        if self.ended:
            return
        self.ended = True
        self._shut()
        self._association.abort()
        for packet in self._association.flush(self._host.now()):
            self._dtls.send(packet)
        self._dtls.close()
        self._host.gone(self)
        self._host.events.closed(self, reason)

    # -- within --

    def _shut(self) -> None:
        self.open = False
        self._srtp = None
        self.send_media.close()

    def _lead(self) -> None:
        srtp, address = self._dtls.srtp, self.agent.chosen
        if self.open and srtp is not None and address is not None:
            self._srtp = srtp
            self.send_media.lead(srtp, address)

    def _end_if_over(self) -> None:
        if self._dtls.phase is DtlsState.CLOSED:
            self.end("left" if self._association.state is not State.NEW else "refused")
        elif self._association.state is State.CLOSED or self._reset():
            self.end("left")

    def _reset(self) -> bool:
        resets = self._association.resets
        return bool(resets) and not resets.isdisjoint(self._channels.streams.values())

    def _settle(self, now: float) -> None:
        """Open, once it is clear which streams the channels are on.

        Who opens them in band does so as soon as the association is there; the first heartbeat comes back at about that time.
        """
        if self._association.rtt_s is None:
            return
        if self._settled_at == _NEVER:
            self._settled_at = now + _GRACE_S
        elif self._settled_at <= now:
            self._opened()

    def _opened(self) -> None:
        if not self.open and not self.ended:
            self.open = True
            self._lead()
            self._host.events.opened(self)

    def _message(self, stream: int, protocol: int, data: bytes) -> None:
        now = self._host.now()
        taken = self._channels.take(stream, protocol, data, now)
        if isinstance(taken, Nothing):
            self._nothing(taken, stream, now)
            return
        self._opened()
        if self.ended:
            return
        channel, content = taken
        if channel is Channel.PRESENCE:
            self._host.events.presence(self, content)
        else:
            self._host.events.control(self, content)

    def _nothing(self, what: Nothing, stream: int, now: float) -> None:
        if what is Nothing.OPENED:
            self._association.send(stream, DCEP, DCEP_ACK)
            if stream == self._channels.streams[Channel.CONTROL]:
                self._opened()
        elif what is Nothing.REFUSED:
            self._host.counted.refused += 1
            if now - self._refused_at >= 1:
                self._refused_at = now
                self._host.events.refused(self, Code.CHANNEL_TOO_MUCH)

    def _emit(self, datagram: bytes) -> None:
        if self.agent.chosen is not None:
            self._host.emit(datagram, self.agent.chosen)
