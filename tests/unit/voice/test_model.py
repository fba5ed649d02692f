"""Who may speak, who is kept from whom, and which channel a place is in."""

import json
from pathlib import Path
from typing import Final

import msgspec
import pytest

from chalicelib.voice.model import MAIN, VoiceRules, channel_at, may_moderate, may_speak
from chalicelib.wire import limits
from chalicelib.wire.types import Role, Vec3
from chalicelib.wire.voice import Speakers, VoiceChannel, VoicePerson

VECTORS: Final = Path(__file__).parents[2] / "vectors" / "voice_where.json"
NAMED: Final = msgspec.structs.replace(MAIN, speakers=Speakers.NAMED, speaker_ids=("ada",))
EDITORS: Final = msgspec.structs.replace(MAIN, speakers=Speakers.EDITORS)


class Step(msgspec.Struct):
    """A place, and the channel that it is in."""

    position: Vec3 | None
    channel_id: str


class Walk(msgspec.Struct):
    """Somebody's way through a room."""

    name: str
    put_id: str
    steps: list[Step]


class Where(msgspec.Struct):
    """The file."""

    edge_m: float
    channels: tuple[VoiceChannel, ...]
    walks: list[Walk]


WHERE: Final = msgspec.json.decode(VECTORS.read_bytes(), type=Where)


def person(name: str, *, muted: bool = False, self_muted: bool = False) -> VoicePerson:
    """Somebody who has joined."""
    return VoicePerson(user_id=name, channel_id="main", peers=(), muted=muted, self_muted=self_muted)


@pytest.mark.parametrize("walk", WHERE.walks, ids=lambda walk: walk.name)
def test_a_walk_goes_through_the_channels_that_all_sides_agree_on(walk: Walk) -> None:
    """The cases that the page's function is held to as well."""
    was: str | None = None
    for step in walk.steps:
        was = channel_at(WHERE.channels, walk.put_id, was, step.position)
        assert was == step.channel_id


def test_the_shared_walks_know_the_edge_and_every_kind_of_channel() -> None:
    """Else they would hold nobody to anything."""
    found = {step.channel_id for walk in WHERE.walks for step in walk.steps}
    assert found == {channel.channel_id for channel in WHERE.channels}
    assert json.loads(VECTORS.read_text())["edge_m"] == limits.VOICE_ZONE_EDGE_M


@pytest.mark.parametrize(
    ("channel", "able"),
    [
        (MAIN, {Role.OWNER, Role.EDITOR, Role.VIEWER, Role.GUEST}),
        (EDITORS, {Role.OWNER, Role.EDITOR}),
        (NAMED, {Role.OWNER}),
    ],
)
def test_who_speaks_in_a_channel_is_as_it_says_and_owners(channel: VoiceChannel, able: set[Role]) -> None:
    """By the role of the moment."""
    assert {role for role in Role if may_speak(person("bob"), channel, role)} == able


def test_the_named_speak_whatever_their_role() -> None:
    """A guest too."""
    assert may_speak(person("ada"), NAMED, Role.GUEST)


def test_whoever_is_muted_or_has_not_joined_does_not_speak() -> None:
    """Owners neither; whoever did it."""
    for who in (None, person("ada", muted=True), person("ada", self_muted=True)):
        assert not may_speak(who, MAIN, Role.OWNER)


def test_owners_alone_moderate() -> None:
    """Nobody who is not in the room."""
    assert [role for role in (*Role, None) if may_moderate(role)] == [Role.OWNER]


def test_a_block_keeps_two_apart_whichever_of_them_it_is_of() -> None:
    """And nobody else."""
    rules = VoiceRules(blocks={"ada": frozenset({"bob"}), "cyd": frozenset({"ada", "dan"})})
    assert {name: rules.kept_from(name) for name in ("ada", "bob", "cyd", "dan", "eve")} == {
        "ada": {"bob", "cyd"},
        "bob": {"ada"},
        "cyd": {"ada", "dan"},
        "dan": {"cyd"},
        "eve": set(),
    }
