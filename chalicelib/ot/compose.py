"""Composing: two transactions of one editor, made one after the other, as one. Only what was never sent is composed.

Normal form: within a transaction, a register that is written again keeps only the last value, integers add up, edits of
one text become one edit, and what happens to an entity that the same transaction created goes into its creation.
"""

from collections.abc import Sequence

from msgspec.structs import replace

from chalicelib.ot.apply import apply
from chalicelib.ot.state import Entity
from chalicelib.ot.text import compose_edits
from chalicelib.ot.transform import overlapping, register_of
from chalicelib.ot.validate import fits, fits_edit
from chalicelib.wire import limits
from chalicelib.wire.operations import Add, Create, Move, Operation, Set, Text


def compose(first: Sequence[Operation], second: Sequence[Operation]) -> tuple[Operation, ...]:
    """Both, one after the other, in normal form."""
    done: list[Operation] = list(first)
    for operation in second:
        _append(done, operation)
    return tuple(done)


def _append(done: list[Operation], new: Operation) -> None:
    for place in reversed(range(len(done))):
        old = done[place]
        if old.id != new.id:
            continue
        if isinstance(old, Create):
            merged = _into_creation(old, new)
            if merged is None:
                break
            done[place] = merged
            return
        one, other = register_of(old), register_of(new)
        if one is None or other is None or not overlapping(one, other):
            continue
        combined = _combined(old, new)
        if combined is None:
            break
        done[place] = combined
        return
    done.append(new)


def _combined(old: Operation, new: Operation) -> Operation | None:
    """What is left of two at one register, in the old one's place; None if both have to stay as they are."""
    if getattr(old, "guard", None) is not None or getattr(new, "guard", None) is not None:
        return None
    if isinstance(new, Set) and isinstance(old, Set | Add | Text):
        within = len(old.path) >= len(new.path)  # a value that is set deeper in it is another matter
        leaves_objects = new.absent and len(new.path) > 1  # those that the old one made on its way
        return new if within and not leaves_objects else None
    if register_of(old) != register_of(new):
        return None
    if isinstance(new, Move):
        return None  # where something may go depends on what moved in between
    if isinstance(old, Add) and isinstance(new, Add):
        by = old.by + new.by
        return replace(new, by=by) if abs(by) <= limits.INTEGER_MAX else None
    if isinstance(old, Text) and isinstance(new, Text):
        edit = compose_edits(old.edit, new.edit)
        return replace(new, edit=edit) if fits_edit(edit) else None
    return None


def _into_creation(created: Create, new: Operation) -> Create | None:
    """A creation that has the change in it already, where it takes effect at once and the creation stays valid."""
    if not isinstance(new, Set | Add | Text):
        return None
    entities = {created.id: Entity(props=created.props)}
    if apply(entities, new) is not None:
        return None
    props = entities[created.id].props
    return replace(created, props=props) if fits(props) else None
