"""A load of voices: participants with ICE, DTLS, SRTP and data channels in one process, against our node and against Janus.

One thread, one socket a connection, plain Python on OpenSSL and libsrtp: some ten microseconds a packet, so that 10,000 a
second take a tenth of a core, and a moment that was measured is the moment a datagram was read. Every server has the same
packets from it: Opus in 20 ms, RFC 6464 levels, sender and receiver reports, negative acknowledgements answered and sent.
Packets, reports and data channels are written by the node's own pure parts, which other stacks hold to their standards.
`opus`, `heard`, `ice`, `sdp` and `marks` are pure; `dtls` and `link` do, `ours` and `theirs` signal.
"""
