"""How well speech is understood that came from page to page over a network that loses packets both ways.

    make bench NAME=voice-loss         SECONDS_HEARD=35 LOSSES=0,5,10: each sentence about once, in about nine minutes

A spoken sample goes from one real Chromium page by the media node to another, and both pages lose so much of what they send
and of what they receive (at 5%, nearly a tenth on the way through). What the listener decodes is compared with what was
said: `estoi` and `stoi` (intelligibility, 0 to 1; Jensen and Taal 2016; Taal et al. 2011) and `pesq` (ITU-T P.862.2,
1.04 to 4.64): benchmarks/hearing/score.py. Beside them is what the page says of it: `mos` (E-model), the share of samples
made up, NACKs sent. `mesh_` is without a node, where one of the two pages loses.

The peers are the same with no NACK agreed on by pages and node, and with neither NACK nor in-band FEC; all else, the adapted
rate too, is as ever.
"""

import asyncio
import os
import tempfile
from pathlib import Path
from typing import Final

from benchmarks.hearing import tools
from benchmarks.hearing.pages import Case, hear
from benchmarks.report import Report
from local.stack import Stack
from tests.e2e.conftest import CHROMIUM

SECONDS: Final = float(os.environ.get("SECONDS_HEARD", "35"))
LOSSES: Final = tuple(int(each) for each in os.environ.get("LOSSES", "0,5,10").split(","))
MESH_LOSS: Final = 5
FEC_LOSS: Final = 5
"""Where FEC alone is tried."""
UNITS: Final = {
    "estoi": "0..1",
    "estoi_worst": "0..1",
    "stoi": "0..1",
    "pesq": "MOS-LQO",
    "mos": "MOS",
    "concealed_percent": "%",
    "missing_percent": "%",
    "nacks": "times",
    "fec_packets": "packets",
    "kbps": "kbit/s",
    "rtt_ms": "ms",
    "buffer_ms": "ms",
    "sentences": "times",
}


def main() -> Report:
    """By the node at each loss, then in the mesh; ours and its peers one after the other."""
    if CHROMIUM is None:
        raise SystemExit("Chromium is not installed (apt-get install chromium)")
    tools.install()
    report = Report("voice-loss")
    with tempfile.TemporaryDirectory(prefix="hearing-") as folder, Stack() as stack:
        sample = tools.speak(Path(folder))
        for case in cases():
            print(f"  {case} ...", flush=True)
            _note(report, case, _measure(stack, sample, case))
    return report


def cases() -> list[Case]:
    """All that is measured, in order."""
    found = []
    for loss in LOSSES:
        found.append(Case(relay=True, loss_percent=loss))
        if loss == FEC_LOSS:
            found.append(Case(relay=True, loss_percent=loss, nack=False))
        if loss:
            found.append(Case(relay=True, loss_percent=loss, nack=False, fec=False))
    if MESH_LOSS in LOSSES:
        found.append(Case(relay=False, loss_percent=MESH_LOSS))
        found.append(Case(relay=False, loss_percent=MESH_LOSS, nack=False, fec=False))
    return found


def _measure(stack: Stack, sample: Path, case: Case) -> dict[str, float]:
    came = asyncio.run(hear(stack, sample, tools.silence(sample), case, SECONDS))
    heard = sample.with_name("heard.f32")
    heard.write_bytes(came.sound)
    return tools.score(sample, heard) | came.figures


def _note(report: Report, case: Case, figures: dict[str, float]) -> None:
    way = "relay" if case.relay else "mesh"
    for name, unit in UNITS.items():
        full = f"{way}_loss{case.loss_percent}_{name}"
        if case.nack:
            report.figure(full, figures[name], unit)
        else:
            report.peer("without-nack" if case.fec else "without-nack-and-fec", full, figures[name], unit)
