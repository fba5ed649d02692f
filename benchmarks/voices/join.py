"""How long until somebody who comes hears: `python -m benchmarks.voices.join URL SITTING JOINS`.

SITTING are in a room and in voice, TALKING of them talk. JOINS times one after another: somebody new takes a seat, connects
and joins voice meanwhile, as a page does; and somebody who has been there for a while joins voice. Each is timed from their
first request to the first packet of a talker's, and leaves again. So at each of LOSSES, both ways. Prints a line of JSON.
"""

import asyncio
import json
import os
import sys
from typing import Final

from benchmarks.client import Api, Person
from benchmarks.report import percentile
from benchmarks.voices import drive, ours
from benchmarks.voices.link import Network, now_s
from benchmarks.voices.ours import Page
from benchmarks.voices.people import Connection, Ear, Pace

TALKING: Final = 5
PATIENCE_S: Final = 20.0
SETTLE_S: Final = 1.0
LOSSES: Final = ((0.0, ""), (0.02, "_loss2"))
Found = dict[str, list[float]]


class Listener:
    """Somebody who comes; `first` is done with the moment of the first packet of somebody who talks."""

    def __init__(self, load: drive.Load, page: Page) -> None:
        self._talking = frozenset(load.talking)
        self.first: asyncio.Future[float] = asyncio.get_running_loop().create_future()
        ear = Ear(page.link, load.meter)
        ear.on_mark = self._heard
        Connection(page.link, None, ear)

    def _heard(self, sender: int, _count: int, now: float) -> None:
        if sender in self._talking and not self.first.done():
            self.first.set_result(now)


async def comes(api: Api, load: drive.Load, person: Person, session_id: str, tab: str, found: Found) -> Page:
    """Somebody new: seat, connection and voice."""
    began = now_s()
    seat = await ours.seated(api, person, session_id, tab)
    joining = asyncio.ensure_future(ours.speaks(api, person, session_id, tab))
    page = await ours.connected(seat, load.network)
    found["entry_connected"].append(now_s() - began)
    listener = Listener(load, page)
    await joining
    async with asyncio.timeout(PATIENCE_S):
        found["entry_to_sound"].append(await listener.first - began)
    return page


async def joins(api: Api, load: drive.Load, person: Person, session_id: str, tab: str, found: Found) -> Page:
    """Somebody who is there already: voice."""
    page = await ours.connected(await ours.seated(api, person, session_id, tab), load.network)
    listener = Listener(load, page)
    await ours.stands(page, (0.0, 1.6, 0.0))
    await asyncio.sleep(SETTLE_S)
    began = now_s()
    await ours.speaks(api, person, session_id, tab)
    found["join_answered"].append(now_s() - began)
    async with asyncio.timeout(PATIENCE_S):
        found["join_to_sound"].append(await listener.first - began)
    return page


async def leaves(api: Api, person: Person, session_id: str, tab: str, page: Page) -> None:
    """And goes."""
    await api.call("DELETE", f"/collaboration/sessions/{session_id}/voice?tab_id={tab}", person)
    await page.close()
    await api.call("POST", f"/sessions/{session_id}/leave", person, {})


async def come_and_go(api: Api, load: drive.Load, session_id: str, times: int) -> Found:
    """So many of each way, by turns."""
    found: Found = {name: [] for name in ("join_to_sound", "join_answered", "entry_to_sound", "entry_connected")}
    for number in range(2 * times):
        person, tab = await api.guest(f"Coming {number}"), f"new{number:05}"
        way = (comes, joins)[number % 2]
        await leaves(api, person, session_id, tab, await way(api, load, person, session_id, tab, found))
    return found


def told(found: Found) -> dict[str, float]:
    """Milliseconds by percentile."""
    return {f"{name}_p{p}": percentile(many, p) * 1000 for name, many in found.items() for p in (50, 95)}


async def main(url: str, sitting: int, times: int) -> None:
    """The whole job."""
    network = Network(os.environ["ADDRESS"], drive.SEED)
    load = drive.Load(network, sitting, min(sitting, TALKING))
    figures: dict[str, float] = {"joins": times}
    async with Api(url) as api:
        room = await drive.ours_in(api, network, sitting, seats=sitting + 2 * times)
        for number, page in enumerate(room.pages):
            load.connections.append(Connection(page.link, load.speaker(page.link, number), Ear(page.link, load.meter)))
        pace = Pace(load.connections, drive.SEED)
        for loss, suffix in LOSSES:
            network.loss = loss
            found = await come_and_go(api, load, room.session_id, times)
            figures |= {f"{name}_ms{suffix}": value for name, value in told(found).items()}
        network.loss = 0.0
        pace.stop()
        await asyncio.gather(*(page.close() for page in room.pages))
    network.close()
    print(json.dumps(figures), flush=True)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])))
