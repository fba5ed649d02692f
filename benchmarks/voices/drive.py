"""The load, as a process of its own: `python -m benchmarks.voices.drive holodeck|audiobridge|videoroom URL`.

PEOPLE are in one room, TALKING of them talk, the others send what DTX sends; then a window of SECONDS at each of LOSSES, the
loss both ways. Prints ENTERED, then WINDOW_START, WINDOW_END and a line of JSON for each window.
"""

import asyncio
import gc
import json
import os
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final, Protocol

from benchmarks.client import Api, Person
from benchmarks.voices import ours, theirs
from benchmarks.voices.link import Link, Network, now_s
from benchmarks.voices.meter import Meter
from benchmarks.voices.opus import Frame, voices
from benchmarks.voices.people import Connection, Ear, Pace, Speaker
from chalicelib.wire import limits

WARM_UP_S: Final = 2.0
SETTLE_S: Final = 0.5
SEED: Final = 20261127


def talkers(people: int, talking: int) -> list[int]:
    """Who talks: spread over the room."""
    return [number * people // talking for number in range(talking)]


@dataclass(frozen=True, slots=True)
class Room:
    """A room of ours with everybody in voice."""

    session_id: str
    persons: list[Person]
    pages: list[ours.Page]


async def ours_in(
    api: Api, network: Network, people: int, hear: ours.Hear = ours.unheard, seats: int | None = None
) -> Room:
    """So many in a fresh one."""
    persons = [await api.guest(f"Person {number}") for number in range(people)]
    session_id = (await api.create(persons[0], "Benchmark", max_participants=seats or max(2, people))).session_id

    async def sit(number: int) -> ours.Seat:
        return await ours.seated(api, persons[number], session_id, tab_of(number))

    seats_taken = await theirs.by_few(sit, people)

    async def come(number: int) -> ours.Page:
        page = await ours.connected(seats_taken[number], network, hear)
        await ours.speaks(api, persons[number], session_id, tab_of(number))
        await ours.stands(page, ours.place_of(number))
        return page

    return Room(session_id, persons, await theirs.by_few(come, people))


def tab_of(number: int) -> str:
    """Of that participant."""
    return f"tab{number:05}"


class Recorder(Protocol):
    """What measures something, while `recording`."""

    recording: bool

    def clear(self) -> None:
        """For another window."""
        ...


class Load:
    """Everybody's speakers and ears."""

    def __init__(self, network: Network, people: int, talking: int) -> None:
        self.network = network
        self.meter = Meter(people)
        self.recorders: list[Recorder] = [self.meter]
        """All that records while a window lasts."""
        self.people = people
        self.talking = talkers(people, talking)
        self.connections: list[Connection] = []
        self._frames: list[list[Frame]] = voices()

    def speaker(self, link: Link, number: int) -> Speaker:
        """Of that participant."""
        frames = self._frames[number % len(self._frames)]
        return Speaker(link, number, frames, self.meter, speaking=number in self.talking)

    @property
    def heard(self) -> tuple[int, int]:
        """Packets that came, and that there were, of all sources."""
        sources = [source for each in self.connections if each.ear for source in each.ear.sources.values()]
        return sum(each.taken for each in sources), sum(each.expected for each in sources)

    async def window(self, seconds: float, loss: float) -> dict[str, float]:
        """The job, measured once."""
        self.network.loss = loss
        gc.collect()
        gc.freeze()
        gc.disable()
        await asyncio.sleep(WARM_UP_S)  # what had to wait for the collection is over by then, too
        for each in self.recorders:
            each.clear()
        before, began = self.heard, now_s()
        self._record(recording=True)
        print("WINDOW_START", flush=True)
        await asyncio.sleep(seconds)
        self._record(recording=False)
        measured = now_s() - began
        print("WINDOW_END", flush=True)
        await asyncio.sleep(SETTLE_S)
        gc.enable()
        after = self.heard
        self.network.loss = 0.0
        delivered = min(1.0, (after[0] - before[0]) / max(1, after[1] - before[1]))
        links = [each.link for each in self.connections]
        return self.meter.figures(measured) | {
            "delivered_ratio": delivered,
            "gcm_ratio": sum("GCM" in each.profile for each in links) / len(links),
            "nack_ratio": sum(bool(each.theirs and each.theirs.nack) for each in links) / len(links),
            "level_ratio": sum(
                bool(each.speaker and each.link.theirs and each.link.theirs.level_id) for each in self.connections
            )
            / self.people,
        }

    def _record(self, *, recording: bool) -> None:
        for each in self.recorders:
            each.recording = recording


@asynccontextmanager
async def holodeck(load: Load, url: str) -> AsyncIterator[None]:
    """Everybody in a room of ours."""
    async with Api(url) as api:
        pages = (await ours_in(api, load.network, load.people)).pages
        for number, page in enumerate(pages):
            connection = Connection(page.link, load.speaker(page.link, number), Ear(page.link, load.meter))
            load.connections.append(connection)
        yield
        await asyncio.gather(*(page.close() for page in pages))


@asynccontextmanager
async def audiobridge(load: Load, url: str) -> AsyncIterator[None]:
    """Everybody in Janus' mixer."""
    async with theirs.Janus(url) as janus:
        for number, link in enumerate(await theirs.bridged(janus, load.network, load.people)):
            ear = Ear(link, load.meter, mixed=True)
            load.connections.append(Connection(link, load.speaker(link, number), ear))
        yield


@asynccontextmanager
async def videoroom(load: Load, url: str) -> AsyncIterator[None]:
    """Everybody in Janus' forwarder, as many subscriptions each as we have slots."""
    async with theirs.Janus(url) as janus:
        published = await theirs.published(janus, load.network, load.people)

        async def hears(number: int) -> Link:
            wanted = [published[each][1] for each in theirs.chosen(number, load.talking, limits.VOICE_SLOTS)]
            return await theirs.subscribed(janus, load.network, wanted)

        for number, (link, _) in enumerate(published):
            load.connections.append(Connection(link, load.speaker(link, number), None))
        for link in await theirs.by_few(hears, load.people):
            load.connections.append(Connection(link, None, Ear(link, load.meter)))
        yield


ROOMS: Final = {"holodeck": holodeck, "audiobridge": audiobridge, "videoroom": videoroom}


async def main(kind: str, url: str, losses: Sequence[float]) -> None:
    """The whole job."""
    network = Network(os.environ.get("ADDRESS", "127.0.0.1"), SEED)
    load = Load(network, int(os.environ["PEOPLE"]), int(os.environ["TALKING"]))
    async with ROOMS[kind](load, url):
        print("ENTERED", flush=True)
        pace = Pace(load.connections, SEED)
        for loss in losses:
            print(json.dumps(await load.window(float(os.environ["SECONDS"]), loss)), flush=True)
        pace.stop()
    network.close()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], [float(each) for each in os.environ["LOSSES"].split(",")]))
