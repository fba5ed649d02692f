"""What every benchmark writes and prints: figures with units, ours beside a peer's from the same run."""

import json
import os
import platform
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from statistics import median, quantiles

RESULTS = Path(__file__).parent / "results"


@dataclass(slots=True)
class Report:
    """One benchmark's outcome. A figure is (value, unit)."""

    benchmark: str
    figures: dict[str, tuple[float, str]] = field(default_factory=dict)
    peers: dict[str, dict[str, tuple[float, str]]] = field(default_factory=dict)

    def figure(self, name: str, value: float, unit: str) -> None:
        """Notes one of ours."""
        self.figures[name] = (round(value, 4), unit)

    def peer(self, peer: str, name: str, value: float, unit: str) -> None:
        """Notes one of theirs, measured in this run."""
        self.peers.setdefault(peer, {})[name] = (round(value, 4), unit)

    def write(self) -> Path:
        """Writes results/<name>.json."""
        body = {
            "benchmark": self.benchmark,
            "when": datetime.now(UTC).isoformat(timespec="seconds"),
            "machine": machine(),
            "command": f"make bench NAME={self.benchmark}",
            "figures": _named(self.figures),
            "peers": {peer: _named(figures) for peer, figures in self.peers.items()},
        }
        RESULTS.mkdir(exist_ok=True)
        path = RESULTS / f"{self.benchmark}.json"
        path.write_text(json.dumps(body, indent=2) + "\n")
        return path

    def table(self) -> str:
        """The same, to read."""
        lines = [self.benchmark]
        lines += [f"  {name:<42} {value:>12g} {unit}" for name, (value, unit) in self.figures.items()]
        for peer, figures in self.peers.items():
            lines.append(f"  beside {peer}:")
            lines += [f"    {name:<40} {value:>12g} {unit}" for name, (value, unit) in figures.items()]
        return "\n".join(lines)


def _named(figures: dict[str, tuple[float, str]]) -> dict[str, dict[str, float | str]]:
    return {name: {"value": value, "unit": unit} for name, (value, unit) in figures.items()}


def machine() -> str:
    """Cores and interpreter; no names of hosts."""
    return f"{os.cpu_count()} cores, {platform.machine()}, {platform.system()}, Python {sys.version.split()[0]}"


def medians(many: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """Of several runs' figures: of each that all of them have."""
    return {name: median(one[name] for one in many) for name in many[0] if all(name in one for one in many)}


def percentile(values: list[float], p: int) -> float:
    """The p-th percentile (1-99), 0 of nothing."""
    if len(values) < 2:
        return values[0] if values else 0.0
    return quantiles(values, n=100, method="inclusive")[p - 1]
