"""Voice by REST, through real HTTP, workers and tables, with real WebSockets that hear of it: routes, races, refusals."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace

import pytest
from msgspec.structs import replace as changed

from benchmarks.client import Api, PeerClient, Person, Refused
from chalicelib.aws.dynamo import Dynamo
from chalicelib.presence.model import Row
from chalicelib.presence.store import PresenceStore
from chalicelib.voice.book import Book, Member
from chalicelib.voice.book import Person as Known
from chalicelib.voice.store import VoiceStore
from chalicelib.wire import limits
from chalicelib.wire.codes import Code
from chalicelib.wire.messages import ServerMessage
from chalicelib.wire.peers import RelayStatus, Topology
from chalicelib.wire.types import Role, UserKind, Visibility
from chalicelib.wire.voice import (
    VoiceBlocks,
    VoiceChanged,
    VoiceChannel,
    VoiceChannels,
    VoiceJoined,
    VoicePerson,
    VoiceState,
)
from local.stack import Stack
from tests.stack.conftest import STUN_URL
from tests.stack.refusals import refused

pytestmark = pytest.mark.stack
TAB, SECOND_TAB = "tab00001", "tab00002"
GONE = "vch_" + "0" * 12


class Guest:
    """Somebody in a room, with a page on a WebSocket. `heard` are the states that it was told of."""

    def __init__(self, api: Api, person: Person, page: PeerClient, path: str) -> None:
        self.api, self.person, self.page, self.path = api, person, page, path
        self.user_id = person.user_id
        self.heard: list[VoiceState] = []
        page.on_message = self._hear

    async def join(self, **fields: object) -> VoiceJoined:
        """This page is in voice."""
        return await self.api.call("POST", self.path, self.person, {"tab_id": TAB, **fields}, VoiceJoined)

    async def leave(self) -> None:
        """This page is out of it."""
        await self.api.call("DELETE", f"{self.path}?tab_id={TAB}", self.person)

    async def state(self) -> VoiceState:
        """What REST says."""
        return await self.api.call("GET", self.path, self.person, None, VoiceState)

    async def make(self, **fields: object) -> VoiceChannel:
        """A channel more."""
        body = {"name": "Side", **fields}
        return await self.api.call("POST", f"{self.path}/channels", self.person, body, VoiceChannel)

    async def change(self, who: "Guest", **fields: object) -> VoicePerson:
        """Somebody is so."""
        path = f"{self.path}/participants/{who.user_id}"
        return await self.api.call("PUT", path, self.person, fields, VoicePerson)

    async def refused(self, code: Code, method: str, what: str = "", body: object = None) -> None:
        """A call that must be."""
        await refused(self.api, code, method, self.path + what, self.person, body)

    async def hears(self, revision: int) -> VoiceState:
        """The state of that revision or a later one, once it is told."""
        await self.page.until(lambda: any(state.revision >= revision for state in self.heard))
        return max(self.heard, key=lambda state: state.revision)

    def _hear(self, message: ServerMessage, _size: int) -> None:
        if isinstance(message, VoiceChanged) and message.voice is not None:
            self.heard.append(message.voice)


@asynccontextmanager
async def room(api: Api, *names: str, **fields: object) -> AsyncIterator[list[Guest]]:
    """A session and its people, the owner first, each with a page that has entered and pings as pages do."""
    people = [await api.guest(name) for name in names]
    session = await api.create(people[0], "Room", **fields)
    async with AsyncExitStack() as open_pages:
        guests = []
        for person in people:
            page = await open_pages.enter_async_context(await api.enter(person, session.session_id, TAB))
            guests.append(Guest(api, person, page, f"/collaboration/sessions/{session.session_id}/voice"))
        open_pages.callback(asyncio.create_task(keep([guest.page for guest in guests])).cancel)
        yield guests


async def keep(pages: list[PeerClient]) -> None:
    """Nobody is taken for gone, however long a test takes. Until cancelled."""
    while True:
        await asyncio.sleep(limits.PING_INTERVAL_S)
        for page in pages:
            if not page.socket.closed:
                await page.ping()


def session_of(guest: Guest) -> str:
    return guest.path.split("/")[3]


async def test_joining_is_heard_by_everybody(api: Api) -> None:
    """The answer has what a page needs; the others are told the same state, in voice or not; leaving too."""
    async with room(api, "Ada", "Bob") as (ada, bob):
        assert await bob.state() == VoiceState(revision=0, channels=(await ada.join()).voice.channels, people=())
        joined = await bob.join(listening=True)
        assert (joined.success, joined.message) == (True, "Voice chat joined successfully")
        assert (joined.carrier, joined.relay.status) == (Topology.MESH, RelayStatus.NONE)
        assert (joined.slots, joined.channel.channel_id) == (limits.VOICE_SLOTS, "main")
        assert joined.ice.ice_servers[0].urls == (STUN_URL,)
        assert [p.listening for p in sorted(joined.voice.people, key=lambda p: p.user_id == bob.user_id)] == [
            False,
            True,
        ]
        assert await ada.hears(joined.voice.revision) == await bob.state() == joined.voice
        assert (await bob.join(listening=True)).peer_connection_id == joined.peer_connection_id
        await bob.leave()
        await bob.leave()
        heard = await ada.hears(joined.voice.revision + 1)
        assert [p.user_id for p in heard.people] == [ada.user_id]
        assert await bob.state() == heard


async def test_the_last_place_goes_to_one(api: Api) -> None:
    """Whichever workers decide at once, a channel has as many as it may; who is refused has joined nothing."""
    names = [f"P{n}" for n in range(8)]
    async with room(api, *names) as guests:
        owner = guests[0]
        booth = await owner.make(name="Booth", capacity=3)
        outcomes = await asyncio.gather(
            *(guest.join(channel_id=booth.channel_id) for guest in guests), return_exceptions=True
        )
        refusals = [outcome.error.code for outcome in outcomes if isinstance(outcome, Refused)]
        assert refusals == [Code.VOICE_CHANNEL_FULL] * 5
        state = await owner.state()
        assert [p.channel_id for p in state.people] == [booth.channel_id] * 3
        assert state.revision == 1 + 3
        assert await guests[-1].hears(4) == state


async def test_channels_are_made_changed_and_dropped(api: Api) -> None:
    """By owners; their people are in `main` then; everybody sees them, nobody else changes them."""
    async with room(api, "Ada", "Bob") as (ada, bob):
        zone = {"least": [0, 0, 0], "greatest": [2, 3, 2]}
        side = await ada.make(zone=zone, kind="stage", speakers="named", speaker_ids=[ada.user_id])
        path = f"/channels/{side.channel_id}"
        there = {"tab_id": TAB, "channel_id": side.channel_id}
        await bob.refused(Code.ROLE_INSUFFICIENT, "POST", "", there)  # one walks into a zone
        await bob.join()
        assert (await ada.change(bob, channel_id=side.channel_id)).channel_id == side.channel_id
        await bob.refused(Code.ROLE_INSUFFICIENT, "POST", "/channels", {"name": "Mine"})
        await bob.refused(Code.ROLE_INSUFFICIENT, "PUT", path, {"name": "Mine"})
        await bob.refused(Code.ROLE_INSUFFICIENT, "DELETE", path)
        aside = await api.call("PUT", ada.path + path, ada.person, {"name": "Aside"}, VoiceChannel)
        assert (aside.zone, aside.name) == (None, "Aside")
        hall = await api.call("PUT", f"{ada.path}/channels/main", ada.person, {"name": "Hall"}, VoiceChannel)
        listed = await api.call("GET", f"{bob.path}/channels", bob.person, None, VoiceChannels)
        assert listed.channels == (hall, aside)
        await api.call("DELETE", ada.path + path, ada.person)
        heard = await bob.hears(6)
        assert (heard.channels, [p.channel_id for p in heard.people]) == ((hall,), ["main"])


async def test_what_is_not_there_and_what_may_not_be(api: Api) -> None:
    """Channels, people and pages that are unknown; `main`; more than a room may have."""
    async with room(api, "Ada", "Bob") as (ada, bob):
        zone = {"least": [0, 0, 0], "greatest": [1, 1, 1]}
        await ada.refused(Code.VOICE_CHANNEL_UNKNOWN, "PUT", f"/channels/{GONE}", {"name": "Side"})
        await ada.refused(Code.VOICE_CHANNEL_UNKNOWN, "DELETE", f"/channels/{GONE}")
        await ada.refused(Code.VOICE_CHANNEL_UNKNOWN, "POST", "", {"tab_id": TAB, "channel_id": GONE})
        await ada.refused(Code.VOICE_CHANNEL_FIXED, "DELETE", "/channels/main")
        await ada.refused(Code.VOICE_CHANNEL_FIXED, "PUT", "/channels/main", {"name": "Main", "zone": zone})
        await ada.refused(Code.PEER_UNKNOWN, "POST", "", {"tab_id": SECOND_TAB})
        await ada.refused(Code.PATH_INVALID, "DELETE", "/channels/side")
        await ada.refused(Code.QUERY_INVALID, "DELETE", "?tab_id=no")
        await ada.refused(Code.VOICE_NOT_JOINED, "PUT", f"/participants/{bob.user_id}", {"priority": True})
        await bob.refused(Code.VOICE_NOT_JOINED, "PUT", f"/participants/{bob.user_id}", {"hand_raised": True})
        await ada.refused(Code.PARTICIPANT_UNKNOWN, "PUT", "/participants/nobody", {"muted": True})
        for method, what, body in (
            ("POST", "", {"tab_id": TAB, "user_id": ada.user_id}),
            ("DELETE", f"?tab_id={TAB}&user_id={ada.user_id}", None),
            ("PUT", f"/participants/{bob.user_id}", {"self_muted": True, "user_id": ada.user_id}),
        ):
            await bob.refused(Code.IDENTITY_MISMATCH, method, what, body)
        assert (await ada.state()).revision == 0


async def test_a_room_has_so_many_channels_and_people(api: Api, stack: Stack) -> None:
    """One more is refused, with its reason; a second page of somebody is nobody more."""
    async with room(api, "Ada", "Bob") as (ada, bob), tables(stack) as (voice, presence):
        for _ in range(limits.VOICE_CHANNELS_MAX - 1):
            await ada.make()
        await ada.refused(Code.VOICE_CHANNEL_LIMIT, "POST", "/channels", {"name": "One more"})
        await ada.join()
        await crowd(voice, presence, session_of(ada), limits.VOICE_MEMBERS_MAX - 1)
        assert len((await ada.state()).people) == limits.VOICE_MEMBERS_MAX
        await bob.refused(Code.VOICE_FULL, "POST", "", {"tab_id": TAB})
        await ada.join(listening=True)
        await ada.leave()
        await bob.join()


async def test_owners_moderate_and_nobody_escapes(api: Api) -> None:
    """A mute stays over leaving and coming again; one's own is one's own; who is moved, asked, heard first is told so."""
    async with room(api, "Ada", "Bob", "Cyd") as (ada, bob, cyd):
        side = await ada.make(capacity=1)
        for guest in (bob, cyd):
            await guest.join()
        for fields in ({"muted": False}, {"removed": True}, {"priority": True}, {"channel_id": "main"}):
            await bob.refused(Code.ROLE_INSUFFICIENT, "PUT", f"/participants/{cyd.user_id}", fields)
            if fields != {"channel_id": "main"}:
                await bob.refused(Code.ROLE_INSUFFICIENT, "PUT", f"/participants/{bob.user_id}", fields)
        await bob.change(bob, self_muted=True, hand_raised=True)
        changes = {"muted": True, "unmute_requested": True, "priority": True, "channel_id": side.channel_id}
        told = await ada.change(bob, **changes)
        assert (told.muted, told.self_muted, told.unmute_requested, told.priority) == (True, True, True, True)
        assert told.channel_id == side.channel_id
        assert told.hand_raised_at_ms
        await ada.refused(
            Code.VOICE_CHANNEL_FULL, "PUT", f"/participants/{cyd.user_id}", {"channel_id": side.channel_id}
        )
        await ada.refused(Code.ROLE_INSUFFICIENT, "PUT", f"/participants/{bob.user_id}", {"self_muted": False})
        await bob.leave()
        again = {p.user_id: p for p in (await bob.join()).voice.people}[bob.user_id]
        assert (again.muted, again.self_muted, again.hand_raised_at_ms) == (True, True, None)
        lifted = await ada.change(bob, muted=False)
        assert (lifted.muted, lifted.self_muted) == (False, True)
        assert not (await bob.change(bob, self_muted=False)).self_muted


async def test_who_is_removed_from_voice_is_let_in_again_by_an_owner(api: Api) -> None:
    """Everybody sees whom; they are in the room all the while."""
    async with room(api, "Ada", "Bob") as (ada, bob):
        before = (await bob.join()).voice.revision
        await ada.change(bob, removed=True)
        heard = await bob.hears(before + 1)
        assert (heard.people, heard.removed) == ((), (bob.user_id,))
        await bob.refused(Code.VOICE_REMOVED, "POST", "", {"tab_id": TAB})
        await ada.change(bob, removed=False)
        assert [p.user_id for p in (await bob.join()).voice.people] == [bob.user_id]


async def test_blocks_are_told_to_nobody(api: Api, stack: Stack) -> None:
    """They are one's own, for every room, and so many."""
    async with room(api, "Ada", "Bob") as (ada, bob), tables(stack) as (voice, _):
        await bob.join()
        blocked = await api.call("PUT", f"{ada.path}/blocks/{bob.user_id}", ada.person, {}, VoiceBlocks)
        assert blocked.blocked == (bob.user_id,)
        async with room(api, "Olga") as (olga,):
            await api.join(ada.person, session_of(olga))
            elsewhere = await api.call("GET", f"{olga.path}/blocks", ada.person, None, VoiceBlocks)
            assert elsewhere == blocked
        assert (await api.call("GET", f"{bob.path}/blocks", bob.person, None, VoiceBlocks)).blocked == ()
        await api.call("DELETE", f"{ada.path}/blocks/{bob.user_id}", ada.person)
        for n in range(limits.VOICE_BLOCKS_MAX):
            await voice.block(ada.user_id, f"u{n}", ends=True, now_ms=0)
        await ada.refused(Code.VOICE_BLOCK_LIMIT, "PUT", f"/blocks/{bob.user_id}", {})
        await bob.change(bob, hand_raised=True)
        assert [state.revision for state in bob.heard] == [1, 2]


