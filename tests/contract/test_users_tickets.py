"""A ticket is burnt once, on the fake and on real tables."""

import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest

from chalicelib.aws.tables import bind
from chalicelib.users.model import UsedTickets
from chalicelib.users.store import TicketModel, TicketStore
from chalicelib.wire.codes import Code
from chalicelib.wire.errors import AppError
from local.resources import make_table
from tests.contract.tables import Database
from tests.fakes.users import NOW_S, MemoryTickets


def model_of(database: Database) -> type[TicketModel]:
    model = bind(TicketModel, f"t{uuid.uuid4().hex[:12]}-tickets", region="us-east-1", host=database.endpoint)
    make_table(model)
    return model


@pytest.fixture
def tickets(database: Database) -> UsedTickets:
    """An empty table."""
    return MemoryTickets() if database.endpoint is None else TicketStore(model_of(database))


def test_a_ticket_is_burnt_once(tickets: UsedTickets) -> None:
    """True the first time, False ever after."""
    assert tickets.burn("a", NOW_S)
    assert not tickets.burn("a", NOW_S)
    assert not tickets.burn("a", NOW_S + 1)


def test_tickets_do_not_touch_one_another(tickets: UsedTickets) -> None:
    """Each has its own row."""
    assert tickets.burn("a", NOW_S)
    assert tickets.burn("b", NOW_S)
    assert not tickets.burn("a", NOW_S)


def test_of_many_uses_at_once_one_wins(tickets: UsedTickets) -> None:
    """The write is conditional; nothing is read before."""
    with ThreadPoolExecutor(8) as pool:
        won = list(pool.map(lambda _: tickets.burn("a", NOW_S), range(24)))
    assert won.count(True) == 1


def test_two_deployments_in_one_process_keep_apart(database: Database) -> None:
    """A bound model has its own table."""
    if database.endpoint is None:
        return
    first, second = TicketStore(model_of(database)), TicketStore(model_of(database))
    assert first.burn("a", NOW_S)
    assert second.burn("a", NOW_S)
    assert not first.burn("a", NOW_S)


def test_a_row_carries_its_expiry_in_seconds(database: Database) -> None:
    """DynamoDB's TTL reads the attribute `expires_at`."""
    if database.endpoint is None:
        return
    model = model_of(database)
    TicketStore(model).burn("a", NOW_S)
    assert model.get("a").to_dynamodb_dict() == {"jti": {"S": "a"}, "expires_at": {"N": str(NOW_S)}}


def test_a_table_that_is_not_there_is_no_used_ticket(database: Database) -> None:
    """A broken deployment must not look like an answer."""
    if database.endpoint is None:
        return
    model = bind(TicketModel, "no-such-table", region="us-east-1", host=database.endpoint)
    with pytest.raises(Exception, match="ResourceNotFoundException"):
        TicketStore(model).burn("a", NOW_S)


def test_a_database_that_does_not_answer_is_unavailable() -> None:
    """Try again; the ticket is not burnt."""
    model = bind(TicketModel, "tickets", region="us-east-1", host="http://127.0.0.1:9")
    with pytest.raises(AppError) as refused:
        TicketStore(model).burn("a", NOW_S)
    assert refused.value.code is Code.UPSTREAM_UNAVAILABLE
    assert refused.value.retry_after_ms
