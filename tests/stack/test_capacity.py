"""Seats under a rush, through the whole system."""

import asyncio

import pytest

from benchmarks.client import Api, Refused
from chalicelib.wire.codes import Code
from tests.stack.test_websocket import room

pytestmark = pytest.mark.stack


async def test_200_joins_for_50_seats_admit_50(api: Api) -> None:
    """However many come at once, exactly as many get in as there are seats; the others are told why."""
    owner, session_id = await room(api, max_participants=50)
    people = await asyncio.gather(*(api.guest(f"Person {i}") for i in range(200)))
    outcomes = await asyncio.gather(*(api.join(p, session_id) for p in people), return_exceptions=True)
    refused = [o for o in outcomes if isinstance(o, Refused)]
    assert {o.error.code for o in refused} == {Code.SESSION_FULL}
    assert len(outcomes) - len(refused) == 50
    session: dict[str, int] = await api.call("GET", f"/sessions/{session_id}", owner)
    assert session["participant_count"] == 50
