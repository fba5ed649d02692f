"""Random documents and edits, small enough that everything collides with everything."""

from hypothesis import strategies as st

from chalicelib.ot.state import Entity, value_at
from chalicelib.ot.text import Edit, Step, normal
from chalicelib.wire.operations import Add, Create, Cut, Delete, Move, Operation, Restore, Set, Text

IDS = ("ada00000.1", "ada00000.2", "ada00000.3")
PATHS = (("a",), ("a", "b"), ("n",), ("t",), ("t", "u", "v"))
TEXT = st.text(alphabet="abé😀", min_size=1, max_size=4)
VALUES = st.one_of(
    st.integers(-5, 5), st.just("text"), TEXT, st.just({"b": 1, "c": [1, 2]}), st.just([1.5, 0, -2]), st.booleans()
)


@st.composite
def edits(draw: st.DrawFn, length: int) -> Edit:
    """An edit of a text of that length, in normal form and not empty."""
    steps: list[Step] = []
    left = length
    for _ in range(draw(st.integers(1, 4))):
        kind = draw(st.sampled_from(("skip", "insert", "delete")))
        if kind == "insert" or left == 0:
            steps.append(draw(TEXT))
        else:
            count = draw(st.integers(1, left))
            left -= count
            steps.append(count if kind == "skip" else Cut(count))
    return normal(steps) or (draw(TEXT),)


@st.composite
def operations(draw: st.DrawFn, entities: dict[str, Entity], new_id: str) -> Operation:
    """Something that an editor who sees `entities` could do."""
    kinds = ["set", "absent", "add", "text", "move", "delete", "restore"] if entities else []
    kind = draw(st.sampled_from(["create", *kinds]))
    parents = st.sampled_from([None, *entities])
    order = draw(st.sampled_from(("A", "V", "z")))
    if kind == "create" and new_id not in entities:
        return Create(id=new_id, parent=draw(parents), order=order, props={"t": draw(TEXT), "n": 1})
    entity_id = draw(st.sampled_from(sorted(entities)))
    path = draw(st.sampled_from(PATHS))
    if kind == "move":
        return Move(id=entity_id, parent=draw(parents.filter(lambda p: p != entity_id)), order=order)
    if kind == "delete":
        return Delete(id=entity_id)
    if kind == "restore":
        return Restore(id=entity_id)
    if kind == "add":
        return Add(id=entity_id, path=path, by=draw(st.integers(-3, 3)))
    if kind == "absent":
        return Set(id=entity_id, path=path, absent=True)
    now = value_at(entities[entity_id].props, path)
    if kind == "text" and (now is None or isinstance(now, str)):
        return Text(id=entity_id, path=path, edit=draw(edits(len(now or ""))))
    return Set(id=entity_id, path=path, value=draw(VALUES))
