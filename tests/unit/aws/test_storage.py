"""Objects against a real HTTP server that answers as S3 does, well and badly."""

import asyncio

import pytest
from aiohttp import web

from chalicelib.aws.storage import ObjectStore
from chalicelib.wire.codes import Code
from chalicelib.wire.errors import AppError
from tests.unit.aws.test_clients import server


class Bucket:
    """What S3 keeps, by path."""

    def __init__(self) -> None:
        self.kept: dict[str, bytes] = {}

    def __call__(self, request: web.Request) -> web.Response:
        """Answers as S3 does."""
        if request.method == "PUT":
            self.kept[request.path] = request._read_bytes or b""
            return web.Response()
        if request.method == "DELETE":
            self.kept.pop(request.path, None)
            return web.Response(status=204)
        found = self.kept.get(request.path)
        return web.Response(status=404) if found is None else web.Response(body=found)


async def test_objects_are_kept() -> None:
    """Put, read, put anew, removed; one that is not there is no error."""
    bucket = Bucket()
    async with server(bucket) as (url, seen):
        store = ObjectStore("documents", url, "us-east-1")
        assert await store.get("snapshots/doc_1/1.json.z") is None
        for data in (b"\x00\xff one", b"two"):
            await store.put("snapshots/doc_1/1.json.z", data)
            assert await store.get("snapshots/doc_1/1.json.z") == data
        assert list(bucket.kept) == ["/documents/snapshots/doc_1/1.json.z"]
        await store.delete("snapshots/doc_1/1.json.z")
        await store.delete("snapshots/doc_1/1.json.z")
        assert await store.get("snapshots/doc_1/1.json.z") is None
        await store._client.close()
    assert all("/us-east-1/s3/aws4_request" in request.headers["Authorization"] for request in seen)


@pytest.mark.parametrize("status", [403, 500, 503])
async def test_a_bucket_that_refuses(status: int) -> None:
    """Is unavailable, in the contract's words; an error is never taken for an object."""
    async with server(lambda _: web.Response(status=status, body=b"<Error/>")) as (url, _):
        store = ObjectStore("documents", url, "us-east-1")
        for asking in (store.put("k", b"x"), store.get("k"), store.delete("k")):
            with pytest.raises(AppError) as caught:
                await asking
            assert caught.value.code is Code.UPSTREAM_UNAVAILABLE
        await store._client.close()


async def test_nobody_there() -> None:
    """Is unavailable too."""
    store = ObjectStore("documents", "http://127.0.0.1:1", "us-east-1")
    with pytest.raises(AppError) as caught:
        await asyncio.wait_for(store.get("k"), 5)
    assert caught.value.code is Code.UPSTREAM_UNAVAILABLE


def test_in_aws_the_bucket_is_in_the_host() -> None:
    """An emulator has it in the path."""
    assert ObjectStore("documents", None, "eu-west-1")._base == ""
    assert ObjectStore("documents", "http://127.0.0.1:1", "eu-west-1")._base == "/documents"