async def test_a_body_that_may_be_left_out_is_left_out(api: Api) -> None:
    """However a client names the type of nothing (aiohttp: application/octet-stream); what is there is JSON."""
    async with room(api, "Ada", "Bob") as (ada, bob):
        url = f"{api.base_url}/api{ada.path}/blocks/{bob.user_id}"
        bearer = {"Authorization": f"Bearer {ada.person.token}"}
        form = {**bearer, "Content-Type": "application/x-www-form-urlencoded"}
        for headers in (bearer, form):
            async with api.http.put(url, headers=headers) as answer:
                assert (answer.status, await answer.json()) == (200, {"blocked": [bob.user_id]})
        async with api.http.put(url, headers=form, data=b"x=1") as answer:
            assert (answer.status, (await answer.json())["code"]) == (415, Code.MEDIA_TYPE_UNSUPPORTED)


async def test_who_goes_is_out_of_voice(api: Api) -> None:
    """A page that leaves, and everybody who is put out of the room; the others hear of it."""
    async with room(api, "Ada", "Bob", "Cyd") as (ada, bob, cyd):
        for guest in (ada, bob, cyd):
            joined = await guest.join()
        await bob.page.leave()
        heard = await ada.hears(joined.voice.revision + 1)
        assert {p.user_id for p in heard.people} == {ada.user_id, cyd.user_id}
        await api.call("DELETE", f"/sessions/{session_of(ada)}/participants/{cyd.user_id}?ban=true", ada.person)
        heard = await ada.hears(joined.voice.revision + 2)
        assert [p.user_id for p in heard.people] == [ada.user_id]
        await cyd.refused(Code.PARTICIPANT_BANNED, "POST", "", {"tab_id": TAB})
        await cyd.refused(Code.PARTICIPANT_BANNED, "GET")


