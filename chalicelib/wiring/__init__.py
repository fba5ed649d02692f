"""The only joiner of services and stores: everything is built here, lazily, once a container. Decides nothing."""

import asyncio
import secrets
import string
import time
from typing import TYPE_CHECKING

from chalicelib.activity.service import Activity
from chalicelib.aws import log
from chalicelib.aws.client import loop_thread
from chalicelib.aws.once import once
from chalicelib.aws.settings import Settings, from_environment
from chalicelib.gateway.dispatch import Dispatch, Limits
from chalicelib.gateway.lifecycle import Lifecycle
from chalicelib.presence.broadcast import Broadcaster
from chalicelib.presence.model import Connection, Row
from chalicelib.presence.service import Presence
from chalicelib.presence.socket import Socket
from chalicelib.sessions.ports import Ports
from chalicelib.sessions.service import Sessions
from chalicelib.users.model import Accounts, Verifier
from chalicelib.users.service import Policy, Users
from chalicelib.wire import limits
from chalicelib.wire.bodies import Session
from chalicelib.wire.limiter import Limiter
from chalicelib.wire.messages import ParticipantChanged, ParticipantRemoved, ServerMessage, SessionEnded
from chalicelib.wire.tokens import Identity
from chalicelib.wire.types import Role

if TYPE_CHECKING:
    from pynamodb.models import Model

    from chalicelib.aws.connections import ConnectionSender
    from chalicelib.aws.dynamo import Dynamo

_ALPHABET = string.ascii_lowercase + string.digits


def now_ms() -> int:
    """The container's clock."""
    return time.time_ns() // 1_000_000


def random_id(characters: int = 20) -> str:
    """So many characters of a-z0-9, not to be guessed."""
    return "".join(secrets.choice(_ALPHABET) for _ in range(characters))


@once
def settings() -> Settings:
    """What this deployment is set to."""
    return from_environment()


def models() -> "dict[str, type[Model]]":
    """Every table's model, bound to this deployment, by the table's short name."""
    from chalicelib.activity.store import ActivityModel  # noqa: PLC0415 - pynamodb only where it is used
    from chalicelib.aws.tables import bind  # noqa: PLC0415
    from chalicelib.documents.tables import DocumentModel, OpLogModel, QueueModel  # noqa: PLC0415
    from chalicelib.peers.tables import MediaModel  # noqa: PLC0415
    from chalicelib.presence.tables import ConnectionModel, PresenceModel  # noqa: PLC0415
    from chalicelib.sessions.store import SessionModel  # noqa: PLC0415
    from chalicelib.users.store import TicketModel  # noqa: PLC0415

    declared: dict[str, type[Model]] = {
        "sessions": SessionModel,
        "activity": ActivityModel,
        "presence": PresenceModel,
        "connections": ConnectionModel,
        "tickets": TicketModel,
        "oplog": OpLogModel,
        "queue": QueueModel,
        "documents": DocumentModel,
        "media": MediaModel,
    }
    s = settings()
    return {
        name: bind(model, s.table_prefix + name, region=s.region, host=s.dynamodb_endpoint)
        for name, model in declared.items()
    }


@once
def tables() -> "dict[str, type[Model]]":
    """The same, made once, with one client."""
    from chalicelib.aws.tables import share_client  # noqa: PLC0415

    made = models()
    share_client(made.values())
    return made


@once
def dynamo() -> "Dynamo":
    """The lean client of the hot path."""
    from chalicelib.aws.dynamo import Dynamo  # noqa: PLC0415

    return Dynamo(settings().dynamodb_endpoint, settings().region)


@once
def sender() -> "ConnectionSender":
    """Posts to WebSocket connections."""
    from chalicelib.aws.connections import ConnectionSender  # noqa: PLC0415

    return ConnectionSender(settings().connections_endpoint, settings().region)


# -- users --


@once
def users() -> Users:
    """Identity."""
    from chalicelib.aws.keys import load  # noqa: PLC0415
    from chalicelib.users.store import TicketStore  # noqa: PLC0415

    s = settings()
    return Users(
        keys=load(s),
        policy=Policy(open_guests=s.open_guests, websocket_url=s.websocket_url),
        accounts=_accounts(s),
        verifier=_verifier(s),
        used_tickets=TicketStore(tables()["tickets"]),  # type: ignore[arg-type]
        invites=lambda: sessions().invites,
        members=sessions,
        now_s=lambda: int(time.time()),
        random_id=random_id,
    )


def _accounts(s: Settings) -> Accounts | None:
    if not s.cognito_user_pool_id:
        return None
    from chalicelib.users.cognito import CognitoAccounts  # noqa: PLC0415

    return CognitoAccounts(s.oidc_audience, region=s.region, endpoint=s.cognito_endpoint)


def _verifier(s: Settings) -> Verifier | None:
    if not s.accounts:
        return None
    from chalicelib.users.oidc import OidcVerifier  # noqa: PLC0415

    return OidcVerifier(issuer=s.oidc_issuer, jwks_url=s.oidc_jwks_url, audience=s.oidc_audience)


def authenticate(token: str) -> Identity:
    """For every route that is not public."""
    return users().authenticate(token)


# -- sessions and activity --


