"""Things that a container has one of: built at first use, by one thread, then kept. `functools.cache` may build twice."""

from collections.abc import Callable
from functools import wraps
from threading import RLock
from typing import Final, TypeVar

T = TypeVar("T")
_building: Final = RLock()
"""One lock for all: what is built may need what is built."""


def once(build: Callable[[], T]) -> Callable[[], T]:
    """The same value at every call."""
    made: list[T] = []

    @wraps(build)
    def get() -> T:
        if not made:
            with _building:
                if not made:
                    made.append(build())
        return made[0]

    return get
