"""The house: which rooms are this node's, who comes in, who has to go, and who is told by post."""

import asyncio
from dataclasses import replace

import pytest

from chalicelib.documents.courier import committed
from chalicelib.peers.model import Relay
from chalicelib.voice.model import MAIN, VoiceRules
from chalicelib.wire import limits
from chalicelib.wire.codes import Code
from chalicelib.wire.errors import AppError
from chalicelib.wire.messages import ErrorMessage, OpCommitted, PresenceFrame
from chalicelib.wire.signals import Peer, PeerOffer
from chalicelib.wire.types import Delivery, PresenceState, Role, UserKind
from chalicelib.wire.voice import VoicePerson, VoiceState
from media_node import rtcp
from media_node.house import House
from media_node.ports import Link, NodeStats
from media_node.room import Room
from media_node.rtp import parse
from tests.fakes.relay import SESSION, FakeCarrying, FakeLink, FakePosts, FakeRegistry, person, row, update
from tests.fakes.talk import FakeTap, FakeVoices, Mouth, audio, speaker_of
from tests.fakes.time import VirtualTime

NODE = "node_" + "a" * 12
DOCUMENT = "doc_" + "a" * 20


class FakeTransport:
    """Answers every offer with a link that the test opens."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.port, self.public_address = 4000, "192.0.2.1"
        self.links: dict[str, FakeLink] = {}
        self.refusal: Exception | None = None

    async def answer(self, key: str, link_id: str, offer_sdp: str) -> str:
        """A link, unless it is told to refuse."""
        if self.refusal:
            raise self.refusal
        session_id, _, peer_id = key.partition(" ")
        old = self.links.get(key)
        if old is None or old.link_id != link_id:
            self.links[key] = FakeLink(person(peer_id.partition(".")[0], session_id=session_id), link_id)
        if old is not None and old.link_id != link_id:
            old.close("replaced")
            self.house.closed(old, "replaced")
        return f"answer to {offer_sdp}"

    def link(self, key: str) -> Link | None:
        """The newest."""
        return self.links.get(key)

    def stats(self) -> NodeStats:
        """Nothing."""
        return NodeStats()

    async def close(self) -> None:
        """All of them."""
        for link in self.links.values():
            link.close("draining")


class Site:
    """A node's house with everything around it."""

    def __init__(self) -> None:
        self.time = VirtualTime()
        self.registry = FakeRegistry(relays={SESSION: Relay(SESSION, node_id=NODE, generation=1)})
        self.posts = FakePosts()
        self.carrying = FakeCarrying()
        self.voices, self.tap = FakeVoices(), FakeTap()
        self.house = House(
            NODE,
            assignments=self.registry,
            reading=self.registry,
            post=self.posts,
            carrying=self.carrying,
            voices=self.voices,
            tap=self.tap,
            now_ms=self.time.now_ms,
            clock=lambda: self.time.at_ms / 1000,
            new_id=lambda: "corr",
        )
        self.transport = FakeTransport(self.house)
        self.house.transport = self.transport

    async def offer(self, name: str, link_id: str = "link0001", role: Role = Role.EDITOR) -> str:
        """Somebody offers, as the functions hand it on."""
        who = person(name, role)
        peer = Peer(
            peer_id=who.peer_id,
            user_id=name,
            name=name,
            color="#ffffff",
            role=role,
            kind=UserKind.GUEST,
            joined_at_ms=1,
        )
        return await self.house.offer(
            PeerOffer(
                to=f"{NODE}.relay",
                link=link_id,
                sdp="v=0",
                from_=who.peer_id,
                session_id=SESSION,
                peer=peer,
                connection_id=who.connection_id,
            )
        )

    async def enter(self, name: str, role: Role = Role.EDITOR) -> FakeLink:
        """Somebody offers, and their channels open."""
        self.registry.rows = [r for r in self.registry.rows if r.user_id != name] + [row(name, role)]
        await self.offer(name, role=role)
        link = self.link(name)
        self.house.opened(link)
        return link

    def link(self, name: str) -> FakeLink:
        """Their newest."""
        return self.transport.links[person(name).key]

    def leave(self, name: str, reason: str) -> None:
        """Their link ends."""
        link = self.transport.links.pop(person(name).key)
        link.close(reason)
        self.house.closed(link, reason)

    async def census(self) -> None:
        """A second passes."""
        self.time.at_ms += 1000
        await self.house.look_after(SESSION)


