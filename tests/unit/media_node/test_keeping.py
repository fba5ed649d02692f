"""A busy document's state is followed each time, and stored now and then."""

from chalicelib.wire.codes import Code
from chalicelib.wire.errors import AppError
from media_node.keeping import STORE_MS, Keeping
from tests.fakes.time import VirtualTime


class Followed:
    """States that say what was asked of them."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    async def at(self, document_id: str, revision: int | None = None) -> None:
        self.asked.append(f"at {document_id}")

    async def keep_up(self, document_id: str, head: int) -> None:
        self.asked.append(f"store {document_id} {head}")


async def test_a_document_is_followed_often_and_stored_now_and_then() -> None:
    """Each by its own time."""
    clock, states = VirtualTime(), Followed()
    keeping = Keeping(states, clock.now_ms)
    await keeping.keep_up("a", 500)
    await keeping.keep_up("a", 1000)
    await keeping.keep_up("b", 700)
    clock.at_ms += STORE_MS
    await keeping.keep_up("a", 1500)
    assert states.asked == ["at a", "store a 500", "at a", "at b", "store b 700", "at a", "store a 1500"]


async def test_a_document_that_cannot_be_followed_harms_nobody() -> None:
    """What was committed is answered all the same; the snapshot is tried."""

    class Away(Followed):
        async def at(self, document_id: str, revision: int | None = None) -> None:
            raise AppError(Code.UPSTREAM_UNAVAILABLE)

    states = Away()
    await Keeping(states, VirtualTime().now_ms).keep_up("a", 500)
    assert states.asked == ["store a 500"]
