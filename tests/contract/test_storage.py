"""Objects in a bucket, over moto's S3: what was put is got, what was deleted is gone, a store that is down says so."""

import uuid

import boto3
import pytest

from chalicelib.aws.storage import ObjectStore
from chalicelib.wire.codes import Code
from chalicelib.wire.errors import AppError
from local.process import free_port

KEY = f"snapshots/doc_{1:020}/0000000000000500.json.z"
REGION = "us-east-1"


@pytest.fixture
def bucket(moto_endpoint: str) -> str:
    """An empty one."""
    name = f"b{uuid.uuid4().hex[:12]}"
    boto3.client("s3", endpoint_url=moto_endpoint, region_name=REGION).create_bucket(Bucket=name)
    return name


async def test_what_was_put_is_got_until_it_is_deleted(moto_endpoint: str, bucket: str) -> None:
    """Bytes as they are; the last put counts; deleting twice harms nothing."""
    store = ObjectStore(bucket, moto_endpoint, REGION)
    assert await store.get(KEY) is None
    await store.put(KEY, b"first")
    await store.put(KEY, bytes(range(256)) * 1000)
    assert await store.get(KEY) == bytes(range(256)) * 1000
    await store.delete(KEY)
    await store.delete(KEY)
    assert await store.get(KEY) is None
    await store.close()


async def test_a_store_that_refuses_or_is_not_there_is_unavailable(moto_endpoint: str) -> None:
    """A typed error that says when to try again."""
    refusing = ObjectStore("nobodys-bucket", moto_endpoint, REGION)
    absent = ObjectStore("b", f"http://127.0.0.1:{free_port()}", REGION)
    for store in (refusing, absent):
        with pytest.raises(AppError) as caught:
            await store.put(KEY, b"x")
        assert caught.value.code is Code.UPSTREAM_UNAVAILABLE
        assert caught.value.retry_after_ms
        await store.close()


def test_in_aws_the_bucket_is_in_the_hosts_name() -> None:
    """Virtual-hosted addressing (Amazon S3 documentation)."""
    assert ObjectStore("b", None, "eu-west-1")._client._http.host == "b.s3.eu-west-1.amazonaws.com"
