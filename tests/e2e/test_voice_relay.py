"""On the media node: whoever speaks is heard from a slot, from where they stand, and nobody who may not speak."""

import contextlib
import os
import signal
import time
from pathlib import Path

import pytest

from local.stack import Stack
from tests.e2e.conftest import Window
from tests.e2e.speech import SILENCE_DB, heard_after_ms, join, louder, output, stand, talkers
from tests.e2e.test_relay_page import ON_RELAY, bots

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]

AHEAD = (0.0, 1.6, 0.0)
ON_NODE = "h.voice.view.carrier === 'relay'"


async def test_two_pages_of_a_large_room_hear_each_other_by_the_node(stack: Stack, tmp_path: Path) -> None:
    """They were in voice before the room grew: the node takes over without anybody doing anything, and keeps the rules."""
    async with talkers(stack, tmp_path, 2) as (ada, bob):
        await stand(bob, (0.0, 1.6, 14.0), AHEAD)
        await stand(ada, (0.0, 1.6, 12.5), AHEAD)
        await join(ada, bob)
        await bob.until(louder(-50))
        session_id = ada.page.url.rpartition("/")[2].partition("#")[0]
        async with bots(stack, session_id, 5):
            for one in (ada, bob):
                await one.until(f"{ON_RELAY} && {ON_NODE}", timeout_s=60)
            await from_a_slot(ada, bob)

            near = await output(bob)
            assert abs(near[0] - near[1]) < 1.5
            await stand(ada, (1.0, 1.6, 14.0), AHEAD)
            await bob.until("Math.abs(h.peers[0].position[0] - 1) < 0.05")
            left, right = await output(bob)
            assert right - left > 3

            await ada.page.evaluate("window.__holodeck.speech().mute(true)")
            await bob.until(f"h.voice.view.people[0].selfMuted && !({louder(SILENCE_DB)})")
            await ada.page.evaluate("window.__holodeck.speech().mute(false)")
            await bob.until(louder(-60))

            other = await bob.figure("h.voice.view.people[0].userId")
            name = await ada.figure("h.me.peer_id")
            await bob.figure(f"h.speech().volume('{other}', 0)")
            await bob.until(f"h.voice.levels['{name}'] === null")  # whoever has no volume takes no slot
            await bob.figure(f"h.speech().volume('{other}', 1)")
            await bob.until(louder(-60))

            await bob.page.evaluate(f"window.__holodeck.speech().block('{other}', true)")
            for one in (ada, bob):
                await one.until(f"!({louder(SILENCE_DB)})")
            await bob.page.evaluate(f"window.__holodeck.speech().block('{other}', false)")
            await ada.until(louder(-60))

            await bob.page.evaluate("window.__holodeck.speech().leave()")
            await bob.until("h.voice.view.status.kind === 'out'")
            print(f"join to first sound on the relay: {await heard_after_ms(bob.page):.0f} ms")

        for one in (ada, bob):  # the others have gone, and with them the node
            await one.until("h.links.some((l) => l.open && l.path !== 'node')", timeout_s=60)
            await one.until("!h.links.some((l) => l.open && l.path === 'node')", timeout_s=60)
        await bob.until(louder(-60))


async def test_voices_come_back_after_a_node_was_killed(stack: Stack, tmp_path: Path) -> None:
    """By the node that comes instead, or from page to page meanwhile: without anybody doing anything."""
    async with talkers(stack, tmp_path, 2) as (ada, bob):
        await stand(bob, (0.0, 1.6, 14.0), AHEAD)
        await stand(ada, (0.0, 1.6, 12.5), AHEAD)
        await join(ada, bob)
        session_id = ada.page.url.rpartition("/")[2].partition("#")[0]
        async with bots(stack, session_id, 5):
            for one in (ada, bob):
                await one.until(f"{ON_RELAY} && {ON_NODE}", timeout_s=60)
            await from_a_slot(ada, bob)
            for pid in stack.pids()["media"]:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            began = time.monotonic()
            await bob.until(f"!({louder(SILENCE_DB)})", timeout_s=30)
            quiet = time.monotonic()
            await bob.until(louder(-60), timeout_s=90)
            print(
                f"a node killed: quiet after {quiet - began:.1f} s, heard again after {time.monotonic() - began:.1f} s"
            )
            await bob.until(f"{ON_RELAY} && {ON_NODE}", timeout_s=60)
            await from_a_slot(ada, bob)


async def from_a_slot(speaker: Window, listener: Window) -> None:
    """The speaker's voice comes by the node, and by no connection of their own any more."""
    name = await speaker.figure("h.me.peer_id")
    await listener.until(
        f"h.links.every((l) => l.path === 'node' || !l.open) && (h.voice.levels['{name}'] ?? -120) > -50"
    )
    await listener.until("h.voice.view.people[0].speaking && h.voice.view.people[0].quality !== null")
    await listener.until(louder(-50))
