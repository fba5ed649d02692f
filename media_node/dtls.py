"""DTLS with one peer: aiortc's RTCDtlsTransport, driven by datagrams instead of by a task. The only file that knows aiortc.

aiortc's transport awaits an ICE transport: a task a peer, and several awaits a packet. Everything of it that matters, the
certificate, the context, the fingerprints, the SRTP keys, is used as it is; its pump is left out. OpenSSL writes into
memory, so nothing here waits for anything: a datagram in, plaintext and datagrams out, on the caller's stack.
"""

from collections.abc import Callable
from contextlib import suppress
from enum import Enum
from typing import Final, cast

from aiortc import RTCCertificate, RTCDtlsFingerprint, RTCDtlsParameters, RTCIceTransport
from aiortc.rtcdtlstransport import SRTP_AEAD_AES_128_GCM, SRTP_AES128_CM_SHA1_80, RTCDtlsTransport
from aiortc.rtcdtlstransport import State as _Aiortc
from OpenSSL import SSL

from media_node.srtp import Srtp

PROFILES: Final = [SRTP_AEAD_AES_128_GCM, SRTP_AES128_CM_SHA1_80]
"""The best first, and ours is the choice (RFC 5764 section 4.1.2): GCM is the cheaper one."""
MTU: Final = 1200  # of a handshake's datagrams
_READ_BYTES: Final = 65536
_PLAIN_BYTES: Final = 2048
_RECORD_HEADER: Final = 13


class DtlsState(Enum):
    """Of a peer's association."""

    HANDSHAKE = "handshake"
    OPEN = "open"
    CLOSED = "closed"


class DtlsError(ValueError):
    """A datagram that is no record of this association."""


class Identity:
    """Our certificate, made anew when a node starts: nothing outlives it that would need to know it again."""

    def __init__(self) -> None:
        self.certificate = RTCCertificate.generateCertificate()
        self.fingerprint = next(
            each.value for each in self.certificate.getFingerprints() if each.algorithm == "sha-256"
        )
        self.context = self.certificate._create_ssl_context(srtp_profiles=PROFILES)


class _Nowhere:
    """Stands for the ICE transport, which RTCDtlsTransport asks for its role alone."""

    role = "controlled"


class Dtls(RTCDtlsTransport):
    """The server's side with one peer, who has to prove the signalled fingerprints."""

    def __init__(
        self, identity: Identity, fingerprints: tuple[tuple[str, str], ...], send: Callable[[bytes], None]
    ) -> None:
        super().__init__(cast(RTCIceTransport, _Nowhere()), [identity.certificate])
        self._set_role("server")
        self._send = send
        self._peer = RTCDtlsParameters([RTCDtlsFingerprint(algorithm, value) for algorithm, value in fingerprints])
        self._ssl = self._connection = SSL.Connection(identity.context)
        self._connection.set_ciphertext_mtu(MTU)
        self._connection.set_accept_state()
        self._srtp_profiles = PROFILES
        self.srtp: Srtp | None = None
        """Once the association is open, with a peer who offered use_srtp."""
        self.phase = DtlsState.HANDSHAKE
        self._settled = False

    def receive(self, datagram: bytes) -> list[bytes]:
        """Takes a datagram: what it carried, once the association is open. Raises DtlsError where it is none of it.

        After it `phase` is newer: OPEN only if the peer's certificate has each of the signalled fingerprints.
        """
        ssl = self._connection
        ssl.bio_write(datagram)
        if self.phase is DtlsState.HANDSHAKE and not self._shaken():
            return []
        plain: list[bytes] = []
        try:
            plain.append(ssl.recv(_PLAIN_BYTES))
            while not _single(datagram):
                plain.append(ssl.recv(_PLAIN_BYTES))
        except SSL.WantReadError:
            pass
        except SSL.ZeroReturnError:
            self.phase = DtlsState.CLOSED
        except SSL.Error as broken:
            raise DtlsError from broken
        if not plain:  # a handshake record: the peer may not have had our last flight
            self._flush()
        return plain

    def send(self, plain: bytes) -> None:
        """Encrypts and sends one datagram."""
        if self.phase is not DtlsState.OPEN:
            return
        try:
            self._connection.send(plain)
        except SSL.Error:  # the connection broke as something of the peer's was read
            self.phase = DtlsState.CLOSED
            return
        self._send(self._connection.bio_read(_READ_BYTES))

    def timeout_s(self) -> float | None:
        """After how long `expired` is to be called, while a flight may have to be sent again."""
        if self._settled or self.phase is DtlsState.CLOSED:
            return None
        left = self._connection.DTLSv1_get_timeout()
        if left is None and self.phase is DtlsState.OPEN:
            self._settled = True
        return None if left is None else float(left)

    def expired(self) -> None:
        """Sends the last flight again, if it is time."""
        try:
            self._connection.DTLSv1_handle_timeout()
        except SSL.Error:
            self.phase = DtlsState.CLOSED
        self._flush()

    def close(self) -> None:
        """Tells the peer (close_notify), and lets go of what aiortc keeps."""
        if self.phase is not DtlsState.CLOSED:
            self.phase = DtlsState.CLOSED
            with suppress(SSL.Error):
                self._connection.shutdown()
            self._flush()
        self.remove_all_listeners()

    def _shaken(self) -> bool:
        try:
            self._connection.do_handshake()
        except SSL.WantReadError:
            self._flush()
            return False
        except SSL.Error as broken:
            self._flush()  # the alert that says why
            self.phase = DtlsState.CLOSED
            raise DtlsError from broken
        self._validate_peer_identity(self._peer)
        if self._state is not _Aiortc.FAILED and self._connection.get_selected_srtp_profile():
            self._setup_srtp()  # who has data channels alone may offer none
            self.srtp = Srtp(self._rx_srtp, self._tx_srtp)
        if self._state is _Aiortc.FAILED:
            self.close()
            raise DtlsError("the certificate is not the one that was signalled")
        self._flush()
        self.encrypted = True
        self.phase = DtlsState.OPEN
        return True

    def _flush(self) -> None:
        try:
            written = self._connection.bio_read(_READ_BYTES)
        except SSL.Error:
            return
        for datagram in datagrams_of(written):
            self._send(datagram)


def _single(datagram: bytes) -> bool:
    """Whether it is one record, by far the most: asking OpenSSL for another costs as much as the first."""
    return datagram[0] < 0x20 and int.from_bytes(datagram[11:13], "big") + _RECORD_HEADER == len(datagram)


def datagrams_of(written: bytes) -> list[bytes]:
    """What OpenSSL wrote into memory, as datagrams: whole records, as many as fit into MTU."""
    if len(written) <= MTU:
        return [written]
    made: list[bytes] = []
    current = 0
    at = 0
    while at < len(written):
        end = min(_record_end(written, at), len(written))
        if end - current > MTU and at > current:
            made.append(written[current:at])
            current = at
        at = end
    made.append(written[current:])
    return made


def _record_end(written: bytes, at: int) -> int:
    first = written[at]
    if first & 0xE0 != 0x20:  # DTLS 1.2, and 1.3 in the clear (RFC 6347 section 4.1)
        return at + _RECORD_HEADER + int.from_bytes(written[at + 11 : at + 13], "big")
    if not first & 0x04:  # RFC 9147 section 4: without a length it goes to the datagram's end
        return len(written)
    header = 1 + (2 if first & 0x08 else 1)
    return at + header + 2 + int.from_bytes(written[at + header : at + header + 2], "big")
