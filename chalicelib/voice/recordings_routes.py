"""Recordings by REST. Their files are fetched from where their addresses say."""

from collections.abc import Callable, Coroutine
from typing import Any, Final, Protocol, TypeVar

from chalicelib.endpoint import Authenticate, Call, Nothing, Routes
from chalicelib.voice.recordings import RecordingService
from chalicelib.wire.codes import Code
from chalicelib.wire.errors import AppError
from chalicelib.wire.voice import ChangeRecording, Recording, Recordings, StartRecording

T = TypeVar("T")


class Run(Protocol):
    """Runs a coroutine on the container's loop and waits."""

    def __call__(self, work: Coroutine[Any, Any, T]) -> T: ...


_ALL: Final = "/collaboration/sessions/{session_id}/voice/recordings"
_ONE: Final = _ALL + "/{recording_id}"
_SESSION: Final = (Code.SESSION_UNKNOWN, Code.SESSION_ENDED, Code.PARTICIPANT_BANNED, Code.ROLE_INSUFFICIENT)
_START: Final = (*_SESSION, Code.RECORDING_UNDER_WAY, Code.RECORDING_LIMIT, Code.VOICE_CHANNEL_UNKNOWN)
_KNOWN: Final = (*_SESSION, Code.RECORDING_UNKNOWN)
_CHANGE: Final = (*_KNOWN, Code.RECORDING_NOT_READY, Code.RECORDING_EMPTY, Code.VOICE_NOT_JOINED)


def routes(
    authenticate: Authenticate, recordings: Callable[[], RecordingService], *, run: Run, wait_ms: Callable[[str], int]
) -> Routes:
    """The blueprint of this room's recordings. `wait_ms` is 0 where a user may change something now."""
    r = Routes("recordings", authenticate)

    def in_time(call: Call[Any]) -> str:
        too_soon_ms = wait_ms(call.identity.user_id)
        if too_soon_ms:
            raise AppError(Code.RATE_LIMITED, retry_after_ms=too_soon_ms)
        return call.path["session_id"]

    @r.post(_ALL, body=StartRecording, response=Recording, status=201, errors=_START)
    def start_recording(call: Call[StartRecording]) -> Recording:
        """Records a channel from now on, for owners. Everybody sees it; whoever consents is in it, you are by this."""
        return run(recordings().start(in_time(call), call.identity, call.input))

    @r.get(_ALL, response=Recordings, errors=_SESSION)
    def get_recordings(call: Call[Nothing]) -> Recordings:
        """The room's recordings, the newest first, without their files."""
        return run(recordings().list(call.path["session_id"], call.identity))

    @r.get(_ONE, response=Recording, errors=_KNOWN)
    def get_recording(call: Call[Nothing]) -> Recording:
        """One, with the addresses of its files once it is ready. They end after 15 minutes; ask again for new ones."""
        return run(recordings().get(call.path["session_id"], call.identity, call.path["recording_id"]))

    @r.put(_ONE, body=ChangeRecording, response=Recording, errors=_CHANGE)
    def change_recording(call: Call[ChangeRecording]) -> Recording:
        """Says whether you may be recorded (it counts at once); stops it or asks for its mix, for owners."""
        return run(recordings().change(in_time(call), call.identity, call.path["recording_id"], call.input))

    @r.delete(_ONE, errors=_KNOWN)
    def delete_recording(call: Call[Nothing]) -> None:
        """Deletes it with all of its files, for owners. One that is under way ends."""
        run(recordings().delete(in_time(call), call.identity, call.path["recording_id"]))

    return r
