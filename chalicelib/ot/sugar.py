"""The seed's operation names, said in the algebra."""

from collections.abc import Sequence

from chalicelib.wire.documents import AvatarMove, EntityCreate, EntityDelete, EntityUpdate, PublicOperation
from chalicelib.wire.operations import Create, Delete, Operation, Set


def plain(operations: Sequence[PublicOperation], client: str, seq: int) -> tuple[Operation, ...]:
    """What a transaction means. An entity that was given no id gets `<client>.<seq>.<place>`."""
    done: list[Operation] = []
    for index, operation in enumerate(operations):
        if isinstance(operation, EntityCreate):
            done.append(_created(operation, f"{client}.{seq}.{index}"))
        elif isinstance(operation, EntityUpdate):
            done.extend(_updated(operation))
        elif isinstance(operation, EntityDelete):
            done.append(Delete(id=operation.entity_id))
        elif isinstance(operation, AvatarMove):
            done.extend(_walked(operation, client))
        else:
            done.append(operation)
    return tuple(done)


def _created(operation: EntityCreate, made_id: str) -> Create:
    props = {
        **operation.props,
        "type": operation.entity_type,
        "position": list(operation.position),
        "rotation": list(operation.rotation),
        "scale": list(operation.scale),
    }
    return Create(id=operation.entity_id or made_id, props=props, parent=operation.parent, order=operation.order)


def _updated(operation: EntityUpdate) -> list[Operation]:
    values = {**operation.props}
    for key in ("position", "rotation", "scale"):
        vector = getattr(operation, key)
        if vector is not None:
            values[key] = list(vector)
    return [
        Set(id=operation.entity_id, path=(key,), absent=True)
        if value is None
        else Set(id=operation.entity_id, path=(key,), value=value)
        for key, value in values.items()
    ]


def _walked(operation: AvatarMove, client: str) -> list[Operation]:
    """Its own avatar's creation is skipped from the second time on."""
    avatar = operation.entity_id or f"{client}.avatar"
    made: list[Operation] = [] if operation.entity_id else [Create(id=avatar, props={"type": "avatar"})]
    made.append(Set(id=avatar, path=("position",), value=list(operation.position)))
    if operation.rotation is not None:
        made.append(Set(id=avatar, path=("rotation",), value=list(operation.rotation)))
    return made
