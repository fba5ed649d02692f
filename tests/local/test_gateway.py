"""API Gateway's behaviour on one machine: what it refuses by itself, how it ends a WebSocket, what it serves as a page."""

import asyncio
import socket
import struct
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import msgspec
import pytest
from aiohttp import WSMsgType

from chalicelib.wire.bodies import ErrorBody
from chalicelib.wire.codes import Code
from local.gateway.frames import FrameScanner
from local.gateway.settings import from_environment
from tests.local.house import House, house


async def refused(response: aiohttp.ClientResponse) -> tuple[int, Code]:
    """Status and code of an answer that must be in our error shape."""
    error = msgspec.json.decode(await response.read(), type=ErrorBody)
    assert error.correlation_id == response.headers["x-amzn-RequestId"] == response.headers["X-Correlation-Id"]
    assert response.content_type == "application/json"
    return response.status, error.code


async def closed(ws: aiohttp.ClientWebSocketResponse) -> int | None:
    """The code that a WebSocket is closed with from the other side."""
    message = await ws.receive(timeout=20)
    while message.type is WSMsgType.TEXT:
        message = await ws.receive(timeout=20)
    return ws.close_code


def test_the_limits_are_api_gateways_unless_set() -> None:
    """Each may be set for a test by its variable; the others stay as they are in AWS."""
    settings = from_environment({"GATEWAY_IDLE_S": "0.5", "GATEWAY_SEND_BUFFER_MESSAGES": "7"})
    assert (settings.idle_s, settings.send_buffer_messages) == (0.5, 7)
    assert (settings.lifetime_s, settings.frame_bytes, settings.message_bytes) == (7200, 32 * 1024, 128 * 1024)
    assert (settings.body_bytes, settings.connects_per_s) == (10 * 1024 * 1024, 500)


# -- REST --


async def test_a_function_is_invoked_with_what_was_asked() -> None:
    """Stage, resource, parameters and body arrive; status, headers and body come back."""

    def function(event: dict[str, Any]) -> dict[str, Any]:
        headers = {"multiValueHeaders": {"Set-Cookie": ["a=1", "b=2"]}, "headers": {"X-Thing": "yes"}}
        return {"statusCode": 201, "body": event["body"], **headers}

    async with house() as h:
        h.functions.replaced["app"] = function
        async with h.http.post(f"{h.public}/api/things", data=b"hello") as response:
            assert (response.status, await response.text()) == (201, "hello")
            assert (response.headers["X-Thing"], response.headers.getall("Set-Cookie")) == ("yes", ["a=1", "b=2"])
        event = await h.functions.event("app")
        assert (event["path"], event["requestContext"]["path"]) == ("/things", "/api/things")


async def test_who_asked_is_appended_to_who_is_claimed() -> None:
    """A client cannot pass for another address: its own goes last, and is the event's source."""
    async with house() as h:
        async with h.http.get(f"{h.public}/api/things", headers={"x-forwarded-for": "203.0.113.1"}):
            pass
        event = await h.functions.event("app")
        assert event["headers"]["X-Forwarded-For"] == "203.0.113.1, 127.0.0.1"
        assert event["headers"]["X-Forwarded-Proto"] == "http"
        assert event["requestContext"]["identity"]["sourceIp"] == "127.0.0.1"


@pytest.mark.parametrize("path", ["/api", "/api/", "/api/nothing", "/api/things/", "/api/things/1/2", "/api//things"])
async def test_an_unknown_route_is_404(path: str) -> None:
    """Nothing is invoked for it."""
    async with house() as h:
        async with h.http.get(h.public + path) as response:
            assert await refused(response) == (404, Code.ROUTE_UNKNOWN)
        assert "app" not in h.functions.events


async def test_another_method_is_405_with_allow() -> None:
    """The methods that there are, are told."""
    async with house() as h, h.http.delete(f"{h.public}/api/things") as response:
        assert await refused(response) == (405, Code.METHOD_NOT_ALLOWED)
        assert response.headers["Allow"] == "GET, POST"