async def test_an_offer_of_a_room_of_this_node_is_answered() -> None:
    """And once its channels are open, the peer is on the relay."""
    site = Site()
    assert await site.offer("ada") == "answer to v=0"
    assert site.house.peers == 0
    site.house.opened(site.link("ada"))
    assert (site.house.peers, len(site.house.members(SESSION))) == (1, 1)
    assert site.house.member_at("c-ada") is not None
    assert site.house.member_at("c-bob") is None


@pytest.mark.parametrize("relay", [None, Relay(SESSION, node_id="node_" + "b" * 12, generation=1)])
async def test_an_offer_of_anothers_room_is_refused(relay: Relay | None) -> None:
    """Or of nobody's."""
    site = Site()
    site.registry.relays = {SESSION: relay} if relay else {}
    with pytest.raises(AppError) as refused:
        await site.offer("ada")
    assert refused.value.code is Code.RELAY_REFUSED
    assert site.house.rooms == {}


async def test_a_node_that_drains_takes_nobody() -> None:
    """Nor does one that was not told who offers."""
    site = Site()
    with pytest.raises(AppError):
        await site.house.offer(PeerOffer(to=f"{NODE}.relay", link="link0001", sdp="v=0"))
    site.house.draining = True
    with pytest.raises(AppError):
        await site.offer("ada")


async def test_a_transport_that_refuses_leaves_nothing_behind() -> None:
    """Whoever it was comes again."""
    site = Site()
    site.transport.refusal = AppError(Code.SDP_INVALID)
    with pytest.raises(AppError):
        await site.offer("ada")
    site.transport.refusal = None
    await site.enter("ada")
    assert site.house.peers == 1


async def test_a_node_has_only_so_many_rooms() -> None:
    """RELAY_FULL past them."""
    site = Site()
    await site.enter("ada")
    lodging = site.house.rooms[SESSION]
    site.house.rooms = {f"ses_{number:020d}": lodging for number in range(limits.NODE_ROOMS_MAX)}
    with pytest.raises(AppError) as refused:
        await site.offer("bob")
    assert refused.value.code is Code.RELAY_FULL


async def test_a_room_that_is_another_nodes_by_now_is_given_up() -> None:
    """Told, or found out."""
    site = Site()
    link = await site.enter("ada")
    site.registry.relays = {}
    await site.census()
    assert (link.ended, site.house.rooms) == ("moved", {})
    site.house.give_up(SESSION, "moved")
    site.house.presence(link, b"{}")
    site.house.control(link, "{}")
    site.house.closed(link, "moved")
    late = FakeLink(person("bob"))
    site.house.opened(late)
    assert late.ended == "refused"


async def test_whoever_was_removed_has_to_go_at_once() -> None:
    """Told, or found out by their row."""
    site = Site()
    for name in ("ada", "bob", "cyd"):
        await site.enter(name)
    await site.census()
    site.house.remove(SESSION, "ada")
    site.house.remove("ses_" + "z" * 20, "bob")
    assert site.link("ada").ended == "removed"
    site.registry.rows = [row("cyd")]
    await site.census()
    assert [site.link(name).ended for name in ("bob", "cyd")] == ["removed", None]


async def test_whoever_was_removed_before_their_channels_opened_never_comes_in() -> None:
    """Told, or found out by their row; a link may wait with its handshake for as long as it likes."""
    site = Site()
    site.registry.rows = [row(name) for name in ("ada", "bob", "cyd")]
    for name in ("ada", "bob", "cyd"):
        await site.offer(name)
    site.house.remove(SESSION, "ada")
    assert [site.link(name).ended for name in ("ada", "bob", "cyd")] == ["removed", None, None]
    site.registry.rows = [row("cyd")]
    await site.census()
    for name in ("bob", "cyd"):
        site.house.opened(site.link(name))
    assert (site.link("bob").ended, site.house.peers) == ("refused", 1)


@pytest.mark.parametrize("read", [False, True])
async def test_whose_role_changed_before_their_channels_opened_comes_in_with_the_new_one(read: bool) -> None:
    """Pushed, or read meanwhile."""
    site = Site()
    await site.offer("ada")
    if read:
        site.registry.rows = [row("ada", Role.VIEWER)]
        await site.census()
    else:
        site.house.change_role(SESSION, "ada", Role.VIEWER)
    site.house.opened(site.link("ada"))
    assert site.house.members(SESSION)[0].person.role is Role.VIEWER


