"""The documents room by REST: every route answers, with its status and shape, and documents the codes that it answers."""

import asyncio
from collections.abc import Coroutine, Iterator
from typing import Any, TypeVar

import msgspec
import pytest

from chalicelib.documents.routes import routes
from chalicelib.wire.bodies import ErrorBody
from chalicelib.wire.codes import Code
from chalicelib.wire.documents import (
    DocumentList,
    HistoryPage,
    Lock,
    LockList,
    Milestone,
    MilestoneList,
    OperationPage,
    OperationResult,
    RollbackResult,
    SharedDocument,
    Snapshot,
)
from tests.fakes.browser import Browser
from tests.fakes.papers import BOX, SCENE, SESSION, Papers, who

T = TypeVar("T")
LOCKS = f"/collaboration/sessions/{SESSION}/locks"


@pytest.fixture
def browser() -> Iterator[Browser]:
    """A client of a fresh room."""
    papers = Papers()
    with asyncio.Runner() as runner:

        def run(work: Coroutine[Any, Any, T]) -> T:
            return runner.run(work)

        yield Browser(routes(who, lambda: papers.documents, lambda: papers.locks, run=run))


def transaction(seq: int, base: int, client: str = "ada00000") -> dict[str, object]:
    """Sets a property."""
    operation = {"op": "set", "id": BOX, "path": ["n"], "value": seq}
    return {"client": client, "seq": seq, "base": base, "operations": [operation]}


def test_documents(browser: Browser) -> None:
    """Created with 201, listed behind the scene, read, deleted."""
    status, body, _ = browser.call("POST", f"/sessions/{SESSION}/documents", "ada", {"name": "Plan"})
    made = msgspec.convert(body, SharedDocument)
    assert (status, made.name) == (201, "Plan")
    status, body, _ = browser.call("GET", f"/sessions/{SESSION}/documents", "eve")
    listed = msgspec.convert(body, DocumentList).documents
    assert (status, [document.document_id for document in listed]) == (200, [SCENE, made.document_id])
    status, body, _ = browser.call("GET", f"/documents/{made.document_id}", "eve")
    assert (status, msgspec.convert(body, Snapshot).document) == (200, made)
    assert browser.call("DELETE", f"/documents/{made.document_id}", "ada")[0] == 204


def test_operations(browser: Browser) -> None:
    """Committed, read forwards and backwards, and gone back from."""
    for seq in (1, 2, 3):
        status, body, _ = browser.call("POST", f"/documents/{SCENE}/operations", "ada", transaction(seq, seq - 1))
        assert (status, msgspec.convert(body, OperationResult).operation.revision) == (200, seq)
    _, body, _ = browser.call("GET", f"/documents/{SCENE}/operations", "eve", query={"since": "1", "limit": "1"})
    page = msgspec.convert(body, OperationPage)
    assert ([commit.revision for commit in page.operations], page.head) == ([2], 3)
    _, body, _ = browser.call("GET", f"/documents/{SCENE}/history", "eve", query={"limit": "2"})
    history = msgspec.convert(body, HistoryPage)
    assert ([commit.revision for commit in history.entries], history.before) == ([3, 2], 2)
    _, body, _ = browser.call("GET", f"/documents/{SCENE}/history", "eve", query={"before": "2", "entity": BOX})
    assert [commit.revision for commit in msgspec.convert(body, HistoryPage).entries] == [1]
    _, body, _ = browser.call("GET", f"/documents/{SCENE}", "eve", query={"revision": "0"})
    assert msgspec.convert(body, Snapshot).revision == 0
    status, body, _ = browser.call("POST", f"/documents/{SCENE}/rollback", "ada", {"revision": 3})
    assert (status, msgspec.convert(body, RollbackResult).operations) == (200, 0)


def test_milestones(browser: Browser) -> None:
    """Named with 201, listed."""
    status, body, _ = browser.call("POST", f"/documents/{SCENE}/milestones", "ada", {"name": "Start"})
    made = msgspec.convert(body, Milestone)
    assert (status, made.revision) == (201, 0)
    status, body, _ = browser.call("GET", f"/documents/{SCENE}/milestones", "eve")
    assert (status, msgspec.convert(body, MilestoneList).milestones) == (200, (made,))


