"""A coturn for all. Without coturn these tests are skipped, and the run says so."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.conftest import browser
from tests.turn.server import TURNSERVER, Coturn

__all__ = ["browser"]


@pytest.fixture(scope="session")
def coturn(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Coturn]:
    """Started once, as the stack starts it, on this machine."""
    if TURNSERVER is None:
        pytest.skip("coturn is not installed (apt-get install coturn)")
    with Coturn(tmp_path_factory.mktemp("coturn")) as running:
        yield running


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """For a server of the test's own."""
    if TURNSERVER is None:
        pytest.skip("coturn is not installed (apt-get install coturn)")
    return tmp_path
