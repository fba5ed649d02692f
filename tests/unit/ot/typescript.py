"""The TypeScript algebra, in a node process of its own, asked line by line."""

import subprocess
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import msgspec

_WEB = Path(__file__).parents[3] / "web"


class TypeScript:
    """`with TypeScript(folder) as ts`: bundles web/tests/ot.driver.ts into the folder and starts it."""

    def __init__(self, folder: Path) -> None:
        command = ["npx", "vite", "build", "--logLevel=error", "--ssr=tests/ot.driver.ts", f"--outDir={folder}"]
        subprocess.run(command, cwd=_WEB, check=True, capture_output=True, timeout=60)
        (bundle,) = folder.glob("ot.driver.*js")
        self._bundle = bundle

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(["node", self._bundle], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.__exit__(kind, value, trace)  # closes the pipes and waits

    def ask(self, what: str, **arguments: object) -> Any:
        """One question and its answer."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(msgspec.json.encode({"ask": what, **arguments}) + b"\n")
        self._process.stdin.flush()
        return msgspec.json.decode(self._process.stdout.readline())
