"""The feed in DynamoDB. Table `activity`: PK session_id, SK zero-padded milliseconds, `#`, mark; TTL `expires_at`."""

import msgspec
from pynamodb.attributes import NumberAttribute, UnicodeAttribute
from pynamodb.models import Model

from chalicelib.activity.model import Entry
from chalicelib.aws.tables import reaching
from chalicelib.sessions.paging import Position
from chalicelib.wire import limits


class ActivityModel(Model):
    """The shape of the activity table."""

    class Meta:
        """Bound to a deployment by wiring."""

        table_name = "activity"
        billing_mode = "PAY_PER_REQUEST"

    session_id = UnicodeAttribute(hash_key=True)
    sk = UnicodeAttribute(range_key=True)
    kind = UnicodeAttribute(null=True)
    user_id = UnicodeAttribute(null=True)
    name = UnicodeAttribute(null=True)
    detail = UnicodeAttribute(null=True)
    expires_at = NumberAttribute(null=True)


class ActivityStore:
    """The Feed that is real."""

    def __init__(self, model: type[ActivityModel]) -> None:
        self._model = model

    def append(self, entry: Entry) -> None:
        """Stores an entry for ACTIVITY_TTL_S."""
        with reaching("activity.append"):
            self._model(
                entry.session_id,
                _sk(entry.position),
                kind=entry.kind,
                user_id=entry.user_id,
                name=entry.name,
                detail=msgspec.json.encode(entry.detail).decode(),
                expires_at=entry.at_ms // 1000 + limits.ACTIVITY_TTL_S,
            ).save()

    def page(self, session_id: str, *, limit: int, after: Position | None) -> tuple[tuple[Entry, ...], Position | None]:
        """One page; one more is read, to know whether there is another."""
        start = None if after is None else {"session_id": {"S": session_id}, "sk": {"S": _sk(after)}}
        with reaching("activity.page"):
            items = list(
                self._model.query(session_id, scan_index_forward=False, limit=limit + 1, last_evaluated_key=start)
            )
        entries = tuple(_entry(item) for item in items[:limit])
        return entries, entries[-1].position if len(items) > limit else None

    def erase(self, session_id: str) -> None:
        """Deletes every entry of a session."""
        with reaching("activity.erase"), self._model.batch_write() as batch:
            for item in self._model.query(session_id, attributes_to_get=["session_id", "sk"]):
                batch.delete(item)


def _sk(position: Position) -> str:
    return f"{position.at_ms:015d}#{position.key}"


def _entry(item: ActivityModel) -> Entry:
    at_ms, _, mark = item.sk.partition("#")
    return Entry(
        session_id=item.session_id,
        at_ms=int(at_ms),
        mark=mark,
        kind=item.kind,
        user_id=item.user_id,
        name=item.name,
        detail=msgspec.json.decode(item.detail, type=dict[str, str]),
    )