async def test_an_offer_that_is_no_offer_changes_nothing_of_the_link_there_is() -> None:
    """Whose it is stays known, and nothing is left of it when it ends."""
    site = Site()
    link = await site.enter("ada")
    site.transport.refusal = AppError(Code.SDP_INVALID)
    with pytest.raises(AppError):
        await site.offer("ada", "link0002")
    site.leave("ada", "left")
    site.house.opened(link)
    assert (link.ended, site.house.peers) == ("refused", 0)


class BrokenLink(FakeLink):
    """One that nothing can be sent on."""

    def send_presence(self, data: bytes) -> None:
        """Fails in a way that nobody thought of."""
        raise RuntimeError


async def test_a_room_that_fails_is_given_up_and_the_others_go_on() -> None:
    """A node that ended by it would hand it to the next, and that would end as well."""
    site = Site()
    other = "ses_" + "b" * 20
    await site.enter("ada")
    broken = site.transport.links[person("ada").key] = BrokenLink(person("ada"))
    site.house.opened(broken)
    site.house.presence(await site.enter("bob"), update(1, PresenceState()))
    room = Room(other, site.carrying, now_ms=site.time.now_ms, new_id=lambda: "corr")
    lodging = site.house.rooms[other] = replace(site.house.rooms[SESSION], room=room)
    site.house.tick(1)
    assert (broken.ended, site.house.rooms) == ("failed", {other: lodging})


async def test_a_room_that_was_given_up_is_not_looked_after() -> None:
    """It may go in the moment before."""
    site = Site()
    await site.enter("ada")
    site.house.give_up(SESSION, "moved")
    await site.house.look_after(SESSION)
    assert site.registry.reads == 0


async def test_a_census_that_fails_ends_nothing() -> None:
    """Whatever a row may hold that nobody can read."""
    site = Site()
    await site.enter("ada")
    site.registry.rows = [None]  # type: ignore[list-item]
    looking = asyncio.ensure_future(site.house.censuses())
    async with asyncio.timeout(10):
        while site.registry.reads < 2:  # noqa: ASYNC110 - real time
            await asyncio.sleep(0.05)
    assert not looking.done()
    looking.cancel()
    await asyncio.gather(looking, return_exceptions=True)


async def test_whose_websocket_dropped_keeps_the_channel_for_a_while() -> None:
    """It may be the functions that are away, not the person."""
    site = Site()
    link = await site.enter("ada")
    site.registry.rows = [row("ada", leaving_at_ms=site.time.at_ms + 5000)]
    await site.census()
    site.registry.rows = []
    for _ in range(10):
        await site.census()
    assert link.ended is None
    for _ in range(10):
        await site.census()
    assert link.ended == "idle"


async def test_a_role_and_a_new_websocket_are_learned() -> None:
    """Pushed, or by the rows."""
    site = Site()
    await site.enter("ada")
    site.house.change_role(SESSION, "ada", Role.VIEWER)
    site.house.change_role("ses_" + "z" * 20, "ada", Role.VIEWER)
    roles = [site.house.members(SESSION)[0].person.role]
    await site.census()  # the rows may be older than what was pushed
    roles.append(site.house.members(SESSION)[0].person.role)
    site.time.at_ms += 4000
    await site.census()
    roles.append(site.house.members(SESSION)[0].person.role)
    assert roles == [Role.VIEWER, Role.VIEWER, Role.EDITOR]


async def test_a_database_that_is_away_changes_nothing() -> None:
    """What is known will do."""
    site = Site()
    link = await site.enter("ada")
    site.registry.away = AppError(Code.UPSTREAM_UNAVAILABLE)
    await site.census()
    assert (link.ended, site.house.peers) == (None, 1)


async def test_an_empty_room_is_kept_for_a_while() -> None:
    """Its people may all be coming again."""
    site = Site()
    await site.enter("ada")
    site.leave("ada", "left")
    await site.census()
    assert SESSION in site.house.rooms
    site.time.at_ms += 40_000
    await site.census()
    assert site.house.rooms == {}


