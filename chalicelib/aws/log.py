"""Structured logs: one event per decision, `noun.verb` plus fields. Never tokens, SDP or what people wrote."""

import os
from contextvars import ContextVar
from typing import Final

from aws_lambda_powertools import Logger

correlation_id: Final[ContextVar[str]] = ContextVar("correlation_id", default="-")

_logger: Final = Logger(
    service=os.environ.get("POWERTOOLS_SERVICE_NAME", "holodeck"),
    level=os.environ.get("LOG_LEVEL", "INFO"),
    location=None,
)

Field = str | int | float | bool | None


def event(name: str, **fields: Field) -> None:
    """Logs what was decided."""
    _logger.info(name, extra={"correlation_id": correlation_id.get(), **fields})


def warning(name: str, **fields: Field) -> None:
    """Logs what someone may have to look at."""
    _logger.warning(name, extra={"correlation_id": correlation_id.get(), **fields})


def failure(name: str, **fields: Field) -> None:
    """Logs the exception that is being handled, with its trace."""
    _logger.exception(name, extra={"correlation_id": correlation_id.get(), **fields})
