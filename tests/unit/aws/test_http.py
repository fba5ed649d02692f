"""The HTTP client, against servers that behave and servers that do not."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from chalicelib.aws.http import HttpClient, HttpError, Reply

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


class House:
    """A server that speaks raw bytes, and a client for it."""

    def __init__(self, client: HttpClient) -> None:
        self.client = client
        self.connections = 0

    async def get(self, body: bytes = b"") -> Reply:
        """A request."""
        return await self.client.request("POST", "/x", {"host": self.client.host}, body)


@asynccontextmanager
async def house(serve: Serve, timeout_s: float = 2.0) -> AsyncIterator[House]:
    """One of each."""

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        made.connections += 1
        try:
            await serve(reader, writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    made = House(HttpClient(f"http://127.0.0.1:{port}", timeout_s))
    yield made
    await made.client.close()
    server.close()


async def one(reader: asyncio.StreamReader) -> bytes:
    """Reads one request."""
    head = await reader.readuntil(b"\r\n\r\n")
    length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
    return head + await reader.readexactly(length)


async def test_a_connection_serves_one_request_after_another() -> None:
    """And the request arrives as it was meant."""
    heard = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            heard.append(await one(reader))
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")

    async with house(serve) as h:
        assert [await h.get(b"abc"), await h.get()] == [Reply(200, b"ok")] * 2
        assert h.connections == 1
        assert heard[0] == b"POST /x HTTP/1.1\r\nhost: %s\r\ncontent-length: 3\r\n\r\nabc" % h.client.host.encode()


async def test_requests_at_once_have_a_connection_each() -> None:
    """A slow answer holds nobody up."""
    started = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request = await one(reader)
        if request.endswith(b"slow"):
            await started.wait()
        writer.write(b"HTTP/1.1 204 No Content\r\n\r\n")
        await one(reader)

    async with house(serve) as h:
        slow = asyncio.create_task(h.get(b"slow"))
        await asyncio.sleep(0.01)
        assert (await h.get(b"fast")).status == 204
        assert not slow.done()
        started.set()
        assert (await slow).status == 204
        assert h.connections == 2


async def test_a_body_in_chunks_and_in_pieces_is_put_together() -> None:
    """However the bytes fall."""
    answer = b"HTTP/1.1 400 Bad\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await one(reader)
        for byte in answer:
            writer.write(bytes([byte]))
            await asyncio.sleep(0)

    async with house(serve) as h:
        assert await h.get() == Reply(400, b"abcde")


@pytest.mark.parametrize("ending", [b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n", b""])
async def test_a_connection_that_ends_is_not_used_again(ending: bytes) -> None:
    """Whether it was announced or just happened after the answer."""
    keep = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await one(reader)
        writer.write(ending or keep)

    async with house(serve) as h:
        for _ in range(3):
            assert (await h.get()).status == 200
            await asyncio.sleep(0.02)
        assert h.connections == 3


@pytest.mark.parametrize("answer", [b"", b"what?\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nab"])
async def test_no_answer_is_an_error(answer: bytes) -> None:
    """Hung up, not HTTP, or cut short."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await one(reader)
        writer.write(answer)

    async with house(serve) as h:
        with pytest.raises(HttpError):
            await h.get()


async def test_silence_is_a_timeout_and_the_connection_is_given_up() -> None:
    """A late answer must not be taken for the next one's."""
    held = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request = await one(reader)
        if request.endswith(b"first"):
            await held.wait()
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n" + request[-6:])
        await one(reader)

    async with house(serve, timeout_s=0.05) as h:
        with pytest.raises(TimeoutError):
            await h.get(b" first")
        held.set()
        assert (await h.get(b"second")).body == b"second"
        assert h.connections == 2


async def test_an_answer_that_nobody_asked_for_ends_the_connection() -> None:
    """Bytes between requests are never taken for an answer."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await one(reader)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
        await asyncio.sleep(0.01)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nbad")
        await one(reader)

    async with house(serve) as h:
        assert (await h.get()).body == b"ok"
        await asyncio.sleep(0.03)
        assert (await h.get()).body == b"ok"
        assert h.connections == 2


async def test_nobody_listens() -> None:
    """Refused is an OSError, as everything else."""
    with pytest.raises(OSError, match="Connect call failed"):
        await HttpClient("http://127.0.0.1:1", 1.0).request("GET", "/", {}, b"")
