"""Small things that every process of the local system does."""

import ctypes
import os
import random
import signal
import socket
import sys

_PR_SET_PDEATHSIG = 1
_OURS = range(20_000, 32_000)


def die_with_parent() -> None:
    """Ends this process when its supervisor ends, even by kill -9, so that nothing is left over (Linux; elsewhere: no-op)."""
    if sys.platform == "linux":
        parent = os.getppid()
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:  # it ended in between
            os._exit(1)


def free_port(host: str = "127.0.0.1") -> int:
    """A port that nothing uses just now, below those that outgoing connections take (they would get it in between)."""
    for port in random.sample(_OURS, len(_OURS)):
        if is_free(host, port):
            return port
    raise OSError(f"no port of {_OURS} is free")


def is_free(host: str, port: int) -> bool:
    """Whether a port can be listened on."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
        return True


def child_dies_with_us() -> None:
    """For `preexec_fn`, where the child is no Python of ours: it is killed when we end."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
