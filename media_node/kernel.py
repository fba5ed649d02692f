"""What of the kernel is called for many datagrams at once: sendmmsg(2), recvmmsg(2), and addresses as they have them; and
a beat that is finer than a loop's timers (timerfd_create(2)).

Only Linux has them, and it lays them out so on 64 bits; `call` gives None elsewhere, and there is the socket's own way.
"""

import errno
import os
import socket
import sys
import time
from collections.abc import Callable
from typing import Any, Final

import cffi  # type: ignore[import-untyped]

from media_node.stun import Address

ffi: Final = cffi.FFI()
ffi.cdef("""
struct iovec { void *iov_base; size_t iov_len; };
struct msghdr {
    void *msg_name; uint32_t msg_namelen; struct iovec *msg_iov; size_t msg_iovlen;
    void *msg_control; size_t msg_controllen; int msg_flags;
};
struct mmsghdr { struct msghdr msg_hdr; unsigned int msg_len; };
int sendmmsg(int sockfd, struct mmsghdr *msgvec, unsigned int vlen, int flags);
int recvmmsg(int sockfd, struct mmsghdr *msgvec, unsigned int vlen, int flags, void *timeout);
struct timespec { int64_t tv_sec; int64_t tv_nsec; };
struct itimerspec { struct timespec it_interval; struct timespec it_value; };
int timerfd_create(int clockid, int flags);
int timerfd_settime(int fd, int flags, const struct itimerspec *new_value, struct itimerspec *old_value);
""")


def call(name: str) -> Any:
    """One of them; None: it is not there."""
    try:
        return getattr(ffi.dlopen(None), name)
    except (AttributeError, OSError):
        return None


class Beat:
    """A descriptor that is readable once in each period, while it is on: a loop's own timers are late by up to a millisecond.

    OSError where the kernel has none.
    """

    def __init__(self, period_s: float, find: Callable[[str], Any] = call) -> None:
        create, self._set = find("timerfd_create"), find("timerfd_settime")
        self.descriptor: int = create(time.CLOCK_MONOTONIC, os.O_NONBLOCK | os.O_CLOEXEC) if create else -1
        if self.descriptor < 0:
            raise OSError(errno.ENOSYS, "no timerfd")
        self._spec = ffi.new("struct itimerspec *")
        self._period_ns = round(period_s * 1e9)

    def switch(self, *, on: bool) -> None:
        """Begins, a period from now, or ends."""
        nanoseconds = self._period_ns if on else 0
        for each in (self._spec.it_interval, self._spec.it_value):
            each.tv_nsec = nanoseconds
        self._set(self.descriptor, 0, self._spec, ffi.NULL)

    def taken(self) -> None:
        """What it was readable for is."""
        try:  # noqa: SIM105 - suppress costs more than the call
            os.read(self.descriptor, 8)
        except BlockingIOError:  # it was switched meanwhile
            pass

    def close(self) -> None:
        """No more."""
        os.close(self.descriptor)


def name_bytes(family: int) -> int:
    """How long an address is."""
    return 28 if family == socket.AF_INET6 else 16


def sockaddr(family: int, address: Address) -> bytes:
    """sockaddr_in or sockaddr_in6, as its socket gave it (RFC 3493 section 3.3)."""
    head = int(family).to_bytes(2, sys.byteorder) + address[1].to_bytes(2, "big")
    host = address[0].partition("%")[0]
    if family == socket.AF_INET:
        return head + socket.inet_aton(host) + bytes(8)
    flow, scope = (address[2], address[3]) if len(address) == 4 else (0, 0)
    return head + flow.to_bytes(4, "big") + socket.inet_pton(socket.AF_INET6, host) + scope.to_bytes(4, sys.byteorder)


def address_of(family: int, name: bytes) -> Address:
    """The same, back: as a socket of that family gives it."""
    port = int.from_bytes(name[2:4], "big")
    if family == socket.AF_INET:
        return socket.inet_ntoa(name[4:8]), port
    host = socket.inet_ntop(socket.AF_INET6, name[8:24])
    return host, port, int.from_bytes(name[4:8], "big"), int.from_bytes(name[24:28], sys.byteorder)
