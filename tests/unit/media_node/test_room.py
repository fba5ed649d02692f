"""A room on a media node: who is who, what is taken, what is told."""

import zlib

import msgspec
import pytest

from chalicelib.documents.courier import committed
from chalicelib.wire import limits
from chalicelib.wire.codes import Code
from chalicelib.wire.messages import DocFetch, ErrorMessage, OpCommitted, PeerState, Ping, Pong, RoomLeave
from chalicelib.wire.signals import RelayPrefer, RelayRoster
from chalicelib.wire.types import Activity, Held, PresenceState, Role
from media_node.room import Room
from tests.fakes.relay import SESSION, FakeCarrying, FakeLink, person, state_at, update

DOCUMENT = "doc_" + "a" * 20
HELD = Held(id="a.1", position=(0.0, 0.0, 0.0), rotation=(0.0, 0.0, 0.0, 1.0), scale=(1.0, 1.0, 1.0))


class Stage:
    """A room with some people in it."""

    def __init__(self, *names: str) -> None:
        self.carrying = FakeCarrying()
        self.at_ms = 1000
        self.room = Room(SESSION, self.carrying, now_ms=lambda: self.at_ms, new_id=lambda: "corr")
        self.links: dict[str, FakeLink] = {}
        self.ticked = 0
        for name in names:
            self.enter(name)

    def enter(self, name: str, role: Role = Role.EDITOR) -> FakeLink:
        """Somebody's link opens."""
        who = person(name, role)
        link = self.links[name] = FakeLink(who)
        self.room.join(link, who)
        return link

    def says(self, name: str, data: bytes | str) -> None:
        """On the presence channel."""
        self.room.presence(self.links[name], person(name).peer_id, data)

    def controls(self, name: str, data: bytes | str) -> None:
        """On the control channel."""
        self.room.control(self.links[name], person(name).peer_id, data)

    def tick(self) -> None:
        """The next one."""
        self.ticked += 1
        self.room.tick(self.ticked, 5.0)

    def errors(self, name: str) -> list[Code]:
        """What somebody was told that they broke."""
        return [error.code for error in self.links[name].of(ErrorMessage)]

    def index(self, name: str) -> int:
        """Somebody's index, as the others were told."""
        told: dict[str, int] = {}
        for link in self.links.values():
            for roster in link.of(RelayRoster):
                told.update({member.peer_id: member.index for member in roster.members})
        return told[person(name).peer_id]


def test_a_state_is_told_to_the_others_in_the_next_tick() -> None:
    """After who it is of."""
    stage = Stage("ada", "bob")
    stage.says("ada", update(1, state_at((1.0, 2.0, 3.0))))
    stage.tick()
    (frame,) = stage.links["bob"].frames
    (entry,) = frame.entries
    assert (entry.index, entry.counter) == (stage.index("ada"), 1)
    assert stage.links["ada"].frames == []
    assert [roster.full for roster in stage.links["bob"].of(RelayRoster)] == [True, False]


def test_an_older_state_changes_nothing() -> None:
    """Whatever order the channel brings them in."""
    stage = Stage("ada", "bob")
    stage.says("ada", update(5, state_at((5.0, 0.0, 0.0))))
    for counter in (4, 5):
        stage.says("ada", update(counter, state_at((4.0, 0.0, 0.0))))
    stage.says("ada", update(9, state_at((4.0, 0.0, 0.0)), epoch=0))
    stage.tick()
    assert [entry.counter for frame in stage.links["bob"].frames for entry in frame.entries] == [5]


def test_a_page_that_was_loaded_anew_is_another_index() -> None:
    """Its counters begin anew, and its last ones are nobody's."""
    stage = Stage("ada", "bob")
    stage.says("ada", update(9, PresenceState()))
    stage.tick()
    before = stage.index("ada")
    stage.says("ada", update(1, PresenceState(), epoch=2))
    stage.tick()
    roster = stage.links["bob"].of(RelayRoster)[-1]
    assert (roster.left, roster.members[0].epoch) == ((before,), 2)
    assert stage.links["bob"].frames[-1].entries[0].index == roster.members[0].index != before


def test_a_state_in_anothers_name_is_refused() -> None:
    """Who a message is from is whoever the link is of."""
    stage = Stage("ada", "bob")
    stage.says("ada", update(1, PresenceState(), user_id="bob"))
    stage.says("ada", update(2, PresenceState(), user_id="ada"))
    assert stage.errors("ada") == [Code.IDENTITY_MISMATCH]
    stage.tick()
    assert len(stage.links["bob"].frames) == 1


@pytest.mark.parametrize("data", [b"", b"{", b'{"type":"ping"}', b"\xff\xfe", "[" * 5000])
def test_what_is_no_state_is_refused(data: bytes | str) -> None:
    """And nothing else happens."""
    stage = Stage("ada")
    stage.says("ada", data)
    assert stage.errors("ada") == [Code.BODY_INVALID]


