"""Voice by REST: being in it, its channels, its people, whom one blocks. The sound goes over the pages' connections."""

from collections.abc import Callable, Coroutine
from typing import Any, Final, Protocol, TypeVar

from chalicelib.endpoint import Authenticate, Call, Nothing, Routes
from chalicelib.voice.service import Voice
from chalicelib.wire.codes import Code
from chalicelib.wire.errors import AppError
from chalicelib.wire.voice import (
    JoinVoice,
    LeaveVoice,
    VoiceBlocks,
    VoiceChannel,
    VoiceChannels,
    VoiceChannelSettings,
    VoiceJoined,
    VoicePerson,
    VoicePersonChange,
    VoiceState,
)

T = TypeVar("T")


class Run(Protocol):
    """Runs a coroutine on the container's loop and waits."""

    def __call__(self, work: Coroutine[Any, Any, T]) -> T: ...


_VOICE: Final = "/collaboration/sessions/{session_id}/voice"
_SESSION: Final = (Code.SESSION_UNKNOWN, Code.SESSION_ENDED, Code.PARTICIPANT_BANNED, Code.ROLE_INSUFFICIENT)
_CHANNEL: Final = (*_SESSION, Code.VOICE_CHANNEL_UNKNOWN, Code.VOICE_CHANNEL_FIXED)
_SETTINGS: Final = (*_CHANNEL, Code.VOICE_CHANNEL_INVALID)
_JOIN: Final = (
    *_SESSION,
    Code.PEER_UNKNOWN,
    Code.VOICE_REMOVED,
    Code.VOICE_FULL,
    Code.VOICE_CHANNEL_UNKNOWN,
    Code.VOICE_CHANNEL_FULL,
)
_PERSON: Final = (
    *_SESSION,
    Code.PARTICIPANT_UNKNOWN,
    Code.VOICE_NOT_JOINED,
    Code.VOICE_CHANNEL_UNKNOWN,
    Code.VOICE_CHANNEL_FULL,
)


def routes(
    authenticate: Authenticate, voice: Callable[[], Voice], *, run: Run, wait_ms: Callable[[str], int]
) -> Routes:
    """The blueprint of this room. `wait_ms` is 0 where a user may change something now."""
    r = Routes("voice", authenticate)

    def in_time(call: Call[Any]) -> tuple[str, Any]:
        """Whose change of which session it is. RATE_LIMITED."""
        too_soon_ms = wait_ms(call.identity.user_id)
        if too_soon_ms:
            raise AppError(Code.RATE_LIMITED, retry_after_ms=too_soon_ms)
        return call.path["session_id"], call.identity

    @r.get(_VOICE, response=VoiceState, errors=_SESSION)
    def get_voice(call: Call[Nothing]) -> VoiceState:
        """All of a room's voice: its channels, who is in it, what is recorded. What changes comes as `voice.changed`."""
        return run(voice().state(call.path["session_id"], call.identity))

    @r.post(_VOICE, body=JoinVoice, response=VoiceJoined, errors=_JOIN)
    def join_voice(call: Call[JoinVoice]) -> VoiceJoined:
        """Your page, which has entered the room by WebSocket, speaks or listens from now on. Joining again is harmless."""
        return run(voice().join(*in_time(call), call.input))

    @r.delete(_VOICE, query=LeaveVoice, errors=_SESSION)
    def leave_voice(call: Call[LeaveVoice]) -> None:
        """Your page is out of voice. Leaving again is harmless; a page that goes leaves by itself."""
        run(voice().leave(*in_time(call), call.input.tab_id))

    @r.get(f"{_VOICE}/channels", response=VoiceChannels, errors=_SESSION)
    def list_voice_channels(call: Call[Nothing]) -> VoiceChannels:
        """A room's channels, `main` first."""
        return run(voice().channels(call.path["session_id"], call.identity))

    @r.post(
        f"{_VOICE}/channels",
        body=VoiceChannelSettings,
        response=VoiceChannel,
        status=201,
        errors=(*_SESSION, Code.VOICE_CHANNEL_LIMIT, Code.VOICE_CHANNEL_INVALID),
    )
    def create_voice_channel(call: Call[VoiceChannelSettings]) -> VoiceChannel:
        """Makes a channel; owners only. One with a zone is walked into."""
        return run(voice().make_channel(*in_time(call), call.input))

    @r.put(f"{_VOICE}/channels/{{channel_id}}", body=VoiceChannelSettings, response=VoiceChannel, errors=_SETTINGS)
    def update_voice_channel(call: Call[VoiceChannelSettings]) -> VoiceChannel:
        """Makes a channel all that the body says; owners only. `main` takes no zone."""
        return run(voice().change_channel(*in_time(call), call.path["channel_id"], call.input))

    @r.delete(f"{_VOICE}/channels/{{channel_id}}", errors=(*_CHANNEL, Code.RECORDING_UNDER_WAY))
    def delete_voice_channel(call: Call[Nothing]) -> None:
        """Deletes a channel, whose people are in `main` then; owners only. `main` stays, and one while it is recorded."""
        run(voice().drop_channel(*in_time(call), call.path["channel_id"]))

    @r.put(f"{_VOICE}/participants/{{user_id}}", body=VoicePersonChange, response=VoicePerson, errors=_PERSON)
    def update_voice_participant(call: Call[VoicePersonChange]) -> VoicePerson:
        """Changes what you are in voice; or, for owners, what somebody else is. Nobody opens another's microphone."""
        return run(voice().change_person(*in_time(call), call.path["user_id"], call.input))

    @r.get(f"{_VOICE}/blocks", response=VoiceBlocks, errors=_SESSION)
    def list_voice_blocks(call: Call[Nothing]) -> VoiceBlocks:
        """Whom you neither hear nor are heard by, in every room. Nobody else is told."""
        return run(voice().blocks(call.path["session_id"], call.identity))

    @r.put(
        f"{_VOICE}/blocks/{{user_id}}",
        body=Nothing,
        response=VoiceBlocks,
        errors=(*_SESSION, Code.VOICE_BLOCK_LIMIT),
    )
    def block_voice(call: Call[Nothing]) -> VoiceBlocks:
        """Blocks somebody for you, in every room, both ways. Nobody is told."""
        return run(voice().block(*in_time(call), call.path["user_id"]))

    @r.delete(f"{_VOICE}/blocks/{{user_id}}", errors=_SESSION)
    def unblock_voice(call: Call[Nothing]) -> None:
        """Blocks somebody no longer. Unblocking again is harmless."""
        run(voice().unblock(*in_time(call), call.path["user_id"]))

    return r
