"""What each function really asks of AWS. Run as a program, it plays a session's life and prints the calls as JSON.

The app runs in this process against moto in a thread, and one function is called at a time, so that every request which
reaches moto (or @connections) meanwhile is that function's. A process of its own: the app is built from its environment.
"""

import io
import json
import os
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from msgspec.structs import replace as replace_row
from werkzeug.serving import WSGIRequestHandler, make_server

from local.events import HttpRequest, Socket, connect_event, disconnect_event, message_event, rest_event
from local.gateway.rest import match

PREFIX: Final = "recorded-"
REGION: Final = "us-east-1"
BUCKET: Final = "recorded-documents"
CLUSTER: Final = "recorded"
Wsgi = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


class Recorder:
    """Notes every call under the function that is running."""

    def __init__(self, backend: Wsgi) -> None:
        self.function = ""
        self.calls: set[tuple[str, str, str]] = set()
        self._backend = backend
        self._lock = threading.Lock()

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        with self._lock:
            if "/@connections/" in environ["PATH_INFO"]:
                self._note("execute-api", environ["REQUEST_METHOD"])
                start_response("200 OK", [("Content-Length", "0")])
                return [b""]
            if environ["PATH_INFO"].startswith(f"/{BUCKET}/"):
                what = "objects" if environ["PATH_INFO"].startswith(f"/{BUCKET}/snapshots/") else "recordings"
                self._note(what, f"{environ['REQUEST_METHOD'].title()}Object")
            _, _, action = environ.get("HTTP_X_AMZ_TARGET", "").partition("DynamoDB_20120810.")
            if action:
                self._note_tables(environ, action)
            _, _, action = environ.get("HTTP_X_AMZ_TARGET", "").partition("AmazonEC2ContainerServiceV20141113.")
            if action:
                self._note("ecs", action)
            return list(self._backend(environ, start_response))

    def _note_tables(self, environ: dict[str, Any], action: str) -> None:
        body = environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))
        environ["wsgi.input"] = io.BytesIO(body)
        request = json.loads(body)
        index = "/index" if "IndexName" in request else ""
        for table in [request["TableName"]] if "TableName" in request else list(request["RequestItems"]):
            self._note(table.removeprefix(PREFIX) + index, action)

    def _note(self, what: str, action: str) -> None:
        if self.function:
            self.calls.add((self.function, what, action))


