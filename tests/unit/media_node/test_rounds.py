"""The ticks of all rooms: who is told, whose failure is whose, and that slots are given a few at a time."""

import asyncio
from dataclasses import replace

from chalicelib.voice.model import MAIN, VoiceRules
from chalicelib.wire.messages import PresenceFrame
from chalicelib.wire.types import Delivery, PresenceState, Role
from chalicelib.wire.voice import VoicePerson, VoiceSlots, VoiceState
from media_node.room import Room
from media_node.voice import FEW
from tests.fakes.relay import SESSION, FakeLink, person, row, update
from tests.fakes.site import Site
from tests.fakes.talk import audio


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
    site.house.rounds.tick(1)
    assert (broken.ended, site.house.rooms) == ("failed", {other: lodging})


async def test_others_have_their_turn_while_slots_are_given() -> None:
    """After each few listeners: packets wait no longer."""
    site, names, turns = Site(), [f"p{number:02d}" for number in range(2 * FEW + 1)], 0
    people = tuple(VoicePerson(user_id=name, channel_id="main", peers=(person(name).peer_id,)) for name in names)
    site.voices.rules_of = {SESSION: VoiceRules(VoiceState(revision=1, channels=(MAIN,), people=people))}
    for number, name in enumerate(names):
        (await site.enter(name)).audio = audio(number)
    await site.time.rest()
    site.house.rounds.tick(1)
    giving = asyncio.ensure_future(site.house.rounds.choose())
    while not giving.done():
        turns += 1
        await asyncio.sleep(0)
    assert turns > 2
    assert all(site.link(name).of(VoiceSlots) for name in names)


async def test_ticks_and_censuses_go_on_until_they_are_cancelled() -> None:
    """And tell what there is."""
    site = Site()
    for name in ("ada", "bob"):
        await site.enter(name)
    site.house.presence(site.link("ada"), update(1, PresenceState()))
    ticking = [asyncio.ensure_future(life) for life in (site.house.rounds.run(), site.house.censuses())]
    async with asyncio.timeout(10):
        while not site.link("bob").frames or not site.registry.reads:  # noqa: ASYNC110 - real time
            await asyncio.sleep(0.01)
    for task in ticking:
        task.cancel()
    await asyncio.gather(*ticking, return_exceptions=True)


async def test_who_has_no_channel_is_told_by_post() -> None:
    """Five times a second; whoever has one is not."""
    site = Site()
    for name in ("ada", "bob"):
        await site.enter(name)
    site.registry.rows.append(row("eve", Role.VIEWER))
    await site.census()
    site.house.presence(site.link("ada"), update(1, PresenceState()))
    for tick in range(1, 9):
        site.house.rounds.tick(tick)
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
    site.house.rounds.tick(4)
    await site.time.rest()
    site.posts.outcome = {}
    counts = []
    for tick in (8, 12):
        site.house.rounds.tick(tick)
        await site.time.rest()
        counts.append(len(site.posts.of("c-eve", PresenceFrame)))
        site.time.at_ms += 1000
    assert counts == [0, 1]
