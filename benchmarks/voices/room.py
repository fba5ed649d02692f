"""The load of a whole room, as a process of its own: `python -m benchmarks.voices.room URL`.

PEOPLE each with voice, presence and a document on one connection: 5 to 10 of them talk, others each two seconds; all move at
20 Hz; RATE edits a second in all. Prints ENTERED, WINDOW_START, WINDOW_END and a line of JSON.
"""

import asyncio
import json
import os
import sys
from random import Random
from typing import Final

from benchmarks.client import Api
from benchmarks.documents_job import ENTITIES, furnish
from benchmarks.voices import drive
from benchmarks.voices.link import Network
from benchmarks.voices.ours import Page
from benchmarks.voices.people import Connection, Ear, Pace
from benchmarks.voices.scene import WITNESS_EVERY, Ages, Editors, Mover, Told, Witness
from chalicelib.wire import limits

TURN_S: Final = 2.0
TALKING: Final = (5, 10)


class Turns:
    """Who talks now: others each TURN_S."""

    def __init__(self, connections: list[Connection], chance: Random) -> None:
        self._speakers = [each.speaker for each in connections if each.speaker is not None]
        self._chance = chance

    def change(self, _now: float) -> float:
        """By lot."""
        count = min(len(self._speakers), self._chance.randint(*TALKING))
        talking = set(self._chance.sample(range(len(self._speakers)), count))
        for number, speaker in enumerate(self._speakers):
            speaker.speaking = number in talking
        return TURN_S


def heard(page: Page, number: int, told: Told, editors: Editors, witness: Witness | None) -> None:
    """Reads what comes to a page by its channels."""

    def message(stream: int, data: bytes) -> None:
        if stream == limits.CONTROL_CHANNEL:
            editors.hear(number, told.read(data))
        elif witness is not None:
            witness.frame(data)

    page.link.message = message


async def main(url: str) -> None:
    """The whole job, once."""
    network = Network(os.environ["ADDRESS"], drive.SEED)
    people, seconds, rate = (int(os.environ[name]) for name in ("PEOPLE", "SECONDS", "RATE"))
    load = drive.Load(network, people, min(people, TALKING[0]))
    chance, told, ages = Random(drive.SEED), Told(), Ages()
    load.recorders.append(ages)
    async with Api(url) as api:
        entered = await drive.ours_in(api, network, people, told.hear)
        document_id = entered.session_id.replace("ses_", "doc_")
        revision = await furnish(api, entered.persons[0], document_id, ENTITIES)

        def say(number: int, text: str) -> None:
            entered.pages[number].link.send_message(limits.CONTROL_CHANNEL, text, reliable=True)

        editors = Editors(people, document_id, revision, ages, chance, say)
        movers = {page.peer_id: Mover(page.moves, number, chance) for number, page in enumerate(entered.pages)}
        for number, page in enumerate(entered.pages):
            load.connections.append(Connection(page.link, load.speaker(page.link, number), Ear(page.link, load.meter)))
            witness = Witness(told, movers, ages) if number % WITNESS_EVERY == 0 else None
            heard(page, number, told, editors, witness)
        print("ENTERED", flush=True)
        pace = Pace(load.connections, drive.SEED)
        pace.add(Turns(load.connections, chance).change, TURN_S)
        for number, mover in enumerate(movers.values()):
            pace.add(mover.move, chance.random() / 20)
            pace.add(editors.edits(number, rate / people), chance.random())
        figures = await load.window(seconds, float(os.environ.get("LOSS", "0")))
        pace.stop()
        print(json.dumps(figures | ages.figures(figures["seconds"])), flush=True)
        await asyncio.gather(*(page.close() for page in entered.pages))
    network.close()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
