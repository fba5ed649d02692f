"""What pages are told of voice: who is in their slots, who speaks, and by RTCP how it was sent and came."""

from collections.abc import Collection
from typing import Final

import msgspec

from chalicelib.wire.voice import Slot, VoiceSlots, VoiceSpeaking
from media_node import rtcp
from media_node.party import Party
from media_node.rtcp import ReceiverReport, SenderReport

_NAME: Final = "holodeck"
"""The CNAME of all that a node sends: one clock."""
_encode: Final = msgspec.json.Encoder().encode


def tell_slots(party: Party) -> None:
    """Who is in its slots, where that changed: sent on the link next, and so before the first packet of whom it names."""
    slots = [None if each is None else each.peer_id for each in party.held]
    if slots != party.told_slots:
        party.told_slots = slots
        told = tuple(Slot(slot=number, peer_id=peer_id) for number, peer_id in enumerate(slots))
        party.link.send_control(_encode(VoiceSlots(slots=told)).decode())


def tell_speaking(parties: Collection[Party]) -> None:
    """Who speaks in its channel, to everybody for whom that changed; each list is encoded once."""
    speaking: dict[str, list[str]] = {}
    for party in parties:
        if party.speaker.loudness.speaking:
            speaking.setdefault(party.channel.channel_id, []).append(party.peer_id)
    lists = {channel_id: tuple(sorted(peers)) for channel_id, peers in speaking.items()}
    texts: dict[tuple[str, ...], str] = {}
    for party in parties:
        peers = lists.get(party.channel.channel_id, ())
        if party.joined and peers != party.told_speaking:
            party.told_speaking = peers
            if peers not in texts:
                texts[peers] = _encode(VoiceSpeaking(peers=peers)).decode()
            party.link.send_control(texts[peers])


def report(party: Party, now: float, wall_s: float) -> None:
    """A sender report by slot that something went out in, and how its own packets came. `wall_s` is since 1970."""
    speakers = [None if each is None else each.speaker for each in party.held]
    sent = party.listener.reports(speakers, now, wall_s)
    blocks = party.speaker.report(now)
    if not sent and not blocks:
        return
    if sent:
        first = sent[0]
        sent[0] = SenderReport(first.ssrc, first.ntp, first.timestamp, first.packets, first.octets, blocks)
        parts = [rtcp.sender_report(each) for each in sent]
    else:
        parts = [rtcp.receiver_report(ReceiverReport(party.speaker.ssrc, blocks))]
    names = [(each.ssrc, _NAME) for each in sent] or [(party.speaker.ssrc, _NAME)]
    party.link.send_media_control(b"".join((*parts, rtcp.description(names))))
