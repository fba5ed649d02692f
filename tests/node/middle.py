"""A network between a page and a node: carries datagrams both ways, loses and delays by a seed, and can move a page.

Everything is in one process and by the loop, so what was lost is the seed's doing alone.
"""

import asyncio
import socket
from random import Random

_BYTES = 2048


class Middle:
    """Stands before a node: pages send to `port`, the node sees an address of the middle's for each."""

    def __init__(self, address: str, node_port: int, *, seed: int = 0, loss: float = 0.0, reorder: float = 0.0) -> None:
        self.loss, self.reorder = loss, reorder
        self.delay_s = 0.0
        """Each way, in order."""
        self.cut = False
        """Nothing is carried."""
        self.carried = 0
        self.lost = 0
        self._address = address
        self._node = (address, node_port)
        self._chance = Random(seed)
        self._loop = asyncio.get_running_loop()
        self._front = self._bound(self._from_pages)
        self.port: int = self._front.getsockname()[1]
        self._back: dict[tuple[str, int], socket.socket] = {}
        self._page: dict[socket.socket, tuple[str, int]] = {}
        self._old: list[socket.socket] = []

    def sdp(self, answer: str) -> str:
        """The node's answer with the middle's port in it."""
        return answer.replace(f" {self._node[1]} ", f" {self.port} ")

    def move(self, check: bytes) -> None:
        """Gives the page that was last heard another address, and sends a check from there."""
        page = next(reversed(self._back))
        self._old.append(self._back[page])
        moved = self._open(page)
        moved.sendto(check, self._node)

    def addresses(self) -> list[tuple[str, int]]:
        """What the node sees now."""
        return [each.getsockname() for each in self._back.values()]

    def close(self) -> None:
        for each in (self._front, *self._back.values(), *self._old):
            self._loop.remove_reader(each.fileno())
            each.close()

    def _bound(self, readable: object) -> socket.socket:
        made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        made.setblocking(False)
        made.bind((self._address, 0))
        assert callable(readable)
        self._loop.add_reader(made.fileno(), readable, *([made] if readable == self._from_node else []))
        return made

    def _open(self, page: tuple[str, int]) -> socket.socket:
        made = self._bound(self._from_node)
        self._back[page] = made
        self._page[made] = page
        return made

    def _from_pages(self) -> None:
        for data, page in self._read(self._front):
            back = self._back.get(page) or self._open(page)
            self._carry(back, data, self._node)

    def _from_node(self, back: socket.socket) -> None:
        for data, _ in self._read(back):
            self._carry(self._front, data, self._page[back])

    def _read(self, made: socket.socket) -> list[tuple[bytes, tuple[str, int]]]:
        read = []
        while True:
            try:
                read.append(made.recvfrom(_BYTES))
            except OSError:
                return read

    def _carry(self, out: socket.socket, data: bytes, to: tuple[str, int]) -> None:
        if self.cut or self._chance.random() < self.loss:
            self.lost += 1
            return
        self.carried += 1
        if self._chance.random() < self.reorder:
            late_s = self.delay_s + 0.002 + 0.01 * self._chance.random()
            self._loop.call_later(late_s, self._send, out, data, to)
        elif self.delay_s:
            self._loop.call_later(self.delay_s, self._send, out, data, to)
        else:
            self._send(out, data, to)

    def _send(self, out: socket.socket, data: bytes, to: tuple[str, int]) -> None:
        if out.fileno() >= 0:
            out.sendto(data, to)
