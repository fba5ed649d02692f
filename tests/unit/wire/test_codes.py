"""The table of codes is complete, and an `AppError` says what the table says."""

import re

import pytest

from chalicelib.wire.codes import MESSAGE, STATUS, Code
from chalicelib.wire.errors import AppError


@pytest.mark.parametrize("code", Code)
def test_every_code_has_a_status_and_a_message(code: Code) -> None:
    """A code without either would be a KeyError in front of a person."""
    assert 400 <= STATUS[code] <= 599
    assert re.fullmatch(r"[A-Z].+\.", MESSAGE[code])


def test_the_tables_name_nothing_that_is_no_code() -> None:
    """The three are one table."""
    assert set(STATUS) == set(MESSAGE) == set(Code)


@pytest.mark.parametrize("code", Code)
def test_codes_are_dotted_lower_case(code: Code) -> None:
    """`noun.word`, the same string in TypeScript; `internal` is the one without a noun."""
    assert re.fullmatch(r"[a-z_]+\.[a-z_]+|internal", code.value)


def test_a_refused_bearer_is_401_and_a_refused_role_403() -> None:
    """RFC 9110 sections 15.5.2 and 15.5.4."""
    assert {c for c in Code if STATUS[c] == 401} >= {Code.TOKEN_MISSING, Code.TOKEN_INVALID, Code.TOKEN_EXPIRED}
    assert STATUS[Code.ROLE_INSUFFICIENT] == STATUS[Code.IDENTITY_MISMATCH] == 403


def test_an_error_carries_its_codes_status_and_message() -> None:
    """The edge maps it without a table of its own."""
    error = AppError(Code.SESSION_FULL)
    assert (error.status, error.message) == (409, MESSAGE[Code.SESSION_FULL])
    assert str(error) == f"session.full: {MESSAGE[Code.SESSION_FULL]}"
    assert error.retry_after_ms is None


def test_a_detail_is_added_to_the_message() -> None:
    """For a developer, in brackets."""
    error = AppError(Code.BODY_INVALID, "at `$.name`", retry_after_ms=5)
    assert error.message == f"{MESSAGE[Code.BODY_INVALID]} (at `$.name`)"
    assert error.retry_after_ms == 5
