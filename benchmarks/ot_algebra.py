"""One edit past ten others' that it has not seen, and applied: our algebra beside ot-json1, ot-json0 and Yjs, by CPU.

A scene of 1,000 entities, and of 10,000 to see what grows with it. A round is what a committer meets: an edit sets a
position, ten others' set positions before it, two of them at the same entity. `merge10` applies the ten as well, which
is all that Yjs can be asked for; `text_` inserts into one text of 2,000 characters instead. Operations are decoded
beforehand, except for Yjs, whose interface takes bytes. Medians of repeats; everybody has the same rounds.
"""

import random
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Generic, TypeVar

import msgspec

from benchmarks import peers
from benchmarks.report import Report
from chalicelib.ot.apply import apply_all
from chalicelib.ot.commit import settle
from chalicelib.ot.state import Entity
from chalicelib.wire.operations import Entry, Operation, Set, Text

ROUNDS = 200
TEXT_ROUNDS = 50  # few, for the text grows with them
REPEATS = (9, 60)  # the most for what is quick, so that the median is of compiled code
ENOUGH_S = 1.0
TAIL = 10
SIZES = (1_000, 10_000)
NOTE = ("All the world's a stage, and all the men and women merely players. " * 30)[:2_000]
WEB = Path(__file__).parents[1] / "web"

Position = tuple[float, float, float]
Moved = tuple[str, Position]
Inserted = tuple[int, str]
E = TypeVar("E")


class Round(msgspec.Struct, Generic[E], frozen=True):
    """An edit, and those before it which it has not seen."""

    mine: E
    tail: list[E]


class Schedule(msgspec.Struct, frozen=True):
    """What everybody is given."""

    rounds: list[Round[Moved]]
    texts: list[Round[Inserted]]
    sizes: tuple[int, int] = SIZES
    repeats: tuple[int, int] = REPEATS
    note: str = NOTE


def schedule_of(rng: random.Random) -> Schedule:
    """Random rounds; in each, two of the ten before set the same position."""

    def moved(entity: int) -> Moved:
        return f"e{entity}", (round(rng.uniform(-9, 9), 3), 0.5, round(rng.uniform(-9, 9), 3))

    def inserted() -> Inserted:
        return rng.randrange(1, len(NOTE) // 2), rng.choice(("a", "to", "sea"))

    rounds = []
    for _ in range(ROUNDS):
        mine, *others = rng.sample(range(SIZES[0]), TAIL - 1)
        tail = [mine, mine, *others]
        rng.shuffle(tail)
        rounds.append(Round(moved(mine), [moved(entity) for entity in tail]))
    return Schedule(rounds, [Round(inserted(), [inserted() for _ in range(TAIL)]) for _ in range(TEXT_ROUNDS)])


def scene_of(count: int) -> dict[str, Entity]:
    """The scene of benchmarks/peers/scene.mjs, with a note at its first entity."""
    scene = {
        f"e{i}": Entity(props={"kind": "box", "color": "#8899aa", "position": [i % 32 - 16, 0.5, i // 32 - 16]})
        for i in range(count)
    }
    scene["e0"] = Entity(props={**scene["e0"].props, "text": NOTE})
    return scene


def cost_us(
    job: Sequence[Round[E]], operation_of: Callable[[E], Operation], size: int = SIZES[0], *, applies: bool = False
) -> float:
    """Microseconds of CPU that a round takes the committer's core; `applies` counts applying the tail as well."""
    made = []
    for each in job:
        tail = [
            Entry(revision=i, client=f"other{i:03}", seq=1, user_id="u", at_ms=0, operations=(operation_of(edit),))
            for i, edit in enumerate(each.tail, 1)
        ]
        made.append(((operation_of(each.mine),), tail))
    costs: list[float] = []
    fewest, most = REPEATS
    while len(costs) < fewest or (len(costs) < most and sum(costs) * len(job) < ENOUGH_S * 1e6):
        scene = scene_of(size)
        before = time.process_time()
        for mine, tail in made:
            if applies:
                for entry in tail:
                    apply_all(scene, entry.operations)
            apply_all(scene, settle(mine, "myself00", tail).operations)
        costs.append((time.process_time() - before) * 1e6 / len(job))
    return median(costs)


def ours(schedule: Schedule) -> dict[str, float]:
    """The Python algebra, by figure."""

    def set_of(edit: Moved) -> Operation:
        return Set(id=edit[0], path=("position",), value=list(edit[1]))

    def text_of(edit: Inserted) -> Operation:
        return Text(id="e0", path=("text",), edit=edit)

    return {
        "transform10_apply_us": cost_us(schedule.rounds, set_of),
        "transform10_apply_10000_us": cost_us(schedule.rounds, set_of, SIZES[1]),
        "merge10_us": cost_us(schedule.rounds, set_of, applies=True),
        "text_transform10_apply_us": cost_us(schedule.texts, text_of),
        "text_merge10_us": cost_us(schedule.texts, text_of, applies=True),
    }


def in_node(schedule: Schedule) -> dict[str, dict[str, float]]:
    """Our TypeScript and the peers, by name and figure."""
    peers.install()
    with TemporaryDirectory() as folder:
        entry = f"--ssr={peers.FOLDER / 'ours.mjs'}"
        command = ["npx", "vite", "build", "--logLevel=error", entry, f"--outDir={folder}"]
        subprocess.run(command, cwd=WEB, check=True, timeout=60)
        (bundle,) = Path(folder).glob("ours.*js")
        command = ["node", "algebra.mjs", str(bundle)]
        done = subprocess.run(
            command, cwd=peers.FOLDER, input=msgspec.json.encode(schedule), stdout=subprocess.PIPE, check=True
        )
    return msgspec.json.decode(done.stdout, type=dict[str, dict[str, float]])


def main() -> Report:
    """Everybody, on the same rounds."""
    report = Report("ot-algebra")
    schedule = schedule_of(random.Random(20261123))
    python = ours(schedule)
    node = in_node(schedule)
    typescript = node.pop("typescript")
    for name, value in python.items():
        report.figure(name, value, "us")
    for name, value in typescript.items():
        report.figure(f"typescript_{name}", value, "us")
    for peer, figures in node.items():
        shared = "transform10_apply_us" if "transform10_apply_us" in figures else "merge10_us"
        ratio = f"{shared.removesuffix('_us')}_times_less_cpu_than_{peer.replace('-', '_')}"
        report.figure(ratio, figures[shared] / python[shared], "times")
        for name, value in figures.items():
            report.peer(peer, name, value, "us")
    return report
