"""The seed's operation names mean what docs/ot.md says."""

from chalicelib.ot.apply import apply_all
from chalicelib.ot.state import Entity
from chalicelib.ot.sugar import plain
from chalicelib.ot.validate import validate
from chalicelib.wire.documents import AvatarMove, EntityCreate, EntityDelete, EntityUpdate
from chalicelib.wire.operations import Add, Create, Delete, Set

CLIENT = "ada00000"


def test_a_creation() -> None:
    """Type and vectors are properties; without an id, one is made of the client, the seq and the place."""
    first, second = plain(
        [
            EntityCreate(entity_type="box", props={"color": "#ff0000"}, position=(1.0, 2.0, 3.0)),
            EntityCreate(entity_type="light", entity_id="ada00000.lamp", parent="ada00000.7.0"),
        ],
        CLIENT,
        7,
    )
    assert isinstance(first, Create)
    assert first.id == "ada00000.7.0"
    assert first.props["type"] == "box"
    assert first.props["position"] == [1, 2, 3]
    assert first.props["color"] == "#ff0000"
    assert isinstance(second, Create)
    assert (second.id, second.parent) == ("ada00000.lamp", "ada00000.7.0")
    assert validate((first, second), CLIENT)


def test_an_update_sets_what_is_there() -> None:
    """Each property by itself, so that two people's updates merge; a null takes one away."""
    update = EntityUpdate(entity_id="bob00000.1", scale=(2.0, 2.0, 2.0), props={"color": None, "name": "Lamp"})
    assert plain([update], CLIENT, 1) == (
        Set(id="bob00000.1", path=("color",), absent=True),
        Set(id="bob00000.1", path=("name",), value="Lamp"),
        Set(id="bob00000.1", path=("scale",), value=[2.0, 2.0, 2.0]),
    )


def test_a_deletion_and_what_is_plain_already() -> None:
    """The algebra's own operations pass as they are."""
    add = Add(id="bob00000.1", path=("n",), by=1)
    assert plain([EntityDelete(entity_id="bob00000.1"), add], CLIENT, 1) == (Delete(id="bob00000.1"), add)


def test_an_avatar_moves() -> None:
    """A client's own avatar is made on first use; somebody's who is named is only moved."""
    entities: dict[str, Entity] = {}
    for seq, x in enumerate((1.0, 2.0), start=1):
        sent = plain([AvatarMove(position=(x, 0.0, 0.0), rotation=(0.0, 1.0, 0.0, 0.0))], CLIENT, seq)
        apply_all(entities, validate(sent, CLIENT))
    assert entities == {
        "ada00000.avatar": Entity(props={"type": "avatar", "position": [2, 0, 0], "rotation": [0, 1, 0, 0]})
    }
    guide = AvatarMove(entity_id="bob00000.guide", position=(0.0, 0.0, 1.0))
    assert plain([guide], CLIENT, 3) == (Set(id="bob00000.guide", path=("position",), value=[0.0, 0.0, 1.0]),)
