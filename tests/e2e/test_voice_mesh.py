"""Two pages hear each other from where they stand, as loud as they should, and not when they should not."""

import json
from pathlib import Path

import pytest

from local.stack import Stack
from tests.e2e.gathering import KEEP
from tests.e2e.speech import SILENCE_DB, heard_after_ms, join, louder, output, stand, talkers

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(240)]

AHEAD = (0.0, 1.6, 0.0)


async def test_two_pages_hear_each_other_from_where_they_stand(stack: Stack, tmp_path: Path) -> None:
    """Right is right, far is soft by the channel's law, and muted or blocked is silent, both ways."""
    async with talkers(stack, tmp_path, 2) as (ada, bob):
        for one in (ada, bob):
            await one.until("h.carrier === 'mesh' && h.links.some((l) => l.open)")
        await stand(bob, (0.0, 1.6, 14.0), AHEAD)
        await stand(ada, (0.0, 1.6, 12.5), AHEAD)
        await join(ada)
        print(f"join to first sound: {await heard_after_ms(bob.page):.0f} ms")
        for one in (ada, bob):
            await one.until(f"h.voice.view.carrier === 'mesh' && {louder(-50)}")

        near = await output(bob)
        assert abs(near[0] - near[1]) < 1.5

        await stand(ada, (1.0, 1.6, 14.0), AHEAD)
        await bob.until("Math.abs(h.peers[0].position[0] - 1) < 0.05")
        left, right = await output(bob)
        assert right - left > 3
        await stand(ada, (-1.0, 1.6, 14.0), AHEAD)
        await bob.until("Math.abs(h.peers[0].position[0] + 1) < 0.05")
        left, right = await output(bob)
        assert left - right > 3

        await stand(ada, (0.0, 1.6, 8.0), AHEAD)
        await bob.until("Math.abs(h.peers[0].position[2] - 8) < 0.05")
        far = await output(bob)
        assert near[0] - far[0] == pytest.approx(12, abs=1.5)  # the inverse law: 1.5 m of 6 m

        await ada.page.evaluate("window.__holodeck.speech().mute(true)")
        await bob.until(f"h.voice.view.people[0].selfMuted && !({louder(SILENCE_DB)})")
        await ada.page.evaluate("window.__holodeck.speech().mute(false)")
        await bob.until(louder(-60))

        other = await bob.figure("h.voice.view.people[0].userId")
        await bob.page.evaluate(f"window.__holodeck.speech().block('{other}', true)")
        for one in (ada, bob):
            await one.until(f"!({louder(SILENCE_DB)})")
        await bob.page.evaluate(f"window.__holodeck.speech().block('{other}', false)")
        await ada.until(louder(-60))


RESENT = """setInterval(async () => {
  const all = await Promise.all(window.__made.map(async (made) => [...(await made.getStats()).values()]));
  window.__resent = all.flat().reduce((sum, { retransmittedPacketsSent }) => sum + (retransmittedPacketsSent ?? 0), 0);
}, 250);"""


async def test_lost_packets_are_made_good(stack: Stack, tmp_path: Path) -> None:
    """Of what one loses, 5% either way, the other side is asked for again and sends it: hardly anything is missing."""
    async with talkers(stack, tmp_path, 2, KEEP, RESENT, loss_percent=5) as (ada, bob):
        await join(ada, bob)
        for one in (ada, bob):
            await one.until("window.__resent >= 10", timeout_s=60)
        for one in (ada, bob):
            await one.until("(h.voice.view.people[0].quality?.lossShare ?? 1) < 0.01")
            await one.until("(h.voice.view.figures.sentLossShare ?? 1) < 0.05")


CONTEXTS = """window.__contexts = [];
const Context = window.AudioContext;
window.AudioContext = class extends Context { constructor(...all) { super(...all); window.__contexts.push(this); } };"""
LEFT = """JSON.stringify([window.__made.filter((one) => one.connectionState !== 'closed').length,
window.__made.flatMap((one) => one.getTransceivers()).filter((one) => one.currentDirection === 'sendrecv').length,
window.__contexts.filter((one) => one.state !== 'closed').length])"""


async def test_coming_and_going_leaves_nothing_behind(stack: Stack, tmp_path: Path) -> None:
    """Again and again in and out: the same connection, the same one section, no context; how soon one hears is printed."""
    async with talkers(stack, tmp_path, 2, KEEP, CONTEXTS) as (ada, bob):
        await join(ada)
        times = []
        for _ in range(12):
            times.append(await heard_after_ms(bob.page))
            await bob.page.evaluate("window.__holodeck.speech().leave()")
            await bob.until(
                "h.voice.view.status.kind === 'out' && window.__contexts.every((one) => one.state === 'closed')"
            )
            await ada.until("h.voice.view.people.length === 0")
        print(f"join to first sound, {len(times)} times: {', '.join(f'{ms:.0f}' for ms in sorted(times))} ms")
        assert json.loads(str(await bob.figure(LEFT))) == [1, 1, 0]
        assert await bob.figure("h.voice.output.every((db) => db === null)")