async def test_strangers_learn_nothing(api: Api) -> None:
    """Of a private session not even that it is there; a public one is for whoever has joined it."""
    zoe = await api.guest("Zoe")
    calls: tuple[tuple[str, str, object], ...] = (
        ("GET", "", None),
        ("POST", "", {"tab_id": TAB}),
        ("DELETE", f"?tab_id={TAB}", None),
        ("GET", "/channels", None),
        ("POST", "/channels", {"name": "Side"}),
        ("PUT", "/channels/main", {"name": "Side"}),
        ("DELETE", f"/channels/{GONE}", None),
        ("PUT", f"/participants/{zoe.user_id}", {"self_muted": True}),
        ("GET", "/blocks", None),
        ("PUT", "/blocks/bob", {}),
        ("DELETE", "/blocks/bob", None),
    )
    async with (
        room(api, "Ada", visibility=Visibility.PRIVATE) as (ada,),
        room(api, "Olga", visibility=Visibility.PUBLIC) as (olga,),
    ):
        for guest, code in ((ada, Code.SESSION_UNKNOWN), (olga, Code.ROLE_INSUFFICIENT)):
            stranger = Guest(api, zoe, guest.page, guest.path)
            for method, what, body in calls[: 3 if guest is ada else None]:
                await stranger.refused(code, method, what, body)
        nobody = Guest(api, replace(zoe, token="x"), ada.page, ada.path)
        for method, what, body in calls:
            await nobody.refused(Code.TOKEN_INVALID, method, what, body)