async def test_who_has_no_channel_is_told_by_post() -> None:
    """Five times a second; whoever has one is not."""
    site = Site()
    for name in ("ada", "bob"):
        await site.enter(name)
    site.registry.rows.append(row("eve", Role.VIEWER))
    await site.census()
    site.house.presence(site.link("ada"), update(1, PresenceState()))
    for tick in range(1, 9):
        site.house.tick(tick)
    await site.time.rest()
    (frame,) = site.posts.of("c-eve", PresenceFrame)
    assert [state.peer_id for state in frame.states] == ["ada.tab00001"]
    assert site.posts.of("c-bob", PresenceFrame) == []
    assert len(site.link("bob").frames) == 1


async def test_a_post_that_failed_is_made_good() -> None:
    """With everything, a moment later: more posts at once are no help where there were too many."""
    site = Site()
    await site.enter("ada")
    site.registry.rows.append(row("eve", Role.VIEWER))
    await site.census()
    site.posts.outcome = {"c-eve": Delivery.FAILED}
    site.house.presence(site.link("ada"), update(1, PresenceState()))
    site.house.tick(4)
    await site.time.rest()
    site.posts.outcome = {}
    counts = []
    for tick in (8, 12):
        site.house.tick(tick)
        await site.time.rest()
        counts.append(len(site.posts.of("c-eve", PresenceFrame)))
        site.time.at_ms += 1000
    assert counts == [0, 1]


async def test_a_link_that_broke_is_made_good_by_post() -> None:
    """Whatever it may have lost of documents; one that ended well lost nothing."""
    site = Site()
    for name in ("ada", "bob"):
        await site.enter(name)
    site.carrying.served = [committed(DOCUMENT, 9)]
    site.leave("ada", "left")
    site.leave("bob", "consent")
    await site.time.rest()
    assert site.posts.of("c-ada", OpCommitted) == []
    assert [message.head for message in site.posts.of("c-bob", OpCommitted)] == [9]


async def test_who_comes_by_websocket_alone_is_told_where_the_documents_are() -> None:
    """They were not told what was committed between their opening the document and the census."""
    site = Site()
    await site.enter("ada")
    await site.census()
    site.carrying.served = [committed(DOCUMENT, 9)]
    site.registry.rows.append(row("eve", Role.VIEWER))
    await site.census()
    await site.census()
    await site.time.rest()
    assert [message.head for message in site.posts.of("c-eve", OpCommitted)] == [9]
    assert site.posts.of("c-ada", OpCommitted) == []


async def test_a_page_that_says_goodbye_is_let_go() -> None:
    """By the link that it means."""
    site = Site()
    link = await site.enter("ada")
    site.house.bye(SESSION, person("ada").peer_id, "link0009")
    assert link.ended is None
    site.house.bye(SESSION, person("ada").peer_id, "link0001")
    assert link.ended == "left"


async def test_another_link_takes_the_place_of_the_first() -> None:
    """The old one's end changes nothing."""
    site = Site()
    await site.enter("ada")
    await site.offer("ada", "link0002")
    assert site.house.peers == 0
    site.house.opened(site.link("ada"))
    assert site.house.peers == 1


async def test_what_was_too_much_is_said() -> None:
    """On the channel itself."""
    site = Site()
    link = await site.enter("ada")
    site.house.refused(link, Code.CHANNEL_TOO_MUCH)
    assert [error.code for error in link.of(ErrorMessage)] == [Code.CHANNEL_TOO_MUCH]


async def test_whoever_waits_until_all_have_gone_is_told() -> None:
    """Or gives up."""
    site = Site()
    await site.enter("ada")
    waiting = asyncio.ensure_future(site.house.emptied(60))
    await asyncio.sleep(0)
    site.leave("ada", "left")
    await waiting
    await site.enter("ada")
    await site.house.emptied(0)


async def test_ticks_and_censuses_go_on_until_they_are_cancelled() -> None:
    """And tell what there is."""
    site = Site()
    for name in ("ada", "bob"):
        await site.enter(name)
    site.house.presence(site.link("ada"), update(1, PresenceState()))
    ticking = [asyncio.ensure_future(life) for life in (site.house.ticks(), site.house.censuses())]
    async with asyncio.timeout(10):
        while not site.link("bob").frames or not site.registry.reads:  # noqa: ASYNC110 - real time
            await asyncio.sleep(0.01)
    for task in ticking:
        task.cancel()
    await asyncio.gather(*ticking, return_exceptions=True)


