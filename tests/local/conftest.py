"""One running system for the tests here that only need one."""

from collections.abc import Iterator

import pytest

from local.stack import Stack


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    """A running system."""
    with Stack(workers=1) as running:
        yield running
