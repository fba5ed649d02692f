"""Least privilege from both sides: what the functions ask for in a session's life is what their roles allow."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from infra.names import FUNCTIONS
from infra.policies import CONNECTION_METHODS, OBJECT_ACTIONS, RECORDING_ACTIONS, SERVICE_ACTIONS, TABLE_ACTIONS

Calls = set[tuple[str, str]]


@pytest.fixture(scope="module")
def asked() -> dict[str, Calls]:
    """What each function called, in a process of its own."""
    command = [sys.executable, "-m", "tests.infra.recorder"]
    root = Path(__file__).parent.parent.parent
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    calls = [(f, what, action) for f, what, action in json.loads(done.stdout)]
    return {function: {(what, action) for f, what, action in calls if f == function} for function in FUNCTIONS}


def allowed(function: str) -> Calls:
    """What its role allows of tables and connections."""
    tables = {(table, action) for table, actions in TABLE_ACTIONS[function].items() for action in actions}
    objects = {("objects", action) for action in OBJECT_ACTIONS[function]}
    objects |= {("recordings", action) for action in RECORDING_ACTIONS[function]}
    service = {("ecs", action) for action in SERVICE_ACTIONS[function]}
    return tables | objects | service | {("execute-api", method) for method in CONNECTION_METHODS[function]}


@pytest.mark.parametrize("function", list(FUNCTIONS))
def test_a_function_may_do_all_that_it_does(asked: dict[str, Calls], function: str) -> None:
    """A call that its role does not allow would fail in AWS only."""
    assert asked[function] - allowed(function) == set()


@pytest.mark.parametrize("function", list(FUNCTIONS))
def test_a_function_may_do_nothing_else(asked: dict[str, Calls], function: str) -> None:
    """A permission that nothing uses is taken away, or the session's life in `life` lacks something."""
    assert allowed(function) - asked[function] == set()
