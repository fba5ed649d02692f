"""What others' edits cost the page's main thread, in a scene of 1,000 entities: a frame at 60 Hz has 16.7 ms.

From the message's text to the matrices that are drawn, in node: parsing, the shared document, the tree of entities. What
the renderer does with them is the graphics card's.
"""

import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import msgspec

from benchmarks.report import Report, percentile

ENTITIES: Final = 1_000
EDITS_A_FRAME: Final = 20  # 1,200 a second
FRAMES: Final = 1_000
FRAME_MS: Final = 1000 / 60
WEB: Final = Path(__file__).parents[1] / "web"


class Times(msgspec.Struct):
    """Milliseconds of main thread a frame."""

    edits_ms: list[float]
    group_ms: list[float]


def main() -> Report:
    """Twenty edits a frame; and one that moves everything."""
    report = Report("documents-page")
    with TemporaryDirectory() as folder:
        entry = "--ssr=bench/page.mjs"
        subprocess.run(
            ["npx", "vite", "build", "--logLevel=error", entry, f"--outDir={folder}"], cwd=WEB, check=True, timeout=60
        )
        (bundle,) = Path(folder).glob("page.*js")
        placed = WEB / f".{bundle.name}"
        placed.write_bytes(bundle.read_bytes())  # where node finds three
        try:
            job = ["node", str(placed), str(ENTITIES), str(EDITS_A_FRAME), str(FRAMES)]
            done = subprocess.run(job, cwd=WEB, stdout=subprocess.PIPE, check=True, timeout=120)
        finally:
            placed.unlink()
    times = msgspec.json.decode(done.stdout, type=Times)
    for name, values in (("edits20", times.edits_ms), ("group1000", times.group_ms)):
        report.figure(f"{name}_frame_p50_ms", percentile(values, 50), "ms")
        report.figure(f"{name}_frame_p99_ms", percentile(values, 99), "ms")
        report.figure(f"{name}_frame_share_of_60_fps", percentile(values, 99) / FRAME_MS, "ratio")
    return report
