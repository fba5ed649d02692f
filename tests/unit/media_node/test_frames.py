"""Presence frames: what is written is read, within the errors that docs/webrtc.md states."""

import json
import math
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.wire import limits
from chalicelib.wire.types import Activity, Held, Pointer, Pose, PresenceState, Quat
from local.vectors import relay_frames
from media_node import frames

VECTORS: dict[str, Any] = json.loads((Path(__file__).parents[2] / "vectors" / "relay_frames.json").read_text())

_metres = st.floats(-limits.WORLD_M, limits.WORLD_M)
_part = st.floats(-1, 1)
_place = st.tuples(_metres, _metres, _metres)
_turn = st.tuples(_part, _part, _part, _part).filter(lambda q: math.hypot(*q) > 0.01)
_id = st.text("abcdefghijklmnopqrstuvwxyz0123456789.", min_size=1, max_size=64)
_states = st.builds(
    PresenceState,
    pose=st.none() | st.builds(Pose, position=_place, rotation=_turn),
    cursor=st.none() | st.builds(Pointer, position=_place, rotation=_turn, target=st.none() | _id),
    selection=st.lists(_id, max_size=5).map(tuple),
    activity=st.sampled_from(Activity),
    drag=st.lists(
        st.builds(Held, id=_id, position=_place, rotation=_turn, scale=st.just((1.0, 2.0, 3.0))), max_size=2
    ).map(tuple),
)


def _angle(one: Quat, other: Quat) -> float:
    """Between two turns, in radians; whatever their length and sign."""
    a, b = ([part / math.hypot(*q) for part in q] for q in (one, other))
    sign = 1 if sum(x * y for x, y in zip(a, b, strict=True)) > 0 else -1
    return 4 * math.asin(math.hypot(*(x - sign * y for x, y in zip(a, b, strict=True))) / 2)


def _near(sent: Pose | Pointer | None, read: Pose | Pointer | None) -> None:
    if sent is None or read is None:
        assert sent is read
        return
    apart = [abs(a - b) for a, b in zip(sent.position, read.position, strict=True)]
    assert max(apart) <= limits.FRAME_POSITION_M / 2 + 1e-9
    assert _angle(sent.rotation, read.rotation) <= limits.FRAME_ROTATION_RAD


@given(st.integers(0, limits.RELAY_INDEX_MAX), st.integers(0, 2**53 - 1), _states)
def test_a_state_is_read_as_it_was_written_within_the_stated_errors(
    index: int, counter: int, state: PresenceState
) -> None:
    """Places to half a millimetre, turns to FRAME_ROTATION_RAD, all else exactly."""
    frame = frames.decode(frames.head(3, 5.5, more=False) + frames.entry(index, counter, state))
    (read,) = frame.entries
    assert (frame.tick, frame.at_ms, frame.more) == (3, 5.5, False)
    assert (read.index, read.counter) == (index, counter & 0xFFFF)
    _near(state.pose, read.state.pose)
    _near(state.cursor, read.state.cursor)
    assert (read.state.cursor and read.state.cursor.target) == (state.cursor and state.cursor.target)
    assert (read.state.selection, read.state.activity, read.state.drag) == (state.selection, state.activity, state.drag)


@pytest.mark.parametrize("signs", [(a, b, c) for a in (1, -1) for b in (1, -1) for c in (1, -1)])
def test_the_worst_turn_is_within_the_stated_error(signs: tuple[int, int, int]) -> None:
    """Where all four parts are as great, an error of three falls on the fourth."""
    for off in range(-40, 41):
        q = (signs[0] * (0.5 + off / 20_000), signs[1] * (0.5 + off / 20_000), signs[2] * (0.5 + off / 20_000), 0.5)
        state = PresenceState(pose=Pose(position=(0.0, 0.0, 0.0), rotation=q))
        (read,) = frames.decode(frames.head(1, 0, more=False) + frames.entry(0, 1, state)).entries
        assert read.state.pose is not None
        assert _angle(q, read.state.pose.rotation) <= limits.FRAME_ROTATION_RAD


def test_a_turn_that_is_none_is_read_as_no_turn() -> None:
    """All zero has no direction."""
    state = PresenceState(pose=Pose(position=(0.0, 0.0, 0.0), rotation=(0.0, 0.0, 0.0, 0.0)))
    (read,) = frames.decode(frames.head(1, 0, more=False) + frames.entry(0, 1, state)).entries
    assert read.state.pose is not None
    assert _angle(read.state.pose.rotation, (0.0, 0.0, 0.0, 1.0)) <= limits.FRAME_ROTATION_RAD


def test_an_avatar_with_a_cursor_is_31_bytes() -> None:
    """What the frame budget is reckoned with."""
    state = PresenceState(
        pose=Pose(position=(1.0, 2.0, 3.0), rotation=(0.0, 0.0, 0.0, 1.0)), cursor=Pointer(position=(1.0, 2.0, 3.0))
    )
    assert len(frames.entry(5, 1, state)) == 31


@given(st.binary(max_size=80))
def test_any_bytes_are_a_frame_or_a_frame_error(data: bytes) -> None:
    """Nothing else escapes."""
    for tried in (data, frames.head(1, 0, more=False) + data):
        try:
            frames.decode(tried)
        except frames.FrameError:
            continue


@given(st.integers(0, 2**53 - 1), st.integers(-30_000, 30_000))
def test_the_full_counter_is_found_from_its_low_bits(known: int, step: int) -> None:
    """Whichever of a few frames before was known."""
    counter = max(0, known + step)
    assert frames.full_counter(known, counter & 0xFFFF) == counter


def test_the_first_counter_is_its_low_bits() -> None:
    """Where nothing is known."""
    assert [frames.full_counter(0, low) for low in (0, 1, 40_000, 65_535)] == [0, 1, 40_000, 65_535]


def test_the_shared_cases_are_what_the_codec_writes() -> None:
    """tests/vectors/relay_frames.json is generated, and read by the page's tests too."""
    assert relay_frames() == VECTORS


@pytest.mark.parametrize("case", VECTORS["frames"], ids=lambda case: str(case["name"]))
def test_a_shared_frame_is_read_as_it_says(case: dict[str, Any]) -> None:
    """Python's side of the cases."""
    assert msgspec.json.decode(msgspec.json.encode(frames.decode(bytes.fromhex(case["hex"])))) == case["frame"]


@pytest.mark.parametrize("case", VECTORS["malformed"], ids=lambda case: str(case["name"]))
def test_a_shared_malformed_frame_is_refused(case: dict[str, Any]) -> None:
    """Python's side of the cases."""
    with pytest.raises(frames.FrameError):
        frames.decode(bytes.fromhex(case["hex"]))
