"""`python -m tests.turn.mapped HOST PORT PORT`: what each STUN server sees of ONE socket, an address and a port a line."""

import socket
import sys

from aioice import stun


def main() -> None:
    """The command."""
    host, *ports = sys.argv[1:]
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.settimeout(10)
        probe.bind(("0.0.0.0", 0))
        for port in ports:
            request = stun.Message(message_method=stun.Method.BINDING, message_class=stun.Class.REQUEST)
            probe.sendto(bytes(request), (host, int(port)))
            print(*stun.parse_message(probe.recv(2048)).attributes["XOR-MAPPED-ADDRESS"])


if __name__ == "__main__":
    main()
