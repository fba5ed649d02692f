"""The two databases of one machine: Amazon's emulator keeps its data on disk, moto loses nothing under concurrency."""

import os
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from benchmarks.client import Api
from chalicelib.wire.bodies import Session
from local import dynamodb
from local.process import free_port
from local.stack import Stack
from local.system import ROOT


@pytest.mark.timeout(300)
async def test_what_is_on_disk_survives_a_restart(tmp_path: Path) -> None:
    """The session is there again, and its owner's token still opens it."""
    if reason := dynamodb.unavailable():
        pytest.skip(reason)
    with Stack(dynamodb="local", workers=1, data=tmp_path) as stack:
        async with Api(stack.base_url) as api:
            owner = await api.guest("Ada")
            made = await api.create(owner, "Kept")
    with Stack(dynamodb="local", workers=1, data=tmp_path) as stack:
        async with Api(stack.base_url) as api:
            found = await api.call("GET", f"/sessions/{made.session_id}", owner, type_=Session)
    assert (found.name, found.owner_id) == ("Kept", owner.user_id)


# -- what is missing is said in one line --


def program(folder: Path, name: str, script: str = "exit 0") -> None:
    """A program on a PATH of its own."""
    path = folder / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


def test_without_java_it_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Even where the emulator itself was fetched before."""
    monkeypatch.setenv("PATH", str(tmp_path))
    reason = dynamodb.unavailable()
    assert reason == "Java 17 is not installed (apt-get install openjdk-17-jre-headless maven)"


def test_without_maven_it_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the emulator was not fetched yet."""
    program(tmp_path, "java")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert dynamodb.unavailable(tmp_path / "cache") == "Maven is not installed (apt-get install maven)"


def test_a_fetch_that_fails_is_one_line_and_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a network, for example."""
    program(tmp_path, "java")
    program(tmp_path, "mvn", "echo '[ERROR] no network'; echo more; exit 1")
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    cache = tmp_path / "parent" / "cache"
    reason = dynamodb.unavailable(cache)
    assert reason == "Maven could not fetch DynamoDB Local: [ERROR] no network"
    assert not cache.exists()


def test_it_is_fetched_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whole or not at all, and the second time without Maven."""
    program(tmp_path, "java")
    program(tmp_path, "mvn", 'for a in "$@"; do case "$a" in -DoutputDirectory=*) mkdir -p "${a#*=}";; esac; done')
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    cache = tmp_path / "cache"
    assert dynamodb.unavailable(cache) is None
    (tmp_path / "mvn").unlink()
    monkeypatch.setenv("PATH", str(tmp_path))
    assert dynamodb.unavailable(cache) is None
    assert [p.name for p in cache.iterdir()] == ["complete"]


# -- moto --


@pytest.fixture
def moto() -> Iterator[str]:
    """moto as the system starts it."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    keys = {"AWS_ACCESS_KEY_ID": "local", "AWS_SECRET_ACCESS_KEY": "local", "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "local.moto_server", str(port)]
    process = subprocess.Popen(command, cwd=ROOT, env={**os.environ, **keys})
    try:
        dynamodb.wait_until_up(f"{url}/moto-api/", process)
        yield url
    finally:
        process.terminate()
        assert process.wait(10) == 0


def client(url: str) -> Any:
    """A client that hides no failure by trying again."""
    return boto3.client(
        "dynamodb",
        endpoint_url=url,
        region_name="us-east-1",
        aws_access_key_id="local",
        aws_secret_access_key="local",
        config=Config(retries={"total_max_attempts": 1}),
    )


def put(url: str, who: int, count: int) -> list[str]:
    """Puts items one after the other."""
    db = client(url)
    keys = [f"{who}-{i}" for i in range(count)]
    for key in keys:
        db.put_item(TableName="t", Item={"k": {"S": key}})
    return keys


def fail(url: str, who: int, count: int) -> list[str]:
    """Transactions that write and whose condition fails: nothing of them may stay, and nothing of others may go."""
    db = client(url)
    for i in range(count):
        items = [
            {"Put": {"TableName": "t", "Item": {"k": {"S": f"never-{who}-{i}"}}}},
            {
                "ConditionCheck": {
                    "TableName": "t",
                    "Key": {"k": {"S": "absent"}},
                    "ConditionExpression": "attribute_exists(k)",
                }
            },
        ]
        with pytest.raises(ClientError) as caught:
            db.transact_write_items(TransactItems=items)
        assert caught.value.response["Error"]["Code"] == "TransactionCanceledException"
    return []


def test_moto_loses_nothing_beside_failing_transactions(moto: str) -> None:
    """Eight threads: every put is there afterwards, and nothing of the transactions is."""
    db = client(moto)
    db.create_table(
        TableName="t",
        KeySchema=[{"AttributeName": "k", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "k", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    with ThreadPoolExecutor(8) as pool:
        works = [pool.submit(put if n % 2 else fail, moto, n, 40) for n in range(8)]
        expected = {key for work in works for key in work.result()}
    pages = db.get_paginator("scan").paginate(TableName="t")
    assert {item["k"]["S"] for page in pages for item in page["Items"]} == expected
    assert len(expected) == 160
