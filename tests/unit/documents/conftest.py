"""A house for each test."""

import pytest

from tests.unit.documents.house import House


@pytest.fixture
def house() -> House:
    """Everything new."""
    return House()
