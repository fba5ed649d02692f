"""A worker: imports the app once, as a Lambda container does at its cold start, and serves invocations in threads.

It speaks with the gateway over a Unix socket: frames of 4 bytes length and MessagePack. Threads stand for the containers
that Lambda would add; the app is safe for that (`chalicelib.aws.app`). When the gateway goes, the worker waits for the next
one; when its supervisor goes, so does it.
"""

import contextlib
import os
import socket
import struct
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from local.process import die_with_parent

THREADS: Final = {"app": 6, "connect": 6, "message": 96, "disconnect": 32}
"""At once, by function. The first two compute; the others mostly wait, one of them serving a room as its broadcaster.
Many threads that compute at once only fight for the interpreter's lock; what is more waits its turn, and is not refused."""

TIMEOUT_S: Final = 29


@dataclass(frozen=True, slots=True)
class LambdaContext:
    """What Lambda gives a handler beside the event."""

    aws_request_id: str
    function_name: str
    deadline: float
    memory_limit_in_mb: int = 512
    function_version: str = "$LATEST"
    log_group_name: str = "/aws/lambda/local"
    log_stream_name: str = "local"

    @property
    def invoked_function_arn(self) -> str:
        """The ARN that the function would have."""
        return f"arn:aws:lambda:us-east-1:000000000000:function:{self.function_name}"

    def get_remaining_time_in_millis(self) -> int:
        """Until the integration times out."""
        return max(0, int((self.deadline - time.monotonic()) * 1000))


class Worker:
    """One connection to the gateway."""

    def __init__(self, functions: Any, pools: dict[str, ThreadPoolExecutor]) -> None:
        self._functions = functions
        self._pools = pools
        self._encoder = msgspec.msgpack.Encoder()
        self._writing = threading.Lock()

    def serve(self, path: str) -> None:
        """Serves until the gateway closes the connection."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            connection.connect(path)
            routes = {p: list(methods) for p, methods in self._functions.app.routes.items()}
            binary = list(self._functions.app.api.binary_types)
            hello = {"pid": os.getpid(), "routes": routes, "binary_types": binary}
            self._send(connection, self._encoder.encode(hello))
            stream = connection.makefile("rb")
            while head := stream.read(4):
                (size,) = struct.unpack(">I", head)
                call = msgspec.msgpack.decode(stream.read(size))
                self._pools[call["function"]].submit(self._invoke, connection, call)

    def _invoke(self, connection: socket.socket, call: dict[str, Any]) -> None:
        name = call["function"]
        context = LambdaContext(call["request_id"], f"holodeck-local-{name}", time.monotonic() + TIMEOUT_S)
        try:
            result = getattr(self._functions, name)(call["event"], context)
            answer = self._encoder.encode({"id": call["id"], "result": result})
        except Exception as exc:  # noqa: BLE001 - what Lambda calls an unhandled error
            print(f"{name} raised {type(exc).__name__}: {exc}", file=sys.stderr, flush=True)
            answer = self._encoder.encode({"id": call["id"], "error": type(exc).__name__})
        with contextlib.suppress(OSError):
            self._send(connection, answer)

    def _send(self, connection: socket.socket, data: bytes) -> None:
        with self._writing:
            connection.sendall(struct.pack(">I", len(data)) + data)


def main() -> None:
    """Imports the app and serves for ever."""
    die_with_parent()
    import app as functions  # noqa: PLC0415 - the cold start
    from chalicelib import wiring  # noqa: PLC0415

    wiring.tables()  # a worker stands for containers that are warm: threads do not wait for their first client together
    path = os.environ["GATEWAY_SOCKET"]
    pools = {name: ThreadPoolExecutor(threads, thread_name_prefix=name) for name, threads in THREADS.items()}
    while True:
        with contextlib.suppress(OSError, struct.error):
            Worker(functions, pools).serve(path)
        time.sleep(0.05)


if __name__ == "__main__":
    main()