@pytest.mark.parametrize("role", [Role.VIEWER, Role.GUEST])
def test_who_may_not_edit_has_empty_hands(role: Role) -> None:
    """The rest of their state is told; also after they have lost the role."""
    stage = Stage("bob")
    stage.enter("eve", role)
    stage.enter("ada")
    for name in ("eve", "ada"):
        stage.says(name, update(1, PresenceState(drag=(HELD,), activity=Activity.SPEAKING)))
    stage.tick()
    told = {entry.index: entry.state for entry in stage.links["bob"].frames[0].entries}
    assert told[stage.index("eve")] == PresenceState(activity=Activity.SPEAKING)
    assert told[stage.index("ada")].drag == (HELD,)
    stage.room.change_role("ada", role)
    stage.room.change_role("ada", role)
    stage.says("ada", update(2, PresenceState(drag=(HELD,))))
    stage.tick()
    assert stage.links["bob"].frames[-1].entries[0].state.drag == ()


def test_a_newcomer_is_told_who_is_there_and_where_the_documents_are() -> None:
    """All of it, before anything else."""
    stage = Stage("ada")
    stage.says("ada", update(1, PresenceState()))
    stage.tick()
    stage.carrying.served = [committed(DOCUMENT, 7)]
    link = stage.enter("bob")
    assert [member.peer_id for member in link.of(RelayRoster)[0].members] == [person("ada").peer_id]
    assert [message.head for message in link.of(OpCommitted)] == [7]
    stage.tick()
    assert len(link.frames) == 1


def test_a_new_link_of_the_same_peer_takes_the_place_of_the_old_one() -> None:
    """What still comes by the old one, and its end, mean nothing."""
    stage = Stage("ada", "bob")
    old = stage.links["ada"]
    stage.says("ada", update(1, PresenceState()))
    new = stage.enter("ada")
    peer_id = person("ada").peer_id
    stage.room.presence(old, peer_id, update(2, PresenceState()))
    stage.room.control(old, peer_id, msgspec.json.encode(Ping()))
    assert stage.room.leave(old) is None
    assert (len(stage.room), old.of(Pong)) == (2, [])
    stage.says("ada", update(3, PresenceState()))
    stage.tick()
    assert stage.links["bob"].frames[-1].entries[0].counter == 3
    assert stage.room.leave(new) is not None
    stage.tick()
    assert len(stage.links["bob"].of(RelayRoster)[-1].left) == 1
    assert stage.room.member_at("c-ada") is None


def test_control_answers_pings_and_hands_over_what_is_about_documents() -> None:
    """Also where it came compressed."""
    stage = Stage("ada")
    stage.controls("ada", msgspec.json.encode(Ping(id="p", at_ms=4)).decode())
    (pong,) = stage.links["ada"].of(Pong)
    assert (pong.id, pong.at_ms, pong.server_time_ms) == ("p", 4, 1000)
    fetch = DocFetch(document_id=DOCUMENT, since=3)
    deflater = zlib.compressobj(6, zlib.DEFLATED, -zlib.MAX_WBITS)
    stage.controls("ada", deflater.compress(msgspec.json.encode(fetch)) + deflater.flush())
    assert stage.carrying.handled == [(person("ada"), fetch)]


def test_a_pong_says_how_the_way_is_to_who_asks() -> None:
    """Nothing while nobody knows."""
    stage = Stage("ada")
    link = stage.links["ada"]
    stage.controls("ada", msgspec.json.encode(Ping()).decode())
    link.loss, link.available_kbps = 0.25, 80.0
    stage.controls("ada", msgspec.json.encode(Ping()).decode())
    assert [(pong.loss, pong.available_kbps) for pong in link.of(Pong)] == [(None, None), (0.25, 80.0)]


def test_a_page_says_how_long_its_frames_may_be() -> None:
    """Through its first state, which may give it another index, until it connects anew. No less than the least is taken."""
    stage = Stage("ada", *(f"p{number:02d}" for number in range(60)))
    names = list(stage.links)

    def longest() -> int:
        link, before = stage.links["ada"], len(stage.links["ada"].frames)
        for name in names[1:]:
            stage.says(name, update(stage.ticked + 1, state_at((1.0, 2.0, 3.0))))
        stage.tick()
        return sum(len(frame.entries) for frame in link.frames[before:])

    assert longest() == 60
    stage.controls("ada", msgspec.json.encode(RelayPrefer(frame_bytes=limits.RELAY_FRAME_BYTES_MIN)).decode())
    assert longest() < 40
    stage.says("ada", update(1, PresenceState(), epoch=5))
    stage.tick()
    stage.says("ada", update(1, PresenceState(), epoch=6))
    assert longest() < 40
    for size in (0, limits.RELAY_FRAME_BYTES_MIN - 1, limits.RELAY_FRAME_BYTES + 1):
        stage.controls("ada", f'{{"type":"relay.prefer","frame_bytes":{size}}}')
    assert stage.errors("ada") == [Code.BODY_INVALID] * 3
    stage.enter("ada")
    stage.tick()
    assert longest() == 60


