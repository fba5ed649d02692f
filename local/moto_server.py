"""moto as one process: DynamoDB, Cognito, S3, SSM. Requests are served one at a time.

moto loses writes and answers 500 when transactions and writes overlap (measured; docs/architecture.md), so one lock goes
around its WSGI application. Everything it keeps is in memory and ends with it.
"""

import logging
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterable
from typing import Any

from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import WSGIRequestHandler, make_server

from local.process import die_with_parent


class Serialised:
    """One request at a time."""

    def __init__(self, app: Callable[..., Iterable[bytes]]) -> None:
        self._app = app
        self._lock = threading.Lock()

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        with self._lock:
            return list(self._app(environ, start_response))


class Quiet(WSGIRequestHandler):
    """Keep-alive, without Nagle's delay, and without a line a request."""

    protocol_version = "HTTP/1.1"
    wbufsize = -1
    disable_nagle_algorithm = True

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Says nothing."""


def main() -> None:
    """Serves on the port that is given."""
    die_with_parent()
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    application = Serialised(DomainDispatcherApplication(create_backend_app))
    make_server(
        "127.0.0.1",
        int(sys.argv[1]),
        application,
        threaded=True,
        request_handler=Quiet,
    ).serve_forever()


if __name__ == "__main__":
    main()
