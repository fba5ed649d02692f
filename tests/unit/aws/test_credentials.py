"""Credentials: the environment's, or a task role's, fetched anew before they end."""

import asyncio

import msgspec
import pytest

from chalicelib.aws.credentials import Keyring, of_environment
from chalicelib.aws.sigv4 import Credentials
from tests.fakes.time import VirtualTime


class Role:
    """What ECS serves: other credentials each time, for an hour."""

    def __init__(self, time: VirtualTime) -> None:
        self.time = time
        self.served = 0
        self.failures: list[OSError | bytes] = []

    async def __call__(self) -> bytes:
        """The next ones."""
        if self.failures:
            failure = self.failures.pop(0)
            if isinstance(failure, bytes):
                return failure
            raise failure
        self.served += 1
        ends_s = self.time.at_ms // 1000 + 3600
        stamp = (
            f"1970-01-{ends_s // 86400 + 1:02d}T{ends_s // 3600 % 24:02d}:{ends_s // 60 % 60:02d}:{ends_s % 60:02d}Z"
        )
        return msgspec.json.encode(
            {
                "AccessKeyId": f"A{self.served}",
                "SecretAccessKey": "s",
                "Token": "t",
                "Expiration": stamp,
            }
        )


def test_a_function_has_those_of_its_environment() -> None:
    """With a session token, or without."""
    env = {"AWS_ACCESS_KEY_ID": "A", "AWS_SECRET_ACCESS_KEY": "s", "AWS_SESSION_TOKEN": "t"}
    assert of_environment(env) == Credentials("A", "s", "t")
    assert of_environment({}) == Credentials("", "", None)


async def test_a_tasks_are_fetched_anew_well_before_they_end() -> None:
    """Again and again."""
    time = VirtualTime()
    role, ring = Role(time), Keyring(Credentials("", "", None))
    expires_s = await ring.refresh(role)
    assert (ring.current, expires_s) == (Credentials("A1", "s", "t"), 4600.0)
    keeping = asyncio.ensure_future(ring.keep(role, expires_s, now_s=lambda: time.at_ms / 1000, sleep=time.sleep))
    await time.pass_ms(2900_000)
    assert ring.current.access_key == "A1"
    await time.pass_ms(200_000)
    assert ring.current.access_key == "A2"
    await time.pass_ms(3000_000)
    assert ring.current.access_key == "A3"
    keeping.cancel()


async def test_a_fetch_that_fails_is_tried_again_soon() -> None:
    """The ones that there are hold meanwhile."""
    time = VirtualTime()
    role, ring = Role(time), Keyring(Credentials("", "", None))
    expires_s = await ring.refresh(role)
    role.failures = [OSError("away"), b"not JSON"]
    keeping = asyncio.ensure_future(ring.keep(role, expires_s, now_s=lambda: time.at_ms / 1000, sleep=time.sleep))
    await time.pass_ms(3000_000 + 6000)
    assert ring.current.access_key == "A1"
    await time.pass_ms(6000)
    assert ring.current.access_key == "A2"
    keeping.cancel()


async def test_what_are_no_credentials_are_refused() -> None:
    """Rather than signed with."""
    ring = Keyring(Credentials("A", "s", None))

    async def fetch() -> bytes:
        return b"{}"

    with pytest.raises(ValueError, match="no credentials"):
        await ring.refresh(fetch)
    assert ring.current.access_key == "A"