def _bomb() -> bytes:
    deflater = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    return deflater.compress(b" " * (limits.CHANNEL_MESSAGE_BYTES * 100)) + deflater.flush()


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (msgspec.json.encode(RoomLeave()).decode(), Code.MESSAGE_UNKNOWN),
        ("{", Code.BODY_MALFORMED),
        ('{"type":"ping","at_ms":-1,"id":"x"}', Code.BODY_INVALID),
        (b"\x07nothing that was ever deflated", Code.BODY_MALFORMED),
        (b"", Code.BODY_MALFORMED),
        (_bomb(), Code.BODY_TOO_LARGE),
    ],
)
def test_control_refuses_what_it_does_not_carry(data: str | bytes, code: Code) -> None:
    """With the request's id where it has one."""
    stage = Stage("ada")
    stage.controls("ada", data)
    assert stage.errors("ada") == [code]
    assert stage.links["ada"].of(ErrorMessage)[0].correlation_id == "corr"


def test_who_fetches_without_end_is_told_to_wait() -> None:
    """A hundred bytes make the node read and send a hundred thousand. Others do not wait for it."""
    stage = Stage("ada", "bob")
    fetch = msgspec.json.encode(DocFetch(id="f1", document_id=DOCUMENT, since=0)).decode()
    for _ in range(limits.CHANNEL_FETCH_BURST + 1):
        stage.controls("ada", fetch)
    (error,) = stage.links["ada"].of(ErrorMessage)
    assert (error.id, error.code, error.retry_after_ms) == ("f1", Code.RATE_LIMITED, 201)
    stage.controls("bob", fetch)
    stage.at_ms += 201
    stage.controls("ada", fetch)
    assert len(stage.carrying.handled) == limits.CHANNEL_FETCH_BURST + 2


def test_a_refusal_of_what_was_compressed_says_what_it_is_of() -> None:
    """By the request's id, as any other."""
    stage = Stage("ada")
    deflater = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    stage.controls("ada", deflater.compress(msgspec.json.encode(RoomLeave(id="r1"))) + deflater.flush())
    assert [error.id for error in stage.links["ada"].of(ErrorMessage)] == ["r1"]


def test_a_listener_whose_channel_is_full_or_closing_is_left_out() -> None:
    """The others are not."""
    stage = Stage("ada", "bob", "cyd")
    stage.links["bob"].presence_buffered = limits.RELAY_BUFFER_BYTES + 1
    stage.links["cyd"].open = False
    stage.says("ada", update(1, PresenceState()))
    stage.says("cyd", update(1, PresenceState()))
    stage.tick()
    assert [len(stage.links[name].frames) for name in ("ada", "bob", "cyd")] == [1, 0, 0]


def test_people_are_found_by_their_websocket() -> None:
    """Where they have a channel that is open; also when they have come by another one."""
    stage = Stage("ada")
    room, peer_id = stage.room, person("ada").peer_id
    assert room.member_at("c-ada") is not None
    room.change(peer_id, role=Role.EDITOR, connection_id="c-new")
    room.change("nobody.tab00001", role=Role.EDITOR, connection_id="c-none")
    assert room.member_at("c-ada") is None
    assert room.member_at("c-new") is not None
    stage.links["ada"].open = False
    assert room.member_at("c-new") is None


def test_closing_ends_all_links_or_one_persons() -> None:
    """With the reason."""
    stage = Stage("ada", "bob")
    stage.room.close("removed", user_id="bob")
    assert [stage.links[name].ended for name in ("ada", "bob")] == [None, "removed"]
    stage.room.close("draining")
    assert stage.links["ada"].ended == "draining"


def test_a_state_for_the_websocket_is_as_a_page_has_it() -> None:
    """With its whole counter."""
    stage = Stage("ada")
    stage.says("ada", update(70_000, state_at((1.0, 0.0, 0.0)), epoch=3))
    told = msgspec.json.decode(stage.room.fragment(person("ada").peer_id), type=PeerState)
    assert (told.epoch, told.counter, told.at_ms, told.state) == (3, 70_000, 1000, state_at((1.0, 0.0, 0.0)))


def test_what_comes_from_nobody_is_dropped() -> None:
    """A link that has no place in the room."""
    stage = Stage("ada")
    stranger = FakeLink(person("eve"))
    stage.room.presence(stranger, person("eve").peer_id, update(1, PresenceState()))
    stage.room.control(stranger, person("eve").peer_id, "{")
    assert stranger.said == []
    assert [member.person.user_id for member in stage.room] == ["ada"]
