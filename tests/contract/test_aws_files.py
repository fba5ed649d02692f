"""Files in a bucket, against moto's S3: lists, ranges, multipart uploads, signed addresses."""

import asyncio
import random
import urllib.request
from collections.abc import AsyncIterator

import boto3
import pytest

from chalicelib.aws.credentials import keyring
from chalicelib.aws.files import PART_BYTES, FileStore
from chalicelib.aws.sigv4 import Credentials
from chalicelib.wire.codes import Code
from chalicelib.wire.errors import AppError

TEXT = "text/plain"


@pytest.fixture
async def files(moto_endpoint: str) -> AsyncIterator[FileStore]:
    """An empty bucket."""
    keyring().current = Credentials("local", "local", None)
    name = f"files{random.getrandbits(60)}"
    s3 = boto3.client("s3", endpoint_url=moto_endpoint, region_name="us-east-1")
    s3.create_bucket(Bucket=name)
    made = FileStore(name, moto_endpoint, "us-east-1")
    yield made
    await made.close()


async def test_a_file_and_spans_of_it(files: FileStore) -> None:
    """What is beyond its end is nothing, and what is not there is none."""
    assert await files.read("a/b.txt") is None
    await files.put("a/b.txt", b"0123456789", TEXT)
    assert await files.read("a/b.txt") == b"0123456789"
    assert await files.read("a/b.txt", 3, 4) == b"3456"
    assert await files.read("a/b.txt", 8, 10) == b"89"
    assert await files.read("a/b.txt", 10, 10) is None
    await files.delete("a/b.txt")
    await files.delete("a/b.txt")
    assert await files.read("a/b.txt") is None


async def test_keys_are_listed_in_order_page_by_page(files: FileStore) -> None:
    """More than one answer has; of another prefix none; and they are removed at once."""
    names = [f"p/{n:05d}" for n in range(1005)]
    for first in range(0, len(names), 100):
        await asyncio.gather(*(files.put(name, b"x", TEXT) for name in names[first : first + 100]))
    await files.put("q/0", b"x", TEXT)
    assert [key async for key in files.keys("p/")] == names
    await files.delete_all("p/")
    assert [key async for key in files.keys("")] == ["q/0"]


@pytest.mark.parametrize("size", [0, 10, PART_BYTES, 2 * PART_BYTES + 7])
async def test_a_file_that_is_written_as_a_stream(files: FileStore, size: int) -> None:
    """Small ones at once, large ones in parts; it is there when it is finished."""
    data = random.Random(size).randbytes(size)
    upload = files.upload("big", TEXT)
    for at in range(0, size, 700_001):
        await upload.write(data[at : at + 700_001])
    assert await files.read("big") is None
    await upload.finish()
    assert await files.read("big") == (data or None)


async def test_whoever_has_the_address_reads_the_file(files: FileStore) -> None:
    """And keeps it under a name of ours, whatever the recording was called."""
    await files.put("a.ogg", b"sound", "audio/ogg")
    url = files.url("a.ogg", 900, download_as='Ünï"\r\n<x>.ogg')
    reply = await asyncio.to_thread(urllib.request.urlopen, url)
    with reply:
        assert reply.read() == b"sound"
        assert reply.headers["content-disposition"] == 'attachment; filename="_n_____x_.ogg"'
    assert "content-disposition" not in files.url("a.ogg", 900)


async def test_a_bucket_that_is_not_there(files: FileStore, moto_endpoint: str) -> None:
    """Is unavailable, in the contract's words."""
    none = FileStore("nowhere0", moto_endpoint, "us-east-1")
    with pytest.raises(AppError) as caught:
        await none.put("a", b"", TEXT)
    assert caught.value.code is Code.UPSTREAM_UNAVAILABLE
    await none.close()
