"""A call that must be refused, and all that its refusal says."""

import msgspec
import pytest

from benchmarks.client import Api, Person, Refused
from chalicelib.endpoint import NAMED_BY
from chalicelib.wire.codes import MESSAGE, STATUS, Code


async def refused(api: Api, code: Code, method: str, path: str, who: Person | None, body: object = None) -> None:
    """With its status, its words and an id to ask about. What the body alone names is no 404."""
    with pytest.raises(Refused) as caught:
        await api.call(method, path, who, body)
    error = caught.value.error
    fields = msgspec.to_builtins(body)
    in_body = isinstance(fields, dict) and NAMED_BY.get(code) in fields
    assert (error.code, caught.value.status) == (code, 409 if in_body else STATUS[code])
    assert error.message.startswith(MESSAGE[code])  # and maybe where
    assert len(error.correlation_id) > 8
