"""Writes what is generated from the wire definitions, and says when it is stale.

    python -m local.generate            writes every generated file
    python -m local.generate --check    writes nothing; fails where a file is not what would be written

Law: `OUTPUTS` lists every generated file; its text follows from `chalicelib.wire`, the routes, the node's codec and the
rules of voice alone, so the same definitions always give the same bytes.
"""

import argparse
import json
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

from chalicelib.apidocs.asyncapi import asyncapi
from chalicelib.apidocs.openapi import openapi
from chalicelib.apidocs.routes import VERSION
from local.typescript import typescript
from local.vectors import relay_frames
from local.voice_vectors import voice_where

ROOT: Final = Path(__file__).resolve().parent.parent

Render = Callable[[], str]


def _openapi() -> str:
    os.environ.setdefault("TABLE_PREFIX", "generated-")
    import app  # noqa: PLC0415 - the routes are the app's

    endpoints = [endpoint for room in app.rooms for endpoint in room.endpoints]
    return _json(openapi(endpoints, version=VERSION))


def _asyncapi() -> str:
    return _json(asyncapi(version=VERSION))


def _frames() -> str:
    return _json(relay_frames())


def _where() -> str:
    return _json(voice_where())


def _json(document: dict[str, Any]) -> str:
    return json.dumps(document, indent=1, sort_keys=True) + "\n"


OUTPUTS: Final[tuple[tuple[str, Render], ...]] = (
    ("web/src/wire/generated.ts", typescript),
    ("docs/api/openapi.json", _openapi),
    ("docs/api/asyncapi.json", _asyncapi),
    ("tests/vectors/relay_frames.json", _frames),
    ("tests/vectors/voice_where.json", _where),
)
"""Path below the repository's root, and what makes its text."""


def stale(root: Path, outputs: Sequence[tuple[str, Render]]) -> list[str]:
    """The paths whose file is absent or not what would be written."""
    return [path for path, render in outputs if _read(root / path) != render()]


def write(root: Path, outputs: Sequence[tuple[str, Render]]) -> list[str]:
    """Writes what is stale; the paths that were."""
    old = stale(root, outputs)
    for path, render in outputs:
        if path in old:
            target = root / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(render(), encoding="utf-8", newline="\n")
    return old


def main(arguments: Sequence[str], root: Path = ROOT, outputs: Sequence[tuple[str, Render]] = OUTPUTS) -> int:
    """The command; its exit status."""
    parser = argparse.ArgumentParser(prog="python -m local.generate", description="Write the generated files.")
    parser.add_argument("--check", action="store_true", help="write nothing; fail where a file is stale")
    check: bool = parser.parse_args(arguments).check
    if not check:
        for path in write(root, outputs):
            print(f"wrote {path}")
        return 0
    old = stale(root, outputs)
    for path in old:
        print(f"{path} is stale: run `python -m local.generate`", file=sys.stderr)
    return 1 if old else 0


def _read(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
