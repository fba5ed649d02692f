"""The page is served as CloudFront will serve it, and nothing beside it."""

import asyncio
import socket
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.local.house import House, house


@pytest.fixture
def dist(tmp_path: Path) -> Path:
    """A page that was built, and a secret beside it."""
    root = tmp_path / "dist"
    (root / "assets").mkdir(parents=True)
    (root / "index.html").write_text("<title>Holodeck</title>")
    (root / "assets" / "main-1a2b3c.js").write_text("let x")
    (root / "icon.svg").write_text("<svg/>")
    (tmp_path / "secret.txt").write_text("secret")
    return root


@pytest.mark.parametrize("path", ["/", "/index.html", "/r/ses_abc", "/r/ses_abc?invite=x"])
async def test_the_page_answers_for_paths_of_its_own(dist: Path, path: str) -> None:
    """index.html, never kept, with the policy that keeps strange scripts out."""
    async with house(dist) as h, h.http.get(h.public + path) as response:
        assert (response.status, await response.text()) == (200, "<title>Holodeck</title>")
        assert response.headers["Cache-Control"] == "no-cache"
        assert "script-src 'self'" in response.headers["Content-Security-Policy"]
        assert response.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize(("path", "cache"), [("/assets/main-1a2b3c.js", "immutable"), ("/icon.svg", "max-age=300")])
async def test_files_are_kept_as_long_as_they_stay_the_same(dist: Path, path: str, cache: str) -> None:
    """Those with a hash in their name for ever."""
    async with house(dist) as h, h.http.get(h.public + path) as response:
        assert response.status == 200
        assert cache in response.headers["Cache-Control"]


async def test_a_missing_file_is_no_page(dist: Path) -> None:
    """An old asset's address must not answer with HTML."""
    async with house(dist) as h, h.http.get(f"{h.public}/assets/old.js") as response:
        assert response.status == 404


async def test_a_page_that_is_not_built_says_so(tmp_path: Path) -> None:
    """With what to do."""
    async with house(tmp_path) as h, h.http.get(h.public) as response:
        assert response.status == 503
        assert "make run" in await response.text()


@pytest.mark.parametrize(
    "path",
    [
        "/../secret.txt",
        "/assets/../../secret.txt",
        "/%2e%2e/secret.txt",
        "/..%2fsecret.txt",
        "/%00",
        "/" + "x" * 300,
        "//etc/passwd",
    ],
)
async def test_nothing_outside_is_served(dist: Path, path: str) -> None:
    """Whatever way a path is written, it stays below the page's folder."""
    async with house(dist) as h:
        assert b"secret" not in (answer := await raw(h, path)).partition(b"\r\n\r\n")[2]
        assert answer.startswith((b"HTTP/1.1 404", b"HTTP/1.1 400", b"HTTP/1.1 200 OK\r\nX-Content"))


async def raw(h: House, path: str) -> bytes:
    """What is answered to a path that is sent as it is."""
    parts = urlsplit(h.public)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port, family=socket.AF_INET)
    writer.write(f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
    async with asyncio.timeout(10):
        answer = await reader.read()
    writer.close()
    return answer
