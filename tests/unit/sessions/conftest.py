"""The sessions room over fakes."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

import pytest

from chalicelib.wire.codes import Code
from chalicelib.wire.errors import AppError
from tests.fakes.sessions import House

Refused = Callable[[Code], AbstractContextManager[None]]


@pytest.fixture
def house() -> House:
    """An empty room of the code."""
    return House()


@pytest.fixture
def refused() -> Refused:
    """`with refused(code):` passes when just that code is raised."""

    @contextmanager
    def check(code: Code) -> Iterator[None]:
        with pytest.raises(AppError) as caught:
            yield
        assert caught.value.code is code

    return check
