"""What of a node's voice is written down: the port between the relaying engine and whoever records (`recording.py`).

The engine calls it in the path of every packet of a room that is recorded, after its rules: it must not block, await, raise.
"""

from typing import Protocol

from chalicelib.wire.voice import VoiceState
from media_node.rtp import Rtp


class Tap(Protocol):
    """Who records. Calls about a room that nothing is recorded of are harmless, and cost little."""

    def follow(self, session_id: str, state: VoiceState) -> None:
        """The room's voice is so, as read: `state.recording` starts, changes or ends what is written."""
        ...

    def heard(self, session_id: str, peer_id: str, user_id: str, channel_id: str, packet: Rtp) -> None:
        """A page's RTP packet that its sender was allowed to send in their channel, and that did not come before.

        Only while `state.recording` is there; consent is looked at here.
        """
        ...

    def gone(self, session_id: str) -> None:
        """The room is not this node's any more."""
        ...


class Deaf:
    """Records nothing."""

    def follow(self, session_id: str, state: VoiceState) -> None:
        """Nothing."""

    def heard(self, session_id: str, peer_id: str, user_id: str, channel_id: str, packet: Rtp) -> None:
        """Nothing."""

    def gone(self, session_id: str) -> None:
        """Nothing."""