async def test_changes_are_limited(api: Api) -> None:
    """Each person's, all together; whoever is over it is told when to come again."""
    async with room(api, "Ada") as (ada,):
        calls = [ada.leave() for _ in range(4 * limits.VOICE_CHANGE_BURST)]  # the workers count each for itself
        outcomes = await asyncio.gather(*calls, return_exceptions=True)
    refusals = [outcome for outcome in outcomes if isinstance(outcome, Refused)]
    assert {(r.status, r.error.code, bool(r.error.retry_after_ms)) for r in refusals} == {
        (429, Code.RATE_LIMITED, True)
    }
    assert len(outcomes) - len(refusals) >= limits.VOICE_CHANGE_BURST


async def test_an_ended_session_leaves_no_voice(api: Api, stack: Stack) -> None:
    """Whoever ends it erases it with it."""
    async with room(api, "Ada") as (ada,), tables(stack) as (voice, _):
        await ada.join()
        assert (await voice.read(session_of(ada))).members
        await api.call("DELETE", f"/sessions/{session_of(ada)}", ada.person)
        await ada.refused(Code.SESSION_UNKNOWN, "GET")
        assert await voice.read(session_of(ada)) == Book()


@asynccontextmanager
async def tables(stack: Stack) -> AsyncIterator[tuple[VoiceStore, PresenceStore]]:
    """The stack's own, behind the functions' backs."""
    dynamo = Dynamo(stack.env["AWS_ENDPOINT_URL_DYNAMODB"], stack.env["AWS_REGION"])
    prefix = stack.env["TABLE_PREFIX"]
    try:
        yield VoiceStore(dynamo, prefix), PresenceStore(dynamo, prefix)
    finally:
        await dynamo.close()


async def crowd(voice: VoiceStore, presence: PresenceStore, session_id: str, people: int) -> None:
    """So many others are in the room and in its voice, and do not go before the test does: they were seen in an hour."""
    (row, *_) = (await presence.room(session_id)).rows
    row = replace(row, seen_at_ms=time.time_ns() // 1_000_000 + 3_600_000)
    rows = [stranger(row, f"crowd{n:03}") for n in range(people)]
    gate = asyncio.Semaphore(8)

    async def attach(made: Row) -> None:
        async with gate:
            await presence.attach(made)

    await asyncio.gather(*map(attach, rows))
    book = await voice.read(session_id)
    after = changed(
        book,
        revision=book.revision + 1,
        people=book.people | {made.user_id: Known() for made in rows},
        members=book.members | {made.peer_id: Member("pc_x", made.seen_at_ms) for made in rows},
    )
    assert await voice.swap(session_id, book.revision, after, row.seen_at_ms)


def stranger(row: Row, user_id: str) -> Row:
    """Somebody with a page that has entered, and no connection."""
    return replace(
        row,
        peer_id=f"{user_id}.{TAB}",
        user_id=user_id,
        connection_id="",
        role=Role.VIEWER,
        kind=UserKind.GUEST,
        entered=True,
    )
