"""@connections accepts what AWS accepts: boto3, and our own sender; and refuses what AWS refuses."""

import asyncio
import os
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import quote

import boto3
import pytest
from aiohttp import WSMsgType
from botocore.config import Config
from botocore.exceptions import ClientError

from chalicelib.aws.connections import ConnectionSender
from chalicelib.aws.credentials import Keyring, of_environment
from chalicelib.wire.types import Delivery
from tests.local.house import CREDENTIALS, House, house

GONE = "bm90aGluZw=="


@pytest.fixture(autouse=True)
def credentials() -> Iterator[None]:
    """The gateway's credentials, as the Lambda runtime would put them into the environment."""
    before = dict(os.environ)
    os.environ.pop("AWS_SESSION_TOKEN", None)
    os.environ |= {"AWS_ACCESS_KEY_ID": CREDENTIALS.access_key, "AWS_SECRET_ACCESS_KEY": CREDENTIALS.secret_key}
    yield
    os.environ.clear()
    os.environ.update(before)


def boto(h: House, secret: str = CREDENTIALS.secret_key, token: str | None = None) -> Any:
    """boto3's client of the management API."""
    return boto3.client(
        "apigatewaymanagementapi",
        endpoint_url=h.management,
        region_name="us-east-1",
        aws_access_key_id=CREDENTIALS.access_key,
        aws_secret_access_key=secret,
        aws_session_token=token,
        config=Config(retries={"total_max_attempts": 1}),
    )


async def refusal(call: Callable[..., Any], **arguments: Any) -> tuple[int, str]:
    """Status and name of the error that boto3 raises."""
    with pytest.raises(ClientError) as caught:
        await asyncio.to_thread(call, **arguments)
    return caught.value.response["ResponseMetadata"]["HTTPStatusCode"], caught.value.response["Error"]["Code"]


async def test_boto3_posts_gets_and_deletes() -> None:
    """The vendor's client finds what it expects, signed with its own signer."""
    async with house() as h:
        ws, connection_id = await h.open()
        client = boto(h)
        await asyncio.to_thread(client.post_to_connection, ConnectionId=connection_id, Data=b'{"n":1}')
        assert await ws.receive_json(timeout=10) == {"n": 1}
        told = await asyncio.to_thread(client.get_connection, ConnectionId=connection_id)
        assert told["Identity"]["SourceIp"] == "127.0.0.1"
        assert "aiohttp" in told["Identity"]["UserAgent"]
        assert told["ConnectedAt"] <= told["LastActiveAt"]
        await asyncio.to_thread(client.delete_connection, ConnectionId=connection_id)
        message = await ws.receive(timeout=10)
        assert (message.type, message.data) == (WSMsgType.CLOSE, 1000)
        assert (await h.functions.event("disconnect"))["requestContext"]["connectionId"] == connection_id


async def test_a_connection_that_is_gone_is_410() -> None:
    """GoneException, for each of the three."""
    async with house() as h:
        client = boto(h)
        for call, data in (
            (client.post_to_connection, {"Data": b"x"}),
            (client.get_connection, {}),
            (client.delete_connection, {}),
        ):
            assert await refusal(call, ConnectionId=GONE, **data) == (410, "GoneException")


async def test_a_connection_is_gone_as_soon_as_it_is_closed() -> None:
    """What was deleted gets no more posts."""
    async with house() as h:
        _, connection_id = await h.open()
        client = boto(h)
        await asyncio.to_thread(client.delete_connection, ConnectionId=connection_id)
        call = client.post_to_connection
        assert await refusal(call, ConnectionId=connection_id, Data=b"x") == (410, "GoneException")


async def test_a_wrong_secret_is_403() -> None:
    """The signature is checked."""
    async with house() as h:
        _, connection_id = await h.open()
        call = boto(h, secret="another").get_connection
        assert await refusal(call, ConnectionId=connection_id) == (403, "ForbiddenException")


async def test_an_unsigned_request_is_403() -> None:
    """And tells nothing about whether the connection exists."""
    async with house() as h:
        _, connection_id = await h.open()
        for name in (connection_id, GONE):
            async with h.http.post(f"{h.management}/@connections/{quote(name, safe='')}", data=b"x") as response:
                assert response.status == 403
                assert response.headers["x-amzn-ErrorType"] == "ForbiddenException"


