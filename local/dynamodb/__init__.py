"""Amazon's own DynamoDB emulator, from Maven Central, cached under `.cache/` (git ignores it)."""

import os
import shutil
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Final

from local.process import child_dies_with_us, free_port

_HERE: Final = Path(__file__).parent
_CACHE: Final = _HERE.parent.parent / ".cache" / "dynamodb-local"
_MAIN: Final = "software.amazon.dynamodb.services.local.main.ServerRunner"


def unavailable(cache: Path = _CACHE) -> str | None:
    """Why it can't be had, in one line; None where it can. Fetches it once."""
    java = shutil.which("java")
    if java is None:
        return "Java 17 is not installed (apt-get install openjdk-17-jre-headless maven)"
    if not _complete(cache):
        maven = shutil.which("mvn")
        if maven is None:
            return "Maven is not installed (apt-get install maven)"
        return _fetch(maven, cache)
    return None


def command(port: int, data: Path | None) -> list[str]:
    """How it is started: in memory, or with its data in a folder."""
    where = ["-inMemory"] if data is None else ["-dbPath", str(data)]
    return [
        "java",
        "-Xmx768m",
        "-XX:+UseSerialGC",
        "-XX:TieredStopAtLevel=4",
        f"-Djava.library.path={_CACHE}",
        "-cp",
        f"{_CACHE}/*",
        _MAIN,
        "-port",
        str(port),
        "-sharedDb",
        "-disableTelemetry",
        *where,
    ]


def wait_until_up(
    url: str, process: subprocess.Popen[bytes], timeout_s: float = 60.0, go_on: Callable[[], None] = lambda: None
) -> None:
    """Returns when it answers. RuntimeError if it ends first or takes too long; `go_on` ends it by what it raises."""
    ends = time.monotonic() + timeout_s
    while time.monotonic() < ends:
        go_on()
        if process.poll() is not None:
            raise RuntimeError(f"{process.args!r} ended with {process.returncode}")
        try:
            urllib.request.urlopen(url, timeout=2).close()
        except urllib.error.HTTPError:
            return  # it answers; that it wants a signature is another matter
        except OSError:
            time.sleep(0.1)
            continue
        return
    raise RuntimeError(f"nothing answers at {url}")


class DynamoDBLocal:
    """One in memory, for a test run: `with DynamoDBLocal() as url`."""

    def __enter__(self) -> str:
        reason = unavailable()
        if reason is not None:
            raise RuntimeError(reason)
        port = free_port()
        self._process = subprocess.Popen(
            command(port, None),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            preexec_fn=child_dies_with_us,  # noqa: PLW1509
        )
        url = f"http://127.0.0.1:{port}"
        wait_until_up(url, self._process)
        return url

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.kill()
        self._process.wait()


def _complete(cache: Path) -> bool:
    return (cache / "complete").is_file()


def _fetch(maven: str, cache: Path) -> str | None:
    partial = cache.with_name(f"{cache.name}.{os.getpid()}")
    fetch = [
        maven,
        "-q",
        "-B",
        "-f",
        str(_HERE / "pom.xml"),
        "dependency:copy-dependencies",
        f"-DoutputDirectory={partial}",
    ]
    done = subprocess.run(fetch, capture_output=True, text=True, check=False, timeout=600)
    if done.returncode:
        shutil.rmtree(partial, ignore_errors=True)
        lines = done.stdout.strip().splitlines() or ["no reason given"]
        return f"Maven could not fetch DynamoDB Local: {lines[0][:200]}"
    (partial / "complete").touch()
    if _complete(cache):  # somebody else was faster
        shutil.rmtree(partial, ignore_errors=True)
    else:
        shutil.rmtree(cache, ignore_errors=True)
        partial.rename(cache)
    return None


__all__ = ["DynamoDBLocal", "command", "unavailable", "wait_until_up"]