class _Quiet(WSGIRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Says nothing."""


class House:
    """The app behind its events."""

    def __init__(self, recorder: Recorder) -> None:
        import app  # noqa: PLC0415 - built from the environment that main() has set
        from chalicelib import wiring  # noqa: PLC0415

        self.app = app
        self.models = wiring.tables()
        self.recorder = recorder
        self._routes = {path: list(methods) for path, methods in app.app.routes.items()}

    def rest(self, method: str, path: str, token: str = "", body: object = None, query: str = "") -> Any:
        """One REST call; anything but success is an error."""
        headers = [("Content-Type", "application/json"), ("Authorization", f"Bearer {token}")]
        data = b"" if body is None else json.dumps(body).encode()
        request = HttpRequest(method, path, query, headers, data, "127.0.0.1", "test")
        found = match(self._routes, path)
        if found is None:
            raise LookupError(path)
        event = rest_event(request, *found, request_id="r", now_s=time.time(), binary_types=[])
        answer = self._as("api", self.app.app, event)
        if answer["statusCode"] >= 300:
            raise RuntimeError(f"{method} {path}: {answer['body']}")
        return json.loads(answer["body"] or "null")

    def connect(self, connection_id: str, ticket: str) -> int:
        """$connect; returns the status."""
        event = connect_event(_socket(connection_id), [], f"ticket={ticket}", request_id="r", now_s=time.time())
        status: int = self._as("connect", self.app.connect, event)["statusCode"]
        return status

    def message(self, connection_id: str, body: object) -> None:
        """$default."""
        event = message_event(_socket(connection_id), json.dumps(body), request_id="r", now_s=time.time())
        self._as("message", self.app.message, event)

    def disconnect(self, connection_id: str, status: int = 1000) -> None:
        """$disconnect."""
        event = disconnect_event(_socket(connection_id), status, "", request_id="r", now_s=time.time())
        self._as("disconnect", self.app.disconnect, event)

    def forget(self) -> None:
        """What a new container does not know: the states of documents."""
        from chalicelib import wiring  # noqa: PLC0415

        wiring.documents.forget()

    def occupy(self, document_id: str) -> None:
        """Takes a document's lease, as a container that is killed right after: who submits next waits for its end."""
        from chalicelib import wiring  # noqa: PLC0415
        from chalicelib.aws.client import loop_thread  # noqa: PLC0415
        from chalicelib.documents.queue import QueueStore  # noqa: PLC0415

        now = wiring.now_ms()
        loop_thread().run(QueueStore(wiring.dynamo(), PREFIX).acquire(document_id, "another", now + 80, now))

    def grow(self, document_id: str) -> None:
        """Writes a document's log on, behind the functions' backs, by as much as snapshots are apart."""
        from chalicelib import wiring  # noqa: PLC0415
        from chalicelib.aws.client import loop_thread  # noqa: PLC0415
        from chalicelib.documents.committer import Committer  # noqa: PLC0415
        from chalicelib.documents.model import Submission  # noqa: PLC0415
        from chalicelib.documents.store import LogStore  # noqa: PLC0415
        from chalicelib.wire import limits  # noqa: PLC0415
        from chalicelib.wire.operations import Set  # noqa: PLC0415

        log = LogStore(wiring.dynamo(), PREFIX)
        committer = Committer(log, now_ms=wiring.now_ms, jitter=lambda: 0.5)
        change = Set(id="owner001.1.0", path=("n",), value=1)
        (newest,) = loop_thread().run(log.before(document_id, limits.INTEGER_MAX, 1))
        base = newest.revision
        submissions = [
            Submission(client=f"g{base + n:07}", seq=1, base=base, user_id="u", operations=(change,))
            for n in range(limits.SNAPSHOT_EVERY)
        ]
        loop_thread().run(committer.submit_all(document_id, submissions))

    def touch(self, *connection_ids: str) -> None:
        """People are still there, however long the rest took; behind the functions' backs."""
        from chalicelib import wiring  # noqa: PLC0415
        from chalicelib.aws.client import loop_thread  # noqa: PLC0415
        from chalicelib.presence.model import Connection  # noqa: PLC0415

        for connection_id in connection_ids:
            caller = loop_thread().run(wiring.presence().caller(connection_id))
            assert isinstance(caller, Connection)
            loop_thread().run(wiring.presence().touch(caller))

    def offer_to(self, session_id: str, *peer_ids: str) -> None:
        """Lets pages be offered to, behind the functions' backs."""
        from chalicelib import wiring  # noqa: PLC0415
        from chalicelib.aws.client import loop_thread  # noqa: PLC0415
        from chalicelib.presence.store import PresenceStore  # noqa: PLC0415

        rows = PresenceStore(wiring.dynamo(), PREFIX)
        for peer_id in peer_ids:
            loop_thread().run(rows.set_rtc(session_id, peer_id, True))

    def beat(self, node_id: str) -> str:
        """A media node writes itself down; a token for its WebSocket."""
        from chalicelib import wiring  # noqa: PLC0415
        from chalicelib.aws.client import loop_thread  # noqa: PLC0415
        from chalicelib.aws.keys import load_nodes  # noqa: PLC0415
        from chalicelib.peers.model import Node  # noqa: PLC0415
        from chalicelib.peers.nodes import NodeStore  # noqa: PLC0415
        from chalicelib.wire.tokens import NodeClaims, sign  # noqa: PLC0415

        now = wiring.now_ms()
        node = Node(node_id=node_id, address="192.0.2.1", port=4000, capacity=100, seen_at_ms=now)
        loop_thread().run(NodeStore(wiring.dynamo(), PREFIX).beat(node))
        claims = NodeClaims(jti=wiring.random_id(), sub=node_id)
        return sign(claims, load_nodes(wiring.settings())[0], now_s=now // 1000, ttl_s=30)

    def lose(self, session_id: str) -> None:
        """The room's media node is not there any more, and nobody said so; a task may be asked for at once."""
        from chalicelib import wiring  # noqa: PLC0415
        from chalicelib.aws.client import loop_thread  # noqa: PLC0415
        from chalicelib.peers.nodes import NodeStore  # noqa: PLC0415
        from chalicelib.wire.peers import RelayReason  # noqa: PLC0415

        nodes = NodeStore(wiring.dynamo(), PREFIX)
        relay = loop_thread().run(nodes.relay(session_id))
        lost = replace(relay, node_id="node_" + "1" * 12, generation=relay.generation + 1, reason=RelayReason.UPLINK)
        loop_thread().run(nodes.change(replace(lost, asked_ms=0), wiring.now_ms()))
        loop_thread().run(nodes.forget_start())
        self.want_none()

    def finish(self, session_id: str, recording_id: str) -> None:
        """Nodes have written a recording, and made its files."""
        import boto3  # noqa: PLC0415

        from chalicelib import wiring  # noqa: PLC0415
        from chalicelib.aws.client import loop_thread  # noqa: PLC0415
        from chalicelib.voice import recordings_model as model  # noqa: PLC0415
        from chalicelib.voice.recordings_step import step  # noqa: PLC0415
        from chalicelib.voice.recordings_store import RecordingStore  # noqa: PLC0415

        shelf = RecordingStore(wiring.dynamo(), PREFIX)
        track = model.Track(peer_id="a.tab00001", user_id="a", name="A", from_ms=0, duration_ms=1, size_bytes=1)
        for change in (
            lambda row: model.begun(replace_row(row, heard_at_ms=1), "w", wiring.now_ms()),
            lambda row: model.finished(row, "w", (track,), 1),
        ):
            row = loop_thread().run(step(shelf, session_id, recording_id, change))
        assert row is not None
        s3 = boto3.client("s3", endpoint_url=os.environ["AWS_ENDPOINT_URL_S3"], region_name=REGION)
        for key in (model.track_key(row, track.peer_id), model.part_key(row, 0, "n", 0)):
            s3.put_object(Bucket=BUCKET, Key=key, Body=b"x")

    def fetch(self, url: str) -> None:
        """A browser reads a file by its address: what that may is what its signer, `api`, may."""
        self.recorder.function = "api"
        with urllib.request.urlopen(url) as reply:
            reply.read()
        self.recorder.function = ""

    def want_none(self) -> None:
        """The nodes' service runs nothing, and is told so by nobody here."""
        import boto3  # noqa: PLC0415

        ecs = boto3.client("ecs", endpoint_url=os.environ["AWS_ENDPOINT_URL_ECS"], region_name=REGION)
        ecs.update_service(cluster=CLUSTER, service="media", desiredCount=0)

    def _as(self, function: str, handler: Any, event: Any) -> Any:
        self.recorder.function = function
        try:
            return handler(event, None)
        finally:
            self.recorder.function = ""


def _socket(connection_id: str) -> Socket:
    return Socket(connection_id, 0, "127.0.0.1", None, "test")


def record() -> set[tuple[str, str, str]]:
    """Plays the life of a session. The environment of this process is changed."""
    recorder = Recorder(DomainDispatcherApplication(create_backend_app))
    server = make_server("127.0.0.1", 0, recorder, threaded=True, request_handler=_Quiet)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    endpoint = f"http://127.0.0.1:{server.port}"
    with tempfile.TemporaryDirectory() as folder:
        from local.resources import make_bucket, make_keys, make_service, make_tables  # noqa: PLC0415

        keys, node_keys = Path(folder) / "keys.json", Path(folder) / "node-keys.json"
        make_keys(keys)
        make_keys(node_keys)
        os.environ |= {
            "AWS_ACCESS_KEY_ID": "testing",
            "AWS_SECRET_ACCESS_KEY": "testing",
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_ENDPOINT_URL_DYNAMODB": endpoint,
            "AWS_ENDPOINT_URL_S3": endpoint,
            "AWS_ENDPOINT_URL_ECS": endpoint,
            "ECS_CLUSTER": CLUSTER,
            "NODE_KEYS_FILE": str(node_keys),
            "DOCUMENTS_BUCKET": BUCKET,
            "CONNECTIONS_ENDPOINT": f"{endpoint}/api",
            "LOG_LEVEL": "ERROR",
            "OPEN_GUESTS": "1",
            "TABLE_PREFIX": PREFIX,
            "TOKEN_KEYS_FILE": str(keys),
        }
        house = House(recorder)
        make_tables(house.models, endpoint, REGION)
        make_bucket(BUCKET, endpoint, REGION)
        make_service(CLUSTER, "media", endpoint, REGION, nodes=0)
        from tests.infra.life import live  # noqa: PLC0415

        live(house)
    server.shutdown()
    return recorder.calls


if __name__ == "__main__":
    json.dump(sorted(record()), sys.stdout)
