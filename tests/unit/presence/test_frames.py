"""What the broadcaster tells whom: the pure core."""

from dataclasses import replace

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.presence.frames import Change, Ledger, encode, everything
from chalicelib.presence.model import Room, Row
from chalicelib.wire import limits
from chalicelib.wire.decode import decode_server_message
from chalicelib.wire.messages import PeerState, PresenceFrame
from chalicelib.wire.types import Pose, PresenceState, Role, UserKind

NOW = 1_700_000_000_000
S = "ses_" + "a" * 20


def state(peer: str, counter: int, x: float = 0.0) -> bytes:
    """An encoded state, as the service stores it."""
    pose = Pose(position=(x, 1.6, 0.0), rotation=(0.0, 0.0, 0.0, 1.0))
    return msgspec.json.encode(
        PeerState(peer_id=peer, epoch=1, counter=counter, at_ms=NOW, state=PresenceState(pose=pose))
    )


def row(name: str, counter: int = 0) -> Row:
    """A connected, entered peer; with a state if `counter` is not 0."""
    peer = f"{name}.tab00001"
    made = Row(
        S, peer, name, f"c-{name}", name, "#aabbcc", Role.EDITOR, UserKind.GUEST, NOW, NOW, entered=True, epoch=1
    )
    return replace(made, counter=counter, fragment=state(peer, counter) if counter else b"")


def frames(messages: list[bytes]) -> list[PresenceFrame]:
    """Decoded, which is validated."""
    decoded = [decode_server_message(m) for m in messages]
    assert all(isinstance(d, PresenceFrame) for d in decoded)
    return [d for d in decoded if isinstance(d, PresenceFrame)]


def told(ledger: Ledger, rows: list[Row], busy: set[str] | None = None, now_ms: int = NOW) -> dict[str, PresenceFrame]:
    """The single frame that each connection gets at a tick."""
    posts, _ = ledger.advance(Room(tuple(rows)), now_ms, frozenset(busy or ()))
    return {post.connection_id: frames(post.messages)[0] for post in posts}


def test_the_first_frame_is_full() -> None:
    """A new broadcaster knows nothing of what was told before, so it tells everyone everything."""
    got = told(Ledger(), [row("ada", 3), row("bob")])
    assert set(got) == {"c-ada", "c-bob"}
    assert got["c-ada"].full
    assert [p.user_id for p in got["c-ada"].joined] == ["ada", "bob"]
    assert [(s.peer_id, s.counter) for s in got["c-ada"].states] == [("ada.tab00001", 3)]


def test_then_only_what_changed() -> None:
    """A tick without a change posts nothing; a change posts only itself, to its author too (the echo confirms)."""
    ledger = Ledger()
    told(ledger, [row("ada", 3), row("bob", 1)])
    assert told(ledger, [row("ada", 3), row("bob", 1)]) == {}
    got = told(ledger, [row("ada", 4), row("bob", 1)])
    assert set(got) == {"c-ada", "c-bob"}
    frame = got["c-ada"]
    assert (frame.full, frame.joined, frame.left) == (False, (), ())
    assert [(s.peer_id, s.counter) for s in frame.states] == [("ada.tab00001", 4)]


def test_joining_and_leaving() -> None:
    """Who comes is announced with their state, who goes by their id."""
    ledger = Ledger()
    told(ledger, [row("ada")])
    got = told(ledger, [row("ada"), row("bob", 2)])
    assert [p.user_id for p in got["c-ada"].joined] == ["bob"]
    assert [s.counter for s in got["c-ada"].states] == [2]
    got = told(ledger, [row("ada"), replace(row("bob", 2), leaving_at_ms=NOW)])
    assert set(got) == {"c-ada"}
    assert got["c-ada"].left == ("bob.tab00001",)


def test_a_dropped_peer_stays_visible_in_its_grace() -> None:
    """A connection that dropped gets no posts, but the others do not see it leave until its grace is over."""
    ledger = Ledger()
    told(ledger, [row("ada"), row("bob", 1)])
    dropped = replace(row("bob", 1), leaving_at_ms=NOW + 5000)
    assert told(ledger, [row("ada"), dropped]) == {}
    assert told(ledger, [row("ada", 1), dropped]).keys() == {"c-ada"}
    assert told(ledger, [row("ada", 1), row("bob", 1)]) == {}


def test_a_changed_role_is_announced_anew() -> None:
    """Role, name and colour are part of the announcement."""
    ledger = Ledger()
    told(ledger, [row("ada")])
    got = told(ledger, [replace(row("ada"), role=Role.VIEWER)])
    assert [p.role for p in got["c-ada"].joined] == [Role.VIEWER]


def test_a_page_that_can_be_offered_to_is_announced_anew() -> None:
    """And so is one that no longer can."""
    ledger = Ledger()
    assert [p.rtc for p in told(ledger, [row("ada")])["c-ada"].joined] == [False]
    for rtc in (True, False):
        got = told(ledger, [replace(row("ada"), rtc=rtc)])
        assert [p.rtc for p in got["c-ada"].joined] == [rtc]


def test_who_has_not_entered_is_neither_seen_nor_told() -> None:
    """Between $connect and room.enter a peer does not exist for the room."""
    assert told(Ledger(), [row("ada"), replace(row("bob"), entered=False)])["c-ada"].joined[0].user_id == "ada"


