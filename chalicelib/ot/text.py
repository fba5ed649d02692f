"""Text: the one kind of operation that others really move. Positions are code points; an edit walks from the start.

An edit is a list of steps: a number skips, a string inserts, `Cut(n)` deletes. Normal form, which every function here
returns: no step is empty, no two in a row are of one kind, an insertion stands before a deletion at the same
place, and none ends by skipping. After Ellis and Gibbs (1989); ties go to the earlier commit, which stays left.
"""

from collections.abc import Iterable, Sequence
from typing import Final

from chalicelib.wire.operations import Cut

Step = int | str | Cut
Edit = tuple[Step, ...]
NOTHING: Final[Edit] = ()


def apply_edit(text: str, edit: Sequence[Step]) -> str:
    """The edited text. Steps past its end skip and delete nothing."""
    parts, at = [], 0
    for step in edit:
        if isinstance(step, str):
            parts.append(step)
        elif isinstance(step, int):
            parts.append(text[at : at + step])
            at += step
        else:
            at += step.d
    parts.append(text[at:])
    return "".join(parts)


def normal(steps: Iterable[Step]) -> Edit:
    """The same edit in normal form."""
    done: list[Step] = []
    inserted, deleted, skipped = "", 0, 0
    for step in steps:
        if isinstance(step, int):
            if step and (inserted or deleted):
                _put(done, skipped, inserted, deleted)
                inserted, deleted, skipped = "", 0, 0
            skipped += step
        elif isinstance(step, str):
            inserted += step
        else:
            deleted += step.d
    if inserted or deleted:
        _put(done, skipped, inserted, deleted)
    return tuple(done)


def _put(done: list[Step], skipped: int, inserted: str, deleted: int) -> None:
    if skipped:
        done.append(skipped)
    if inserted:
        done.append(inserted)
    if deleted:
        done.append(Cut(deleted))


def transform_edit(edit: Sequence[Step], other: Sequence[Step], *, earlier: bool) -> Edit:
    """`edit` as it has to be after `other`, where both were made on the same text.

    `earlier`: whether `edit` comes before `other` in the log; of two insertions at one place the earlier one is left.
    """
    done: list[Step] = []
    mine, theirs = _Walk(edit), _Walk(other)
    while not mine.over:
        if isinstance(mine.step, str) and (earlier or not isinstance(theirs.step, str)):
            done.append(mine.take_all())
        elif isinstance(theirs.step, str):
            done.append(len(str(theirs.take_all())))
        else:
            length = min(mine.left, theirs.left)
            deletes, deleted = isinstance(mine.step, Cut), isinstance(theirs.step, Cut)
            mine.take(length)
            theirs.take(length)
            if not deleted:
                done.append(Cut(length) if deletes else length)
    return normal(done)


def compose_edits(first: Sequence[Step], second: Sequence[Step]) -> Edit:
    """One edit that does both, one after the other."""
    done: list[Step] = []
    one, two = _Walk(first), _Walk(second)
    while not (one.over and two.over):
        if isinstance(one.step, Cut):
            done.append(one.take_all())
        elif isinstance(two.step, str):
            done.append(two.take_all())
        elif isinstance(one.step, str):
            length = min(one.left, two.left)
            inserted = one.take_text(length)
            if not isinstance(two.step, Cut):
                done.append(inserted)
            two.take(length)
        else:
            length = min(one.left, two.left)
            done.append(Cut(length) if isinstance(two.step, Cut) else length)
            one.take(length)
            two.take(length)
    return normal(done)


def invert_edit(edit: Sequence[Step], text: str) -> Edit:
    """What takes `edit` back, where `text` is what it was made on."""
    done: list[Step] = []
    at = 0
    for step in edit:
        if isinstance(step, str):
            done.append(Cut(len(step)))
        elif isinstance(step, int):
            done.append(min(step, max(0, len(text) - at)))
            at += step
        else:
            done.append(text[at : at + step.d])
            at += step.d
    return normal(done)


_FOREVER: Final = 1 << 53


class _Walk:
    """A place within an edit. Past its end everything is skipped."""

    __slots__ = ("_index", "_steps", "left", "step")

    def __init__(self, steps: Sequence[Step]) -> None:
        self._steps = steps
        self._index = -1
        self.step: Step = _FOREVER
        self.left = 0
        self._next()

    @property
    def over(self) -> bool:
        """Whether only skipping is left."""
        return self._index >= len(self._steps)

    def take(self, length: int) -> None:
        """Goes on by so many code points."""
        self.left -= length
        if self.left == 0:
            self._next()

    def take_all(self) -> Step:
        """The rest of the step."""
        step = self.step
        rest: Step = step[len(step) - self.left :] if isinstance(step, str) else Cut(self.left)
        self._next()
        return rest

    def take_text(self, length: int) -> str:
        """So many code points of an insertion."""
        assert isinstance(self.step, str)
        start = len(self.step) - self.left
        taken = self.step[start : start + length]
        self.take(length)
        return taken

    def _next(self) -> None:
        self._index += 1
        self.step = self._steps[self._index] if self._index < len(self._steps) else _FOREVER
        self.left = length_of(self.step)


def length_of(step: Step) -> int:
    """How many code points a step skips, inserts or deletes."""
    if isinstance(step, str):
        return len(step)
    return step.d if isinstance(step, Cut) else step
