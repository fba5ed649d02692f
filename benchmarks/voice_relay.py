"""Voices through the media node, beside Janus (Debian's `janus`): its mixer (AudioBridge) and its forwarder (VideoRoom).

    make bench NAME=voice-relay        SECONDS=5 REPEATS=5: about thirteen minutes; Janus is installed by apt if need be

The same load for all (benchmarks/voices), by turns on the same machine: rooms of 10, 25 and 50 who all talk, and 50 of whom 5
talk; Opus of 20 ms with FEC, and what DTX sends for the others; DTLS-SRTP with AES-128-GCM, levels, sender and receiver
reports and NACK in force at each; without loss and with 2% lost each way (`_loss2`). Who hears whom: on AudioBridge a mix of
all; on ours the four slots; on VideoRoom four subscriptions to others who talk.
Rooms of 50 are measured REPEATS times on ours and the AudioBridge, whose ratio is the claim, and medians told; all else once.
Ours is the node as its image has it: compiled (`native` is 1), where a C compiler is there.
CPU is the server's process or processes; `_per_participant_minute` is its seconds by everybody there, talking or not. Relay
latency is from a packet's last sending to its coming to the listener's socket, by the kernel's timestamp, of those
that nobody had to ask for; those come later by what noticing a gap takes, and are told as `recovered`. `delivered_ratio` is
of all that there was to hear, after asking.
"""

import asyncio
import os
from collections.abc import Mapping
from typing import Final

from benchmarks import janus, peers
from benchmarks.relay import DRIVER, NODE, seconds_from, unit_of
from benchmarks.report import Report, medians
from benchmarks.voices.process import load, windows
from local.dynamodb import unavailable
from local.stack import Stack
from media_node import native

SECONDS: Final = seconds_from("SECONDS", 5)
REPEATS: Final = int(os.environ.get("REPEATS", "5"))
OURS: Final = "holodeck"
BRIDGE: Final = "audiobridge"
FORWARDER: Final = "videoroom"
KINDS: Final = (OURS, BRIDGE, FORWARDER)
LOSSES: Final = ((0.0, ""), (0.02, "_loss2"))
HEADLINE: Final = "50"
JOBS: Final = {"10": (10, 10, 1), "25": (25, 25, 1), HEADLINE: (50, 50, REPEATS), "5of50": (50, 5, REPEATS)}
"""People, how many talk, and how often it is measured, of COMPARED; of others once."""
COMPARED: Final = (OURS, BRIDGE)
ALIKE: Final = ("gcm_ratio", "level_ratio")
"""What every participant has to have agreed upon, with every server."""
RATIOS: Final = {BRIDGE: "cpu_ratio_to_audiobridge", FORWARDER: "cpu_ratio_to_videoroom"}


def figures_of(told: Mapping[str, float], server_s: float, driver_s: float, people: int) -> dict[str, float]:
    """What one window says. RuntimeError where a server did not agree to what all others did."""
    for name in ALIKE:
        if told[name] < 1:
            raise RuntimeError(f"not alike: {name} is {told[name]}")
    seconds = told["seconds"]
    packets = (told["packets_sent_per_s"] + told["packets_heard_per_s"]) * seconds
    kept = {name: value for name, value in told.items() if name not in {"seconds", *ALIKE}}
    return kept | {
        "cpu_s_per_participant_minute": server_s / people / (seconds / 60),
        "server_cpu_cores": server_s / seconds,
        "server_cpu_us_per_packet": server_s * 1e6 / packets,
        "driver_cpu_cores": driver_s / seconds,
    }


Found = dict[tuple[str, str, str], dict[str, float]]
"""Figures by kind, job, and the suffix of its loss."""


def tell(report: Report, found: Found) -> None:
    """Ours with the ratios of CPU first, then everybody's."""
    for job in JOBS:
        for _, suffix in LOSSES:
            mine = found[OURS, job, suffix]["cpu_s_per_participant_minute"]
            for kind, name in RATIOS.items():
                theirs = found[kind, job, suffix]["cpu_s_per_participant_minute"]
                report.figure(f"{name}_{job}{suffix}", mine / theirs, "ratio")
    for _, suffix in LOSSES:
        report.figure(f"relay_p99_ms{suffix}", found[OURS, HEADLINE, suffix]["relay_p99_ms"], "ms")
    for (kind, job, suffix), figures in found.items():
        for name, value in figures.items():
            if kind == OURS:
                report.figure(f"{name}_{job}{suffix}", value, unit_of(name))
            else:
                report.peer(f"janus {kind}", f"{name}_{job}{suffix}", value, unit_of(name))


async def once(stack: Stack, kind: str, job: str) -> list[dict[str, float]]:
    """A job on a fresh room of ours, or on a fresh Janus; a window for each loss."""
    people, talking, _ = JOBS[job]
    losses = ",".join(str(loss) for loss, _ in LOSSES)
    settings = {
        "PEOPLE": str(people),
        "TALKING": str(talking),
        "LOSSES": losses,
        "SECONDS": str(SECONDS),
        "ADDRESS": janus.address(),
    }
    if kind == OURS:
        async with load("drive", kind, stack.base_url, **settings) as driver:
            found = await windows(driver, len(LOSSES), stack.cpu_seconds)
    else:
        async with janus.running() as (server, url), load("drive", kind, url, **settings) as driver:
            found = await windows(driver, len(LOSSES), lambda: {NODE: peers.cpu_s(server)})
    return [figures_of(told, used[NODE], used[DRIVER], people) for told, used in found]


async def compare(stack: Stack) -> Found:
    """Everybody at every job by turns."""
    many: dict[tuple[str, str, str], list[dict[str, float]]] = {}
    for repeat in range(REPEATS):
        for job, (_, _, times) in JOBS.items():
            for kind in (kind for kind in KINDS if repeat < (times if kind in COMPARED else 1)):
                for (_, suffix), one in zip(LOSSES, await once(stack, kind, job), strict=True):
                    many.setdefault((kind, job, suffix), []).append(one)
                    print(f"{job}{suffix}", kind, {name: round(value, 3) for name, value in one.items()}, flush=True)
    return {key: medians(each) for key, each in many.items()}


def main() -> Report:
    """The whole comparison."""
    report = Report("voice-relay")
    janus.install()
    report.figure("native", float(native.built() is not None), "")
    with Stack(dynamodb="moto" if unavailable() else "local") as stack:
        tell(report, asyncio.run(compare(stack)))
    return report
