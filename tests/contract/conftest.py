"""The databases that every store's contract runs on, and a line in the summary when one of them could not be had.

`memory` stands for the fakes; `moto` is a moto server in this process that takes one request at a time (moto's tables
are not safe under concurrency); `dynamodb-local` is Amazon's own emulator, which needs Java and (the first time) Maven.
"""

import os
import threading
from collections.abc import Iterator

import pytest
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import make_server

from local import dynamodb
from local.moto_server import Quiet, Serialised
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
    application = Serialised(DomainDispatcherApplication(create_backend_app))
    server = make_server(
        "127.0.0.1",
        0,
        application,
        threaded=True,
        request_handler=Quiet,
    )
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


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
