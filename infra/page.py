"""The page's files: built, uploaded in an order in which nobody ever sees half a page, and tried where people will find it.

A hashed asset is uploaded before anything names it and stays when nothing does any more, so that a page which was opened
before a deployment still finds its own.
"""

import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).parent.parent
DIST: Final = ROOT / "web" / "dist"
IMMUTABLE: Final = "public, max-age=31536000, immutable"
SHORT: Final = "public, max-age=300"
NEVER: Final = "no-cache"
_TYPES: Final = {
    ".css": "text/css; charset=utf-8",
    ".glb": "model/gltf-binary",
    ".html": "text/html; charset=utf-8",
    ".ico": "image/vnd.microsoft.icon",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".ktx2": "image/ktx2",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
    ".wasm": "application/wasm",
    ".webmanifest": "application/manifest+json",
    ".webp": "image/webp",
    ".woff2": "font/woff2",
}
"""Said here, since what a machine knows of types differs and browsers are told not to guess."""
_ATTEMPTS: Final = 12
_PAUSE_S: Final = 5.0


def build_page() -> Path:
    """web/dist, made anew."""
    subprocess.run(["npm", "--prefix", str(ROOT / "web"), "run", "--silent", "build"], check=True)  # noqa: S607
    return DIST


def page_files(page: Path) -> Iterator[tuple[Path, str]]:
    """The page's files in the order that they may be published in, each with its Cache-Control."""
    files = sorted(p for p in page.rglob("*") if p.is_file())
    hashed = [f for f in files if "assets" in f.relative_to(page).parts]
    index = [f for f in files if f.name == "index.html"]
    yield from ((f, IMMUTABLE) for f in hashed)
    yield from ((f, SHORT) for f in files if f not in hashed and f not in index)
    yield from ((f, NEVER) for f in index)


def content_type(file: Path) -> str:
    """What a file is served as."""
    return _TYPES.get(file.suffix, "application/octet-stream")


def publish(page: Path, bucket: str, s3: Any) -> int:
    """Uploads the page. Returns how many files it has."""
    published = 0
    for published, (file, cache) in enumerate(page_files(page), 1):  # noqa: B007
        extra = {"CacheControl": cache, "ContentType": content_type(file)}
        s3.upload_file(str(file), bucket, file.relative_to(page).as_posix(), ExtraArgs=extra)
    return published


def fetch(url: str) -> int:
    """The status that an address answers with; 0 for none."""
    try:
        with urllib.request.urlopen(url, timeout=10) as response:  # noqa: S310 - the stack's own https address
            status: int = response.status
    except urllib.error.HTTPError as exc:
        return exc.code
    except (urllib.error.URLError, OSError):
        return 0
    return status


def answers(
    url: str, *, get: Callable[[str], int] = fetch, sleep: Callable[[float], None] = time.sleep
) -> dict[str, int]:
    """What the page and the functions behind it answer, for those that do not come to answer 200 within a minute."""
    waiting = {f"{url}/": 0, f"{url}/api/health": 0}
    for attempt in range(_ATTEMPTS):
        if attempt:
            sleep(_PAUSE_S)
        waiting = {address: status for address in waiting if (status := get(address)) != 200}
        if not waiting:
            break
    return waiting
