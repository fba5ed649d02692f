"""A link's audio: what was agreed on for it, and what becomes of each of its packets. Between SRTP and the rooms.

The per-packet path of voice: a packet that comes is looked at, deciphered and told at once, one that goes is protected at
once and leaves with the turn's others (`outbox.py`); nothing waits, and nothing is kept of either.
"""

from random import Random
from typing import Final

from chalicelib.wire import limits
from media_node.ports import Audio, NodeStats
from media_node.sdp import Offer
from media_node.sdp_audio import NOTHING, audio_of, fresh_ssrcs, negotiate
from media_node.srtp import Srtp

_RTP_BYTES: Final = limits.VOICE_PACKET_BYTES + 16  # with the longer of the profiles' tags


class LinkMedia:
    """Of one link, from its first offer on."""

    def __init__(self, offer: Offer, chance: Random, counted: NodeStats) -> None:
        self.ssrcs = fresh_ssrcs(offer.sections, chance)
        """By slot, for the link's life."""
        self.sections = NOTHING
        """What is taken of the newest offer's audio."""
        self.audio: Audio | None = None
        self._counted = counted
        self.offered(offer)

    def offered(self, offer: Offer) -> None:
        """An offer, the first or another one: what it says of audio is so from now on."""
        self.sections = negotiate(offer.sections, offer.bundle, self.sections.parts)
        self.audio = audio_of(self.sections, self.ssrcs)

    def hear(self, data: bytes, srtp: Srtp | None, now: float) -> bytes | None:
        """RTP that came, deciphered; None: it is none to be heard. `srtp`: the keys, once the link is open."""
        audio, counted = self.audio, self._counted
        if srtp is None or audio is None or not audio.sends or len(data) > _RTP_BYTES or srtp.foreign(data, now):
            counted.rtp_dropped += 1
            return None
        plain = srtp.take(data, now)
        if plain is None:
            counted.srtp_errors += 1
        else:
            counted.rtp_in += 1
        return plain

    def hear_control(self, data: bytes, srtp: Srtp | None) -> bytes | None:
        """RTCP that came, deciphered; None: it is none to be heard."""
        if srtp is None or self.audio is None or srtp.foreign_control(data):
            self._counted.rtp_dropped += 1
            return None
        plain = srtp.take_control(data)
        if plain is None:
            self._counted.srtp_errors += 1
        else:
            self._counted.rtcp_in += 1
        return plain

    def protected(self, packet: bytes, srtp: Srtp) -> bytes | None:
        """RTCP that goes; None: it cannot. RTP goes by the transport's outbox."""
        protected = srtp.protect_control(packet)
        if protected is None:
            self._counted.srtp_errors += 1
        else:
            self._counted.rtcp_out += 1
        return protected
