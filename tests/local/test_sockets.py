"""How API Gateway serves a WebSocket on one machine: what it takes, and how it ends it."""

import socket
import struct

import aiohttp
import pytest
from aiohttp import WSMsgType

from local.gateway.frames import FrameScanner
from tests.local.house import house


async def closed(ws: aiohttp.ClientWebSocketResponse) -> int | None:
    """The code that a WebSocket is closed with from the other side."""
    message = await ws.receive(timeout=20)
    while message.type is WSMsgType.TEXT:
        message = await ws.receive(timeout=20)
    return ws.close_code


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