def test_locks(browser: Browser) -> None:
    """Taken with 201, listed, renewed, let go."""
    status, body, _ = browser.call("POST", LOCKS, "ada", {"object_id": BOX})
    made = msgspec.convert(body, Lock)
    assert (status, made.user_id) == (201, "ada")
    status, body, _ = browser.call("GET", LOCKS, "eve")
    assert (status, msgspec.convert(body, LockList).locks) == (200, (made,))
    status, body, _ = browser.call("PUT", f"{LOCKS}/{BOX}", "ada", {"token": made.token, "ttl_s": 300})
    assert (status, msgspec.convert(body, Lock).expires_at_ms > made.expires_at_ms) == (200, True)
    assert browser.call("DELETE", f"{LOCKS}/{BOX}", "ada")[0] == 204


REFUSALS: list[tuple[str, str, str, object, dict[str, str] | None, Code]] = [
    ("POST", f"/sessions/{SESSION}/documents", "eve", {"name": "Mine"}, None, Code.ROLE_INSUFFICIENT),
    ("GET", f"/sessions/{SESSION}/documents", "zoe", None, None, Code.SESSION_UNKNOWN),
    ("GET", f"/documents/{SCENE}", "zoe", None, None, Code.DOCUMENT_UNKNOWN),
    ("GET", f"/documents/{SCENE}", "ada", None, {"revision": "9"}, Code.REVISION_UNKNOWN),
    ("DELETE", f"/documents/{SCENE}", "ada", None, None, Code.SCENE_REQUIRED),
    ("DELETE", f"/documents/{SCENE}", "bob", None, None, Code.ROLE_INSUFFICIENT),
    ("POST", f"/documents/{SCENE}/operations", "eve", transaction(1, 0), None, Code.ROLE_INSUFFICIENT),
    ("POST", f"/documents/{SCENE}/operations", "ada", transaction(2, 9), None, Code.BASE_AHEAD),
    ("POST", f"/documents/{SCENE}/operations", "bob", transaction(1, 0, "bob00000"), None, Code.LOCK_HELD),
    ("GET", f"/documents/{SCENE}/operations", "zoe", None, None, Code.DOCUMENT_UNKNOWN),
    ("GET", f"/documents/{SCENE}/history", "zoe", None, None, Code.DOCUMENT_UNKNOWN),
    ("POST", f"/documents/{SCENE}/rollback", "ada", {"revision": 9}, None, Code.REVISION_UNKNOWN),
    ("POST", f"/documents/{SCENE}/rollback", "bob", {"revision": 0}, None, Code.LOCK_HELD),
    ("POST", f"/documents/{SCENE}/milestones", "ada", {"name": "N", "revision": 9}, None, Code.REVISION_UNKNOWN),
    ("GET", f"/documents/{SCENE}/milestones", "zoe", None, None, Code.DOCUMENT_UNKNOWN),
    ("POST", LOCKS, "bob", {"object_id": BOX}, None, Code.LOCK_HELD),
    ("POST", LOCKS, "eve", {"object_id": BOX}, None, Code.ROLE_INSUFFICIENT),
    ("GET", LOCKS, "zoe", None, None, Code.SESSION_UNKNOWN),
    ("PUT", f"{LOCKS}/{BOX}", "bob", {"token": 1}, None, Code.LOCK_LOST),
    ("DELETE", f"{LOCKS}/{BOX}", "bob", None, None, Code.LOCK_LOST),
]


@pytest.mark.parametrize(
    ("method", "path", "user_id", "body", "query", "code"),
    REFUSALS,
    ids=[f"{method} {path.rpartition('/')[2]} {code}" for method, path, _, _, _, code in REFUSALS],
)
def test_refusals(
    browser: Browser,
    method: str,
    path: str,
    user_id: str,
    body: object,
    query: dict[str, str] | None,
    code: Code,
) -> None:
    """What is refused answers the code, and every route documents the codes it answers."""
    created = {"client": "ada00000", "seq": 1, "base": 0, "operations": [{"op": "create", "id": BOX}]}
    browser.call("POST", f"/documents/{SCENE}/operations", "ada", created)
    browser.call("POST", LOCKS, "ada", {"object_id": BOX})
    status, answer, _ = browser.call(method, path, user_id, body, query)
    assert msgspec.convert(answer, ErrorBody).code is code
    assert code in browser.endpoint(method, path).errors
    assert status >= 400
