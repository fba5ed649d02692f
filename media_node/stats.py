"""What a worker holds at the moment, for its log: each minute, and at SIGUSR1. Never on a port.

What a soak watches (docs/faults.md): with people coming and going, none of it grows.
"""

import asyncio
import gc
import os
from pathlib import Path
from typing import Final

_PAGE_BYTES: Final = os.sysconf("SC_PAGE_SIZE")


def held(*, collect: bool = False) -> dict[str, int]:
    """Memory, descriptors (sockets among them), tasks, timers, objects that the collector watches.

    Timers are those of asyncio's own loop; uvloop does not tell of its own, and they count 0 there. `collect`: after
    collecting what is over, which takes some ten milliseconds. Linux only; elsewhere what can be told.
    """
    loop = asyncio.get_running_loop()
    counts = {
        "tasks": len(asyncio.all_tasks(loop)),
        "timers": sum(not handle.cancelled() for handle in getattr(loop, "_scheduled", ())),
    }
    if collect:
        gc.collect()
        counts["objects"] = len(gc.get_objects())
    try:
        counts["descriptors"] = len(os.listdir("/proc/self/fd"))
        counts["memory_bytes"] = int(Path("/proc/self/statm").read_text().split()[1]) * _PAGE_BYTES
    except OSError:
        pass
    return counts
