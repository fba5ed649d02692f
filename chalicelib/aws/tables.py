"""pynamodb models, bound to a deployment; and its errors, said in our words.

A room's store declares a Model once, without a place. `bind` makes of it a class for one table in one region, so that several
deployments (or tests) live in one process; the local system creates tables from the bound class and infra reads its
schema. Expected outcomes (a failed condition, an absent item) stay the store's to judge; what nobody can judge there, a
database that does not answer, leaves as UPSTREAM_UNAVAILABLE.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Final, TypeVar, cast

from botocore.exceptions import BotoCoreError
from pynamodb.exceptions import PynamoDBException, TransactWriteError
from pynamodb.models import MetaModel, Model

from chalicelib.aws import log
from chalicelib.wire.codes import Code
from chalicelib.wire.errors import AppError

M = TypeVar("M", bound=Model)

CONDITION_FAILED: Final = "ConditionalCheckFailedException"
_CANCELED: Final = "TransactionCanceledException"
_CONNECT_TIMEOUT_S: Final = 2
_READ_TIMEOUT_S: Final = 5
_RETRIES: Final = 3
_POOL: Final = 32
_BUSY: Final = frozenset(
    {
        "InternalServerError",
        "InternalFailure",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "ServiceUnavailable",
        "ServiceUnavailableException",
        "ThrottlingException",
        "TransactionConflictException",
        "TransactionInProgressException",
    }
)


def bind(model: type[M], table_name: str, *, region: str, host: str | None = None) -> type[M]:
    """The model on one table. `host` is an endpoint URL; None is the region's own.

    The result carries its own connection and its own copies of the indexes (`Bound.by_user.query(...)`).
    """
    meta = type(
        "Meta",
        (cast(type, model.Meta),),
        {
            "table_name": table_name,
            "region": region,
            "host": host,
            "connect_timeout_seconds": _CONNECT_TIMEOUT_S,
            "read_timeout_seconds": _READ_TIMEOUT_S,
            "max_retry_attempts": _RETRIES,
            "max_pool_connections": _POOL,
        },
    )
    namespace = {"Meta": meta, "_connection": None, "__module__": model.__module__}
    return cast(type[M], MetaModel(model.__name__, (model,), namespace))


def share_client(models: Iterable[type[Model]]) -> None:
    """Makes one botocore client for all of the models, now.

    pynamodb makes one for each model when it is first used (some 100 ms of CPU), and as many as there are threads that
    come at that moment.
    """
    client = None
    for model in models:
        connection = model._get_connection().connection
        client = client or connection.client
        connection._client = client


def condition_failed(exc: PynamoDBException) -> bool:
    """Whether a conditional write of one item found another state."""
    return exc.cause_response_code == CONDITION_FAILED


def cancellations(exc: TransactWriteError) -> tuple[str, ...]:
    """Why each item of a cancelled transaction failed, in its order; "" for one that did not.

    Empty where the transaction was not cancelled but refused. Codes are DynamoDB's: `ConditionalCheckFailed`,
    `TransactionConflict`, `ThrottlingError`.
    """
    if exc.cause_response_code != _CANCELED:
        return ()
    return tuple(reason.code if reason else "" for reason in exc.cancellation_reasons)


@contextmanager
def reaching(operation: str) -> Iterator[None]:
    """Wraps calls to a table: an unreachable or busy database raises UPSTREAM_UNAVAILABLE.

    Everything else passes: failed conditions and cancellations for the store, a broken request for the edge (500).
    """
    try:
        yield
    except PynamoDBException as exc:
        code = exc.cause_response_code
        if code in _BUSY or isinstance(exc.cause, BotoCoreError):
            log.warning("dynamodb.unavailable", operation=operation, reason=code or type(exc.cause).__name__)
            raise AppError(Code.UPSTREAM_UNAVAILABLE, retry_after_ms=500) from exc
        raise
