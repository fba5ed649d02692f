"""The state of a document: entities by id, each one immutable, so that a copy of the map is a copy of the state."""

from collections.abc import Mapping, MutableMapping
from typing import Any

from msgspec import Struct

Path = tuple[str, ...]
Props = dict[str, Any]
"""JSON values by key. Never changed in place."""


class Entity(Struct, frozen=True, kw_only=True, gc=True):
    """One thing in the scene. Deleted ones stay, with `alive` false: they are tombstones."""

    alive: bool = True
    parent: str | None = None
    order: str = "V"
    props: Props = {}


Entities = MutableMapping[str, Entity]


def value_at(props: Mapping[str, Any], path: Path) -> Any:
    """What is there; None if nothing is (a property is never null: that is `absent`)."""
    found: Any = props
    for key in path:
        if not isinstance(found, dict) or key not in found:
            return None
        found = found[key]
    return found


def blocked(props: Mapping[str, Any], path: Path) -> bool:
    """Whether something that is no object stands in the way."""
    found: Any = props
    for key in path[:-1]:
        found = found.get(key)
        if found is None:
            return False
        if not isinstance(found, dict):
            return True
    return False


def with_value(props: Props, path: Path, value: Any) -> Props:
    """A copy with a value there. What stands in the way of the path becomes an object."""
    key, rest = path[0], path[1:]
    if rest:
        below = props.get(key)
        value = with_value(below if isinstance(below, dict) else {}, rest, value)
    return {**props, key: value}


def without_value(props: Props, path: Path) -> Props:
    """A copy with nothing there."""
    key, rest = path[0], path[1:]
    if key not in props:
        return props
    if not rest:
        return {k: v for k, v in props.items() if k != key}
    below = props[key]
    return {**props, key: without_value(below, rest)} if isinstance(below, dict) else props


def shown(entities: Mapping[str, Entity], entity_id: str) -> bool:
    """Whether it is to be seen: it and all above it are alive."""
    above: str | None = entity_id
    while above is not None:
        entity = entities.get(above)
        if entity is None or not entity.alive:
            return False
        above = entity.parent
    return True
