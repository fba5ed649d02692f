"""Every message and every body survives encoding and decoding; and whatever is one key more is refused."""

import inspect
import json
from typing import Any, get_args

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chalicelib.wire import bodies, documents
from chalicelib.wire.decode import decode_body, decode_client_message, decode_server_message, encode
from chalicelib.wire.errors import AppError
from chalicelib.wire.messages import ClientMessage, ServerMessage
from tests.fakes.values import values

BODIES = [
    body
    for module in (bodies, documents)
    for _, body in inspect.getmembers(module, inspect.isclass)
    if body.__module__ == module.__name__ and issubclass(body, msgspec.Struct)
]
QUICK = settings(max_examples=15, suppress_health_check=list(HealthCheck), deadline=None)


@pytest.mark.parametrize("body", BODIES, ids=lambda b: b.__name__)
@QUICK
@given(data=st.data())
def test_a_body_survives_the_wire(body: type[msgspec.Struct], data: st.DataObject) -> None:
    """Decoded, encoded, decoded: the same value."""
    drawn = data.draw(values(body))
    value: Any = decode_body(json.dumps(drawn, ensure_ascii=False), body)
    assert decode_body(encode(value), body) == value


@pytest.mark.parametrize("body", BODIES, ids=lambda b: b.__name__)
@QUICK
@given(data=st.data())
def test_a_body_with_an_unknown_key_is_refused(body: type[msgspec.Struct], data: st.DataObject) -> None:
    """Whichever body."""
    drawn = {**data.draw(values(body)), "no_such_key": 1}
    with pytest.raises(AppError):
        decode_body(json.dumps(drawn), body)


@pytest.mark.parametrize("message", get_args(ClientMessage), ids=lambda m: m.__name__)
@QUICK
@given(data=st.data())
def test_a_clients_message_survives_the_wire(message: type[msgspec.Struct], data: st.DataObject) -> None:
    """And is told from the others by its type."""
    value = decode_client_message(json.dumps(data.draw(values(message))))
    assert type(value) is message
    assert decode_client_message(encode(value)) == value


@pytest.mark.parametrize("message", get_args(ServerMessage), ids=lambda m: m.__name__)
@QUICK
@given(data=st.data())
def test_a_servers_message_survives_the_wire(message: type[msgspec.Struct], data: st.DataObject) -> None:
    """And is told from the others by its type."""
    value = decode_server_message(json.dumps(data.draw(values(message))))
    assert type(value) is message
    assert decode_server_message(encode(value)) == value