async def test_a_large_body_is_413() -> None:
    """It is refused before a function sees it."""
    async with house(body_bytes=100) as h:
        async with h.http.post(f"{h.public}/api/things", data=b"x" * 101) as response:
            assert await refused(response) == (413, Code.BODY_TOO_LARGE)
        async with h.http.post(f"{h.public}/api/things", data=b"x" * 100) as response:
            assert response.status == 200


async def test_too_many_requests_are_429() -> None:
    """Past the burst the account is throttled, with a hint when to come again."""
    async with house(rate_per_s=0.001, burst=2) as h:
        statuses = []
        for _ in range(2):
            async with h.http.get(f"{h.public}/api/things") as response:
                statuses.append(response.status)
        assert statuses == [200, 200]
        async with h.http.get(f"{h.public}/api/things") as response:
            assert await refused(response) == (429, Code.RATE_LIMITED)
            assert response.headers["Retry-After"] == "1"


async def test_a_function_that_raises_is_502() -> None:
    """What Lambda calls an unhandled error is no answer of ours, but has our shape."""
    async with house() as h:
        h.functions.replaced["app"] = lambda _: {"statusCode": 1 // 0}
        async with h.http.get(f"{h.public}/api/things") as response:
            assert await refused(response) == (502, Code.UPSTREAM_UNAVAILABLE)


@pytest.mark.parametrize("result", [{}, {"statusCode": "200"}, {"statusCode": 200, "body": {"no": "text"}}])
async def test_a_malformed_result_is_502(result: dict[str, Any]) -> None:
    """As API Gateway answers it."""
    async with house() as h:
        h.functions.replaced["app"] = lambda _: result
        async with h.http.get(f"{h.public}/api/things") as response:
            assert (await refused(response))[0] == 502


async def test_a_function_that_takes_too_long_is_504() -> None:
    """The integration times out."""
    async with house(integration_timeout_s=0.2) as h:
        h.functions.held.clear()
        async with h.http.get(f"{h.public}/api/things") as response:
            assert await refused(response) == (504, Code.UPSTREAM_UNAVAILABLE)


async def test_without_a_worker_it_is_504() -> None:
    """A request waits for a worker to come back, but not for ever."""
    async with house(integration_timeout_s=0.2) as h:
        async with h.http.get(f"{h.public}/api/things"):
            pass
        h.worker.cancel()
        await h.worker
        async with h.http.get(f"{h.public}/api/things") as response:
            assert (await refused(response))[0] in {502, 504}


# -- WebSocket --


async def test_an_idle_connection_is_closed_with_1001() -> None:
    """And $disconnect is told the same."""
    async with house(idle_s=0.2) as h:
        ws, _ = await h.open()
        assert await closed(ws) == 1001
        context = (await h.functions.event("disconnect"))["requestContext"]
        assert (context["disconnectStatusCode"], context["disconnectReason"]) == (1001, "Idle timeout")


async def test_an_old_connection_is_closed_with_1001_however_busy() -> None:
    """The lifetime is counted from the handshake."""
    async with house(lifetime_s=0.4) as h:
        ws, _ = await h.open()
        while not ws.closed:
            await ws.send_str("{}")
            try:
                await ws.receive(timeout=0.05)
            except TimeoutError:
                continue
        assert ws.close_code == 1001


async def test_a_message_that_is_too_large_closes_with_1009() -> None:
    """Even in frames of allowed size; no function sees it."""
    async with house(message_bytes=1000, frame_bytes=600) as h:
        ws, _ = await h.open()
        await ws.send_frame(b"x" * 500, WSMsgType.TEXT)
        await ws.send_str("x" * 1001)
        assert await closed(ws) == 1009
        context = (await h.functions.event("disconnect"))["requestContext"]
        assert context["disconnectStatusCode"] == 1009


async def test_a_frame_that_is_too_large_closes_with_1009() -> None:
    """The limit on a frame is smaller than the limit on a message."""
    async with house(message_bytes=1000, frame_bytes=600) as h:
        ws, _ = await h.open()
        await ws.send_str("x" * 600)
        await h.functions.event("message")
        await ws.send_str("x" * 601)
        assert await closed(ws) == 1009
        context = (await h.functions.event("disconnect"))["requestContext"]
        assert context["disconnectStatusCode"] == 1009
        assert not h.functions.events["message"]


def frame(payload: bytes, *, fin: bool = True, opcode: int = 1) -> bytes:
    """A masked frame of a client, with the mask 0."""
    size = len(payload)
    head = bytes([0x80 * fin | opcode])
    if size < 126:
        head += bytes([0x80 | size])
    elif size < 65536:
        head += bytes([0x80 | 126]) + struct.pack(">H", size)
    else:
        head += bytes([0x80 | 127]) + struct.pack(">Q", size)
    return head + bytes(4) + payload


@pytest.mark.parametrize("step", [1, 3, 7, 1000, 1_000_000])
@pytest.mark.parametrize(("size", "large"), [(0, False), (125, False), (126, False), (200, False), (201, True)])
def test_frames_are_followed_however_the_bytes_come(step: int, size: int, large: bool) -> None:
    """Heads that are cut anywhere are understood, and what comes after a payload is a head again."""
    stream = frame(b"x" * 200, fin=False) + frame(b"y" * size, opcode=0) + frame(b"")
    scanner = FrameScanner(200)
    found = [scanner.too_large(stream[i : i + step]) for i in range(0, len(stream), step)]
    assert (True in found) is large


@pytest.mark.parametrize("size", [65535, 65536])
def test_the_longest_heads_are_understood(size: int) -> None:
    """16 and 64 bits of length."""
    assert FrameScanner(size - 1).too_large(frame(b"x" * size))
    assert not FrameScanner(size).too_large(frame(b"x" * size) * 2)


async def test_a_binary_frame_is_refused() -> None:
    """API Gateway takes text only."""
    async with house() as h:
        ws, _ = await h.open()
        await ws.send_bytes(b"x")
        assert await closed(ws) == 1003


async def test_a_refused_connect_refuses_the_handshake() -> None:
    """With the status and the body that the function chose; there is no $disconnect, for there was no connection."""
    async with house() as h:
        h.functions.replaced["connect"] = lambda _: {"statusCode": 401, "body": '{"code":"ticket.used"}'}
        headers = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13"}
        headers["Sec-WebSocket-Key"] = "dGhlIHNhbXBsZSBub25jZQ=="
        async with h.http.get(f"{h.public}/ws", headers=headers) as response:
            assert (response.status, await response.json()) == (401, {"code": "ticket.used"})
        assert "disconnect" not in h.functions.events


async def test_a_plain_request_for_the_websocket_connects_nobody() -> None:
    """Without an upgrade no ticket is used up."""
    async with house() as h:
        async with h.http.get(f"{h.public}/ws?ticket=t") as response:
            assert response.status == 426
        assert "connect" not in h.functions.events


async def test_too_many_new_connections_are_429() -> None:
    """API Gateway limits how many open a second."""
    async with house(connects_per_s=1) as h:
        await h.open()
        with pytest.raises(aiohttp.WSServerHandshakeError) as caught:
            await h.open()
        assert caught.value.status == 429


async def test_a_message_whose_function_fails_is_told() -> None:
    """In API Gateway's words, and the connection stays."""
    async with house() as h:
        ws, connection_id = await h.open()
        h.functions.replaced["message"] = lambda _: {"statusCode": 1 // 0}
        await ws.send_str("{}")
        notice = await ws.receive_json(timeout=10)
        assert (notice["message"], notice["connectionId"]) == ("Internal server error", connection_id)
        assert not ws.closed


async def test_throttled_messages_are_told() -> None:
    """They reach no function, and the connection stays."""
    async with house(rate_per_s=0.001, burst=1) as h:
        ws, _ = await h.open()
        await ws.send_str("1")
        await ws.send_str("2")
        assert (await ws.receive_json(timeout=10))["message"] == "Too Many Requests"
        assert (await h.functions.event("message"))["body"] == "1"
        assert not h.functions.events["message"]


async def test_a_dropped_connection_is_1006() -> None:
    """A client that goes without a close frame."""
    async with house() as h:
        ws, _ = await h.open()
        plug: socket.socket = ws.get_extra_info("socket")
        plug.shutdown(socket.SHUT_RDWR)
        context = (await h.functions.event("disconnect"))["requestContext"]
        assert context["disconnectStatusCode"] == 1006


async def test_a_clients_close_code_is_told() -> None:
    """$disconnect has the code of the close frame."""
    async with house() as h:
        ws, connection_id = await h.open()
        await ws.close(code=4001)
        context = (await h.functions.event("disconnect"))["requestContext"]
        assert (context["disconnectStatusCode"], context["connectionId"]) == (4001, connection_id)


# -- page --


@pytest.fixture
def dist(tmp_path: Path) -> Path:
    """A page that was built, and a secret beside it."""
    root = tmp_path / "dist"
    (root / "assets").mkdir(parents=True)
    (root / "index.html").write_text("<title>Holodeck</title>")
    (root / "assets" / "main-1a2b3c.js").write_text("let x")
    (root / "icon.svg").write_text("<svg/>")
    (tmp_path / "secret.txt").write_text("secret")
    return root


@pytest.mark.parametrize("path", ["/", "/index.html", "/r/ses_abc", "/r/ses_abc?invite=x"])
async def test_the_page_answers_for_paths_of_its_own(dist: Path, path: str) -> None:
    """index.html, never kept, with the policy that keeps strange scripts out."""
    async with house(dist) as h, h.http.get(h.public + path) as response:
        assert (response.status, await response.text()) == (200, "<title>Holodeck</title>")
        assert response.headers["Cache-Control"] == "no-cache"
        assert "script-src 'self'" in response.headers["Content-Security-Policy"]
        assert response.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize(("path", "cache"), [("/assets/main-1a2b3c.js", "immutable"), ("/icon.svg", "max-age=300")])
async def test_files_are_kept_as_long_as_they_stay_the_same(dist: Path, path: str, cache: str) -> None:
    """Those with a hash in their name for ever."""
    async with house(dist) as h, h.http.get(h.public + path) as response:
        assert response.status == 200
        assert cache in response.headers["Cache-Control"]


async def test_a_missing_file_is_no_page(dist: Path) -> None:
    """An old asset's address must not answer with HTML."""
    async with house(dist) as h, h.http.get(f"{h.public}/assets/old.js") as response:
        assert response.status == 404


async def test_a_page_that_is_not_built_says_so(tmp_path: Path) -> None:
    """With what to do."""
    async with house(tmp_path) as h, h.http.get(h.public) as response:
        assert response.status == 503
        assert "make run" in await response.text()


@pytest.mark.parametrize(
    "path",
    [
        "/../secret.txt",
        "/assets/../../secret.txt",
        "/%2e%2e/secret.txt",
        "/..%2fsecret.txt",
        "/%00",
        "/" + "x" * 300,
        "//etc/passwd",
    ],
)
async def test_nothing_outside_is_served(dist: Path, path: str) -> None:
    """Whatever way a path is written, it stays below the page's folder."""
    async with house(dist) as h:
        assert b"secret" not in (answer := await raw(h, path)).partition(b"\r\n\r\n")[2]
        assert answer.startswith((b"HTTP/1.1 404", b"HTTP/1.1 400", b"HTTP/1.1 200 OK\r\nX-Content"))


async def raw(h: House, path: str) -> bytes:
    """What is answered to a path that is sent as it is."""
    parts = urlsplit(h.public)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port, family=socket.AF_INET)
    writer.write(f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
    async with asyncio.timeout(10):
        answer = await reader.read()
    writer.close()
    return answer
