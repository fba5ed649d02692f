"""The databases that every store's contract runs on, and a line in the summary when one of them could not be had.

`memory` stands for the fakes; `moto` is the local system's own moto server; `dynamodb-local` is
Amazon's own emulator, which needs Java and (the first time) Maven.
"""

import os
import subprocess
import sys
from collections.abc import Iterator

import pytest

from local import dynamodb
from local.process import free_port
from local.system import ROOT
from tests.contract.tables import Database

_absent = pytest.StashKey[str | None]()
_KINDS = ("memory", "moto", "dynamodb-local")


def pytest_configure() -> None:
    """Credentials that nobody checks."""
    os.environ.setdefault("AWS_ACCESS_KEY_ID", "local")
    os.environ.setdefault("AWS_SECRET_ACCESS_KEY", "local")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Runs a contract on every database there is."""
    if "database" not in metafunc.fixturenames:
        return
    stash = metafunc.config.stash
    if _absent not in stash:
        stash[_absent] = dynamodb.unavailable()
    kinds = _KINDS if stash[_absent] is None else _KINDS[:-1]
    metafunc.parametrize("database", kinds, indirect=True)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Says what the contracts did not run on, and why."""
    reason = config.stash.get(_absent, None)
    if reason is not None:
        terminalreporter.write_line(f"The contracts did NOT run on DynamoDB Local: {reason}", yellow=True)


@pytest.fixture(scope="session")
def moto_endpoint() -> Iterator[str]:
    """A moto server for the whole run."""
    port = free_port()
    process = subprocess.Popen([sys.executable, "-m", "local.moto_server", str(port)], cwd=ROOT)
    endpoint = f"http://127.0.0.1:{port}"
    dynamodb.wait_until_up(endpoint, process)
    yield endpoint
    process.kill()
    process.wait()


@pytest.fixture(scope="session")
def emulator_endpoint() -> Iterator[str]:
    """Amazon's DynamoDB Local for the whole run, in memory."""
    with dynamodb.DynamoDBLocal() as endpoint:
        yield endpoint


@pytest.fixture
def database(request: pytest.FixtureRequest) -> Database:
    """One of the databases; a store takes tables of its own in it."""
    kind = str(request.param)
    if kind == "memory":
        return Database(kind, None)
    fixture = "moto_endpoint" if kind == "moto" else "emulator_endpoint"
    return Database(kind, request.getfixturevalue(fixture))