async def test_a_session_without_a_room_here_has_a_census_all_the_same() -> None:
    """A document of it may be served still."""
    site = Site()
    site.registry.rows = [row("ada")]
    (listener,) = await site.house.census(SESSION).listeners(frozenset())
    assert listener.user_id == "ada"
    assert site.house.room(SESSION) is None
    assert site.house.members(SESSION) == []


def in_voice(*names: str, revision: int = 1, muted: tuple[str, ...] = ()) -> VoiceRules:
    """Rules by which these have joined."""
    people = tuple(
        VoicePerson(user_id=name, channel_id="main", peers=(person(name).peer_id,), muted=name in muted)
        for name in names
    )
    return VoiceRules(VoiceState(revision=revision, channels=(MAIN,), people=people))


class Talk:
    """Two people on a node, with audio; one of them speaks."""

    def __init__(self, site: Site) -> None:
        self.site, self.mouth = site, Mouth("ada")

    async def begin(self) -> None:
        """They enter, and are in voice."""
        self.site.voices.rules_of = {SESSION: in_voice("ada", "bob")}
        for number, name in enumerate(("ada", "bob"), 1):
            link = await self.site.enter(name)
            link.audio = audio(number)
        await self.site.time.rest()
        self.site.house.tick(1)

    def heard(self) -> set[str]:
        """Whom the other hears of some packets."""
        link = self.site.link("bob")
        link.media.clear()
        for _ in range(3):
            self.site.house.media(self.site.link("ada"), self.mouth.say(), self.site.time.at_ms / 1000)
        packets = [parse(data, None) for data in link.media]
        return {speaker_of(packet) for packet in packets if packet is not None}


async def test_voice_is_read_as_a_room_begins_and_carried_from_link_to_link() -> None:
    """Also what a page misses; a link of no room is nobody's."""
    site = Site()
    talk = Talk(site)
    await talk.begin()
    assert talk.heard() == {"ada"}
    sent = site.link("bob").media[0]
    nack = rtcp.nack(1, int.from_bytes(sent[8:12], "big"), [int.from_bytes(sent[2:4], "big")])
    site.house.media_control(site.link("bob"), nack, site.time.at_ms / 1000)
    assert site.link("bob").media[-1] == sent
    stranger = FakeLink(person("eve", session_id="ses_" + "z" * 20))
    site.house.media(stranger, sent, 1.0)
    site.house.media_control(stranger, nack, 1.0)
    assert stranger.media == []


async def test_a_notice_that_voice_changed_has_it_read_at_once() -> None:
    """A moderator's mute stops packets then; of a room that is not here it means nothing."""
    site = Site()
    talk = Talk(site)
    await talk.begin()
    site.voices.rules_of = {SESSION: in_voice("ada", "bob", revision=2, muted=("ada",))}
    site.house.voice_changed("ses_" + "z" * 20)
    assert talk.heard() == {"ada"}
    site.house.voice_changed(SESSION)
    await site.time.rest()
    assert talk.heard() == set()
    assert site.tap.followed[-1].revision == 2


async def test_voice_is_read_every_few_seconds_in_any_case_and_what_is_known_stays_so() -> None:
    """While anybody is there; a database that is away changes nothing."""
    site = Site()
    talk = Talk(site)
    await talk.begin()
    site.voices.away = AppError(Code.UPSTREAM_UNAVAILABLE)
    reads = site.voices.reads
    for _ in range(limits.VOICE_STATE_S):
        await site.census()
    await site.time.rest()
    assert site.voices.reads == reads + 1
    assert talk.heard() == {"ada"}
    site.voices.away = None
    site.voices.rules_of = {SESSION: in_voice("bob", revision=2)}
    for _ in range(limits.VOICE_STATE_S):
        await site.census()
    await site.time.rest()
    assert talk.heard() == set()


async def test_nothing_is_kept_of_voices_that_have_gone() -> None:
    """Nor of a room that was given up; whoever records is told."""
    site = Site()
    talk = Talk(site)
    await talk.begin()
    talk.heard()
    assert site.house.kept > 0
    for name in ("ada", "bob"):
        site.leave(name, "left")
    assert site.house.kept == 0
    site.house.give_up(SESSION, "moved")
    assert site.tap.ended == [SESSION]
