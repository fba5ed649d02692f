"""50 participants in one room on the WebSocket, each moving at 5 Hz, through the whole local stack.

Every update goes gateway -> worker -> DynamoDB emulator; a broadcaster merges; every frame goes worker -> @connections ->
gateway -> client. Latency is from the moment a client sends a state to the moment another has decoded the frame with it.
A state that a newer one overtook within a tick is not missing: what counts is that each client ends with the latest
state of each other. Server CPU is workers and gateway; the emulator's is reported apart.
"""

import asyncio
import os
import random
import time
from collections import defaultdict

from benchmarks.client import Api, PeerClient
from benchmarks.report import Report, percentile
from chalicelib.wire.messages import PresenceFrame, ServerMessage
from chalicelib.wire.types import Pose, PresenceState
from local.stack import Stack

PEOPLE = int(os.environ.get("PEOPLE", "50"))
SECONDS = float(os.environ.get("SECONDS", "20"))
WARM_UP_S = 10.0  # of the same load, unmeasured: a Java emulator compiles its hot paths first
HZ = 5.0


class Meter:
    """Who got which state when."""

    def __init__(self) -> None:
        self.sent: dict[tuple[str, int], float] = {}
        self.latencies_ms: list[float] = []
        self.newest: dict[tuple[str, str], int] = defaultdict(int)
        self.bytes_in = 0
        self.frames = 0
        self.recording = False

    def listen(self, me: PeerClient) -> None:
        """Watches one client's frames."""

        def on_message(message: ServerMessage, size: int) -> None:
            if not isinstance(message, PresenceFrame):
                return
            now = time.perf_counter()
            self.frames += self.recording
            self.bytes_in += size * self.recording
            for state in message.states:
                key = (me.peer_id, state.peer_id)
                if state.counter > self.newest[key]:
                    self.newest[key] = state.counter
                    sent = self.sent.get((state.peer_id, state.counter))
                    if sent is not None and self.recording and state.peer_id != me.peer_id:
                        self.latencies_ms.append((now - sent) * 1000)

        me.on_message = on_message


async def move(me: PeerClient, meter: Meter, until: float, rng: random.Random) -> None:
    """Moves at HZ, with a random phase, until a moment."""
    due = time.perf_counter() + rng.random() / HZ
    while due < until:
        await asyncio.sleep(max(0.0, due - time.perf_counter()))
        pose = Pose(position=(rng.uniform(-9, 9), 1.6, rng.uniform(-9, 9)), rotation=(0.0, 0.0, 0.0, 1.0))
        meter.sent[me.peer_id, me.counter + 1] = time.perf_counter()
        await me.update(PresenceState(pose=pose))
        due += 1 / HZ


async def warm_up(peers: list[PeerClient], meter: Meter) -> None:
    """The job, unmeasured."""
    ends = time.perf_counter() + WARM_UP_S
    await asyncio.gather(*(move(p, meter, ends, random.Random(i)) for i, p in enumerate(peers)))


async def load(stack: Stack, report: Report, prefix: str) -> None:
    """The job, once."""
    meter = Meter()
    async with Api(stack.base_url) as api:
        people = [await api.guest(f"Person {i}") for i in range(PEOPLE)]
        session = await api.create(people[0], "Benchmark", max_participants=max(PEOPLE, 2))
        peers = []
        for i, person in enumerate(people):
            peer = await api.enter(person, session.session_id, f"tab{i:05}")
            await peer.__aenter__()
            meter.listen(peer)
            peers.append(peer)
        await warm_up(peers, meter)
        before = sum(p.counter for p in peers)
        cpu_before = stack.cpu_seconds()
        meter.recording = True
        started = time.perf_counter()
        await asyncio.gather(*(move(p, meter, started + SECONDS, random.Random(i)) for i, p in enumerate(peers)))
        await asyncio.sleep(2)
        meter.recording = False
        cpu = {role: s - cpu_before.get(role, 0.0) for role, s in stack.cpu_seconds().items()}
        pairs = [(a, b) for a in peers for b in peers if a is not b]
        latest = sum(meter.newest[a.peer_id, b.peer_id] == b.counter for a, b in pairs)
        refused = sum(len(p.errors) for p in peers)
        await asyncio.gather(*(p.close() for p in peers))
    updates = sum(p.counter for p in peers) - before
    delivered = len(meter.latencies_ms)
    server = cpu.get("gateway", 0.0) + cpu.get("worker", 0.0)
    report.figure(f"{prefix}latest_state_delivery_ratio", latest / len(pairs), "ratio")
    report.figure(f"{prefix}end_to_end_p50_ms", percentile(meter.latencies_ms, 50), "ms")
    report.figure(f"{prefix}end_to_end_p99_ms", percentile(meter.latencies_ms, 99), "ms")
    report.figure(f"{prefix}updates_sent_per_s", updates / SECONDS, "1/s")
    report.figure(f"{prefix}updates_refused", refused, "messages")
    report.figure(f"{prefix}updates_delivered_per_s", delivered / SECONDS, "1/s")
    report.figure(f"{prefix}frames_per_recipient_per_s", meter.frames / PEOPLE / SECONDS, "1/s")
    report.figure(f"{prefix}bytes_per_recipient_per_s", meter.bytes_in / PEOPLE / SECONDS, "B/s")
    report.figure(f"{prefix}cpu_us_per_update", server * 1e6 / max(1, delivered), "us")
    report.figure(f"{prefix}server_cpu_us_per_update_sent", server * 1e6 / max(1, updates), "us")
    for role, seconds in sorted(cpu.items()):
        report.figure(f"{prefix}{role}_cpu_cores", seconds / (SECONDS + 2), "cores")


def main() -> Report:
    """On DynamoDB Local where Java is there (Amazon's own emulator), and on moto."""
    from local.dynamodb import unavailable  # noqa: PLC0415

    report = Report("room-presence")
    why_not = unavailable()
    databases = [("local", ""), ("moto", "moto_")] if why_not is None else [("moto", "")]
    if why_not is not None:
        print(f"DynamoDB Local is not used: {why_not}")
    for database, prefix in databases:
        with Stack(dynamodb=database) as stack:
            asyncio.run(load(stack, report, prefix))
    return report
