"""`python -m benchmarks [NAME ...]`: runs benchmarks, prints their tables, writes results/<name>.json."""

import importlib
import sys

NAMES = (
    "documents-open",
    "documents-page",
    "documents-relay",
    "documents-scale",
    "documents-websocket",
    "fanout",
    "ot-algebra",
    "peer-join",
    "presence-relay",
    "rehome",
    "rest",
    "room-50",
    "room-presence",
    "sctp",
    "voice-join",
    "voice-loss",
    "voice-relay",
)


def main(names: list[str]) -> int:
    """Runs those named, or all."""
    unknown = [name for name in names if name not in NAMES]
    if unknown:
        print(f"no benchmark named {', '.join(unknown)}; there are: {', '.join(NAMES)}", file=sys.stderr)
        return 2
    for name in names or NAMES:
        report = importlib.import_module(f"benchmarks.{name.replace('-', '_')}").main()
        path = report.write()
        print(report.table())
        print(f"  -> {path}\n", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