@once
def activity() -> Activity:
    """The feed."""
    from chalicelib.activity.store import ActivityStore  # noqa: PLC0415

    return Activity(
        ActivityStore(tables()["activity"]),  # type: ignore[arg-type]
        sessions,
        now_ms=now_ms,
        random_id=random_id,
        lost=lambda session_id, kind: log.warning("activity.lost", session_id=session_id, kind=kind),
    )


class _Notifier:
    def announce(self, session_id: str, message: ServerMessage) -> None:
        loop_thread().run(presence().announce(session_id, message))

        if isinstance(message, ParticipantChanged):
            loop_thread().run(peers.service().notify(session_id, message))

    def change_role(self, session_id: str, user_id: str, role: Role) -> None:
        loop_thread().run(presence().change_role(session_id, user_id, role))

    def expel(self, session_id: str, user_id: str, message: ServerMessage) -> None:
        if isinstance(message, ParticipantRemoved):
            loop_thread().run(peers.service().notify(session_id, message))
        loop_thread().run(presence().expel(session_id, user_id, message))
        loop_thread().run(voice.service().expelled(session_id, user_id))

    def close(self, session_id: str, message: ServerMessage) -> None:
        if isinstance(message, SessionEnded):
            loop_thread().run(peers.service().notify(session_id, message))
        loop_thread().run(presence().close_room(session_id, message))

    def connected_users(self, session_id: str) -> set[str]:
        return loop_thread().run(presence().connected_users(session_id))


class _Feed:
    def record(self, session_id: str, kind: str, user_id: str, name: str, **detail: str) -> None:
        activity().record(session_id, kind, user_id, name, **detail)

    def erase(self, session_id: str) -> None:
        activity().erase(session_id)


class _Belongings:
    def erase(self, session_id: str) -> None:
        loop_thread().run(documents.service().erase(session_id))
        loop_thread().run(peers.service().ended(session_id))
        loop_thread().run(plane.plane().erase(session_id))
        loop_thread().run(voice.recordings().erase(session_id))
        loop_thread().run(voice.service().erase(session_id))


@once
def sessions() -> Sessions:
    """Rooms, roles, seats, invites."""
    from chalicelib.sessions.chance import jittered_pause, random_secret  # noqa: PLC0415
    from chalicelib.sessions.store import SessionStore  # noqa: PLC0415

    notifier = _Notifier()
    ports = Ports(
        repository=SessionStore(tables()["sessions"]),  # type: ignore[arg-type]
        notifier=notifier,
        occupancy=notifier,
        activity=_Feed(),
        documents=_Belongings(),
        now_ms=now_ms,
        random_id=random_id,
        random_secret=random_secret,
        pause=jittered_pause,
    )
    return Sessions(ports)


# -- presence and the WebSocket --


async def _on_gone(row: Row) -> None:
    """A page has gone. With the last one of somebody, their seat is free; with the last one of all, the room's relay."""
    await voice.service().left(row)
    await peers.service().left(row.session_id)
    if row.user_id in await presence().connected_users(row.session_id):
        return
    await asyncio.to_thread(sessions().release_seat, row.session_id, row.user_id)
    await documents.locks().release_all(row.session_id, row.user_id)
    await asyncio.to_thread(activity().record, row.session_id, "participant.left", row.user_id, row.name)


@once
def presence() -> Presence:
    """Who is there."""
    from chalicelib.presence.store import PresenceStore  # noqa: PLC0415

    rows = PresenceStore(dynamo(), settings().table_prefix)
    broadcaster = Broadcaster(rows, sender(), _on_gone, now_ms=now_ms, new_id=random_id)
    return Presence(rows, sender(), broadcaster, now_ms=now_ms)


@once
def cursor_rate() -> Limiter:
    """Cursors by REST."""
    return Limiter(rate=limits.REST_CURSOR_PER_S, burst=2 * limits.REST_CURSOR_PER_S)


def cursor_wait_ms(user_id: str) -> int:
    """0 where a cursor may be moved now."""
    return cursor_rate().take(user_id, now_ms()).wait_ms


@once
def lifecycle() -> Lifecycle:
    """$connect and $disconnect."""
    return Lifecycle(users(), sessions(), peers.Nodes(), presence(), loop_thread().run, log.event)


def _session_of(connection: Connection) -> Session:
    return sessions().snapshot(connection.session_id, connection.user_id)


@once
def dispatch() -> Dispatch:
    """$default."""
    socket = Socket(presence(), sender().post, _session_of, now_ms, lambda s: peers.service().state(s))
    table = {**socket.table(), **documents.socket().table()}
    return Dispatch(
        {**table, **peers.socket().table(ping=socket.ping)},
        peers.socket().node_table(),
        presence(),
        sender(),
        Limits(
            messages=Limiter(rate=limits.MESSAGE_REFILL_PER_S, burst=limits.MESSAGE_BURST),
            signals=Limiter(rate=limits.SIGNAL_REFILL_PER_S, burst=limits.SIGNAL_BURST),
            nodes=Limiter(rate=limits.NODE_SIGNAL_PER_S, burst=limits.NODE_SIGNAL_BURST),
        ),
        run=loop_thread().run,
        now_ms=now_ms,
        log=log.event,
        log_failure=log.failure,
        correlate=log.correlation_id.set,
    )


# Last: they join their rooms to the ones above.
from chalicelib.wiring import documents, peers, plane, voice  # noqa: E402
