"""The functions: every REST route, and the WebSocket's three handlers. Registers what the rooms offer; decides nothing."""

from typing import Any

from chalicelib import wiring
from chalicelib.activity.routes import routes as activity_routes
from chalicelib.apidocs.routes import routes as meta_routes
from chalicelib.aws.app import HolodeckApp
from chalicelib.aws.client import loop_thread
from chalicelib.documents.routes import routes as document_routes
from chalicelib.endpoint import Endpoint, Routes
from chalicelib.peers.routes import routes as peer_routes
from chalicelib.presence.routes import routes as presence_routes
from chalicelib.sessions.routes import routes as session_routes
from chalicelib.users.routes import routes as user_routes
from chalicelib.voice.recordings_routes import routes as recording_routes
from chalicelib.voice.routes import routes as voice_routes

app = HolodeckApp(app_name="holodeck")
app.experimental_feature_flags.update(["BLUEPRINTS", "WEBSOCKETS"])

_settings = wiring.settings()


def _documented() -> list[Endpoint]:
    return [endpoint for room in rooms for endpoint in room.endpoints]


rooms: list[Routes] = [
    meta_routes(
        wiring.authenticate,
        _documented,
        stage=_settings.stage,
        open_guests=_settings.open_guests,
        accounts=_settings.accounts,
    ),
    user_routes(wiring.authenticate, wiring.users),
    session_routes(wiring.authenticate, wiring.sessions),
    presence_routes(
        wiring.authenticate,
        wiring.presence,
        wiring.sessions,
        run=loop_thread().run,
        wait_ms=wiring.cursor_wait_ms,
    ),
    activity_routes(wiring.authenticate, wiring.activity),
    document_routes(wiring.authenticate, wiring.documents.service, wiring.documents.locks, run=loop_thread().run),
    peer_routes(
        wiring.authenticate,
        wiring.plane.plane,
        run=loop_thread().run,
        join_wait_ms=wiring.plane.join_wait_ms,
        report_wait_ms=wiring.plane.report_wait_ms,
    ),
    voice_routes(
        wiring.authenticate,
        wiring.voice.service,
        run=loop_thread().run,
        wait_ms=wiring.voice.change_wait_ms,
    ),
    recording_routes(
        wiring.authenticate,
        wiring.voice.recordings,
        run=loop_thread().run,
        wait_ms=wiring.voice.change_wait_ms,
    ),
]
for room in rooms:
    app.register_blueprint(room.blueprint)


@app.on_ws_connect()
def connect(event: Any) -> dict[str, Any]:
    """A handshake, with a ticket."""
    return wiring.lifecycle().connect(event.to_dict())


@app.on_ws_message()
def message(event: Any) -> dict[str, Any]:
    """One message of a client."""
    return wiring.dispatch().message(event.to_dict())


@app.on_ws_disconnect()
def disconnect(event: Any) -> dict[str, Any]:
    """A connection that is over."""
    return wiring.lifecycle().disconnect(event.to_dict())