def test_a_busy_recipient_gets_the_newest_later() -> None:
    """What a busy recipient misses is merged: one frame, the newest state, no queue."""
    ledger = Ledger()
    told(ledger, [row("ada"), row("bob", 1)])
    for counter in (2, 3, 4):
        assert "c-ada" not in told(ledger, [row("ada"), row("bob", counter)], busy={"c-ada"})
    assert ledger.backlog
    got = told(ledger, [row("ada"), row("bob", 4)])
    assert [s.counter for s in got["c-ada"].states] == [4]
    assert set(got) == {"c-ada"}
    assert not ledger.backlog


def test_a_busy_recipient_that_leaves_is_forgotten() -> None:
    """A backlog does not outlive its connection."""
    ledger = Ledger()
    told(ledger, [row("ada"), row("bob", 1)])
    told(ledger, [row("ada"), row("bob", 2)], busy={"c-ada"})
    told(ledger, [row("bob", 2)])
    assert not ledger.backlog


def test_a_lost_post_is_made_good_with_a_full_frame() -> None:
    """Who did not get a post is told everything once it can be reached again."""
    ledger = Ledger()
    told(ledger, [row("ada"), row("bob", 1)])
    ledger.retell({"c-ada", "c-nobody"})
    assert told(ledger, [row("ada"), row("bob", 2)], busy={"c-ada"}).keys() == {"c-bob"}
    assert ledger.backlog
    got = told(ledger, [row("ada"), row("bob", 2)])
    assert got["c-ada"].full
    assert [s.counter for s in got["c-ada"].states] == [2]
    assert not ledger.backlog


def test_merge_of_leave_and_return() -> None:
    """Merged changes say where things ended: who left and came back is joined, who came and went is left."""
    merged = Change(joined={"a": b"1"}, states={"a": b"s"})
    merged.merge(Change(left={"a": None}))
    assert (merged.joined, merged.states, list(merged.left)) == ({}, {}, ["a"])
    merged.merge(Change(joined={"a": b"2"}))
    assert (merged.joined, merged.left) == ({"a": b"2"}, {})


def test_a_large_frame_comes_in_parts_below_the_limit() -> None:
    """500 peers with large states exceed a message; the parts are numbered, complete and below the limit."""
    selection = tuple(f"entity-{i:057}" for i in range(limits.SELECTION_MAX))
    rows = []
    for i in range(100):
        fragment = msgspec.json.encode(
            PeerState(peer_id=f"u{i}.tab00001", epoch=1, counter=1, at_ms=NOW, state=PresenceState(selection=selection))
        )
        rows.append(replace(row(f"u{i}"), fragment=fragment))
    messages = encode(everything(rows), at_ms=NOW, full=True)
    assert len(messages) > 1
    assert all(len(m) <= limits.WS_MESSAGE_BYTES for m in messages)
    parts = frames(messages)
    assert [(p.part, p.parts, p.full) for p in parts] == [(i, len(parts), True) for i in range(len(parts))]
    assert sorted(s.peer_id for p in parts for s in p.states) == sorted(r.peer_id for r in rows)


def test_an_empty_room_has_an_empty_full_frame() -> None:
    """Even nobody is worth a frame to a newcomer: it says that all others are gone."""
    (only,) = frames(encode(Change(), at_ms=NOW, full=True))
    assert (only.full, only.parts, only.joined) == (True, 1, ())


@given(
    st.lists(
        st.tuples(
            st.dictionaries(st.sampled_from("abcd"), st.integers(1, 9), max_size=4),
            st.sets(st.sampled_from(["c-a", "c-b", "c-c", "c-d"])),
        ),
        max_size=12,
    )
)
def test_every_recipient_ends_with_the_truth(ticks: list[tuple[dict[str, int], set[str]]]) -> None:
    """Whatever comes, goes, moves and is busy: once free, each recipient knows exactly who is there and where."""
    ledger = Ledger()
    known: dict[str, dict[str, int]] = {}
    counters: dict[str, int] = {}
    steps = [*ticks, (ticks[-1][0] if ticks else {}, set())]
    for step, (present, busy) in enumerate(steps):
        for name, moves in present.items():
            counters[name] = counters.get(name, 0) + moves
        rows = [replace(row(name, counters[name]), joined_at_ms=NOW) for name in sorted(present)]
        now_connected = {f"c-{name}" for name in present}
        known = {c: known.get(c, {}) for c in now_connected}
        for connection, frame in told(ledger, rows, busy & set(known)).items():
            view = known[connection]
            if frame.full:
                view.clear()
            for peer in frame.left:
                view.pop(peer, None)
            for peer_state in frame.states:
                view[peer_state.peer_id] = peer_state.counter
        if step == len(steps) - 1:
            truth = {f"{n}.tab00001": counters[n] for n in present}
            fresh = {c for c, v in known.items() if v == {}}
            for connection, view in known.items():
                assert view == truth or (connection in fresh and not truth) or connection in _joined_late(steps)


def _joined_late(steps: list[tuple[dict[str, int], set[str]]]) -> set[str]:
    """Connections that were not there all along: their own room.enter told them the rest."""
    late = set()
    for name in "abcd":
        there = [name in present for present, _ in steps]
        if not all(there):
            late.add(f"c-{name}")
    return late
