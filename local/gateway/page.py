"""The page, as CloudFront serves it: hashed assets for ever, index.html never, single-page fallback, security headers."""

from pathlib import Path
from typing import Final

from aiohttp import web

CONTENT_SECURITY_POLICY: Final = "; ".join(
    (
        "default-src 'self'",
        "script-src 'self' 'wasm-unsafe-eval'",
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data: blob:",
        "media-src 'self' blob:",
        "worker-src 'self' blob:",
        "connect-src 'self' ws: wss:",
        "object-src 'none'",
        "base-uri 'none'",
        "frame-ancestors 'self'",
    )
)
_HEADERS: Final = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Permissions-Policy": "microphone=(self), camera=(self), display-capture=(self)",
}
_MISSING: Final = "The page is not built. Run `make run`, or `npm run build` in web/."


class Page:
    """The files of web/dist."""

    def __init__(self, root: Path) -> None:
        self._root = root.resolve()

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """A file, or the page for a path of its own (/r/ses_...)."""
        try:
            path = (self._root / request.match_info["tail"]).resolve()
            found = path.is_file()
        except (OSError, ValueError):  # no name that a file could have
            return web.Response(status=404, text="Not found")
        if not path.is_relative_to(self._root):
            return web.Response(status=404, text="Not found")
        if found and path.name != "index.html":
            hashed = "assets" in path.relative_to(self._root).parts
            cache = "public, max-age=31536000, immutable" if hashed else "public, max-age=300"
            return web.FileResponse(path, headers={**_HEADERS, "Cache-Control": cache})
        if path.suffix and path.name != "index.html":
            return web.Response(status=404, text="Not found")
        index = self._root / "index.html"
        if not index.is_file():
            return web.Response(status=503, text=_MISSING)
        headers = {**_HEADERS, "Cache-Control": "no-cache", "Content-Security-Policy": CONTENT_SECURITY_POLICY}
        return web.FileResponse(index, headers=headers)