async def test_a_signature_for_another_body_is_403() -> None:
    """A signed request cannot be given another body."""
    async with house() as h:
        _, connection_id = await h.open()
        client, sent = boto(h), []

        def spy(request: Any, **_: Any) -> None:
            sent.append(request)

        client.meta.events.register("before-send.*", spy)
        await asyncio.to_thread(client.post_to_connection, ConnectionId=connection_id, Data=b"signed")
        headers = {n: v.decode() if isinstance(v, bytes) else v for n, v in sent[0].headers.items()}
        headers.pop("Content-Length")
        async with h.http.post(sent[0].url, data=b"forged", headers=headers) as response:
            assert response.status == 403


async def test_a_message_past_128_kb_is_413() -> None:
    """PayloadTooLargeException; exactly 128 KB is delivered."""
    async with house() as h:
        ws, connection_id = await h.open()
        client = boto(h)
        arguments = {"ConnectionId": connection_id, "Data": b"x" * (128 * 1024 + 1)}
        assert await refusal(client.post_to_connection, **arguments) == (413, "PayloadTooLargeException")
        arguments["Data"] = b"x" * (128 * 1024)
        await asyncio.to_thread(client.post_to_connection, **arguments)
        assert len((await ws.receive(timeout=10)).data) == 128 * 1024


async def test_throttled_posts_are_429() -> None:
    """LimitExceededException, as for an account that sends too much."""
    async with house(rate_per_s=0.001, burst=1) as h:
        _, connection_id = await h.open()
        client = boto(h)
        arguments = {"ConnectionId": connection_id, "Data": b"x"}
        await asyncio.to_thread(client.post_to_connection, **arguments)
        assert await refusal(client.post_to_connection, **arguments) == (429, "LimitExceededException")


@pytest.mark.parametrize("token", [None, "a/session+token=="])
async def test_our_sender_is_accepted(token: str | None) -> None:
    """Its signature is the vendor's, with a session token too."""
    if token is not None:
        os.environ["AWS_SESSION_TOKEN"] = token
    async with house() as h:
        ws, connection_id = await h.open()
        sender = ConnectionSender(h.management, "us-east-1", Keyring(of_environment()))
        try:
            assert await sender.post(connection_id, '{"hé":1}'.encode()) is Delivery.SENT
            assert await ws.receive_json(timeout=10) == {"hé": 1}
            outcomes = await sender.post_all([connection_id, GONE], b"[]")
            assert outcomes == {connection_id: Delivery.SENT, GONE: Delivery.GONE}
            assert await ws.receive_json(timeout=10) == []
            assert await sender.disconnect(connection_id) is Delivery.SENT
            assert await sender.disconnect(connection_id) is Delivery.GONE
        finally:
            await sender.close()


async def test_a_slow_reader_fails_alone() -> None:
    """Past its buffer posts to it fail; the others get theirs; deleting it ends it though it never reads."""
    async with house(send_buffer_messages=2) as h:
        slow, slow_id = await h.open()
        quick, quick_id = await h.open()
        slow._response.connection.transport.pause_reading()  # type: ignore[union-attr]
        sender = ConnectionSender(h.management, "us-east-1", Keyring(of_environment()))
        data = b"x" * 100_000
        try:
            for _ in range(500):
                outcomes = await sender.post_all([slow_id, quick_id], data)
                assert outcomes[quick_id] is Delivery.SENT
                assert len((await quick.receive(timeout=10)).data) == len(data)
                if outcomes[slow_id] is Delivery.FAILED:
                    break
            else:
                pytest.fail("the slow reader's buffer has no end")
            assert await sender.disconnect(slow_id) is Delivery.SENT
            context = (await h.functions.event("disconnect"))["requestContext"]
            assert context["connectionId"] == slow_id
        finally:
            await sender.close()


async def test_an_idle_reader_that_never_reads_is_cut_off() -> None:
    """The limits end a connection whose client takes no close frame."""
    async with house(send_buffer_messages=2, idle_s=1) as h:
        slow, slow_id = await h.open()
        slow._response.connection.transport.pause_reading()  # type: ignore[union-attr]
        sender = ConnectionSender(h.management, "us-east-1", Keyring(of_environment()))
        try:
            while await sender.post(slow_id, b"x" * 100_000) is Delivery.SENT:
                pass
        finally:
            await sender.close()
        context = (await h.functions.event("disconnect"))["requestContext"]
        assert (context["connectionId"], context["disconnectStatusCode"]) == (slow_id, 1001)
