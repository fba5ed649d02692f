"""The REST side of API Gateway on one machine: what it hands on, and what it refuses by itself."""

from typing import Any

import aiohttp
import msgspec
import pytest
from yarl import URL

from chalicelib.wire.bodies import ErrorBody
from chalicelib.wire.codes import Code
from local.gateway.settings import from_environment
from tests.local.house import house


async def refused(response: aiohttp.ClientResponse) -> tuple[int, Code]:
    """Status and code of an answer that must be in our error shape."""
    error = msgspec.json.decode(await response.read(), type=ErrorBody)
    assert error.correlation_id == response.headers["x-amzn-RequestId"] == response.headers["X-Correlation-Id"]
    assert response.content_type == "application/json"
    return response.status, error.code


def test_the_limits_are_api_gateways_unless_set() -> None:
    """Each may be set for a test by its variable; the others stay as they are in AWS."""
    settings = from_environment({"GATEWAY_IDLE_S": "0.5", "GATEWAY_SEND_BUFFER_MESSAGES": "7"})
    assert (settings.idle_s, settings.send_buffer_messages) == (0.5, 7)
    assert (settings.lifetime_s, settings.frame_bytes, settings.message_bytes) == (7200, 32 * 1024, 128 * 1024)
    assert (settings.body_bytes, settings.connects_per_s) == (10 * 1024 * 1024, 500)


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


async def test_a_long_address_is_400() -> None:
    """API Gateway's 10,240 bytes of request line and headers; past them the answer still has our shape."""
    async with house() as h:
        async with h.http.get(f"{h.public}/api/things?q={'x' * 11_000}") as response:
            assert await refused(response) == (400, Code.REQUEST_TOO_LARGE)
        async with h.http.get(f"{h.public}/api/things?q={'x' * 9_000}") as response:
            assert response.status == 200


async def test_a_line_feed_in_an_address_is_part_of_it() -> None:
    """An escaped line feed reaches the same routes and refusals as any other character."""
    async with house() as h, h.http.get(URL(f"{h.public}/api/no%0Ahow", encoded=True)) as response:
        assert await refused(response) == (404, Code.ROUTE_UNKNOWN)


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
