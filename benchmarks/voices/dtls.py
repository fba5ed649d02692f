"""A participant's side of DTLS-SRTP (RFC 5763, 5764): the client, on OpenSSL and libsrtp, as datagrams in and out."""

from collections.abc import Callable
from contextlib import suppress
from typing import Final

from aiortc.rtcdtlstransport import SRTPProtectionProfile
from OpenSSL import SSL
from pylibsrtp import Policy, Session

from media_node.dtls import PROFILES, Identity, datagrams_of

_READ_BYTES: Final = 65536
_WINDOW: Final = 1024


class Dtls:
    """One association. `profile` names what was agreed upon, once it is `open`."""

    def __init__(self, identity: Identity, fingerprint: str, send: Callable[[bytes], None]) -> None:
        self.begun = self.open = False
        self.profile = ""
        self.inbound = self.outbound = Session()
        self._fingerprint = fingerprint
        self._send = send
        self._ssl = SSL.Connection(identity.context)
        self._ssl.set_ciphertext_mtu(1200)
        self._ssl.set_connect_state()

    def begin(self) -> None:
        """The first flight."""
        self.begun = True
        self._shake()

    def receive(self, datagram: bytes) -> list[bytes]:
        """What a datagram carried. Raises RuntimeError where the server is not whom it was said to be."""
        self._ssl.bio_write(datagram)
        if not self.open:
            self._shake()
        plain: list[bytes] = []
        with suppress(SSL.WantReadError, SSL.ZeroReturnError):
            while self.open:
                plain.append(self._ssl.recv(_READ_BYTES))
        return plain

    def send(self, plain: bytes) -> None:
        """Encrypts and sends one datagram."""
        self._ssl.send(plain)
        self._send(self._ssl.bio_read(_READ_BYTES))

    def again(self) -> None:
        """Sends a flight again if it is time."""
        if not self.open:
            self._ssl.DTLSv1_handle_timeout()
            self._flush()

    def close(self) -> None:
        """Says so."""
        if self.open:
            self.open = False
            with suppress(SSL.Error):
                self._ssl.shutdown()
            self._flush()

    def _shake(self) -> None:
        try:
            self._ssl.do_handshake()
        except SSL.WantReadError:
            self._flush()
            return
        self._flush()
        peer = self._ssl.get_peer_certificate()
        if peer is None or peer.digest("sha256").decode() != self._fingerprint:
            raise RuntimeError("the server's certificate is not the one that was signalled")
        self._key()
        self.open = True

    def _key(self) -> None:
        chosen = self._ssl.get_selected_srtp_profile()
        profile = next((each for each in PROFILES if each.openssl_profile == chosen), None)
        if profile is None:
            raise RuntimeError("no SRTP profile was agreed upon")
        self.profile = chosen.decode()
        size = 2 * (profile.key_length + profile.salt_length)
        keys = self._ssl.export_keying_material(b"EXTRACTOR-dtls_srtp", size)
        self.outbound = _session(profile, profile.get_key_and_salt(keys, 0), Policy.SSRC_ANY_OUTBOUND)
        self.inbound = _session(profile, profile.get_key_and_salt(keys, 1), Policy.SSRC_ANY_INBOUND)

    def _flush(self) -> None:
        with suppress(SSL.Error):
            for datagram in datagrams_of(self._ssl.bio_read(_READ_BYTES)):
                self._send(datagram)


def _session(profile: SRTPProtectionProfile, key: bytes, direction: int) -> Session:
    policy = Policy(key=key, ssrc_type=direction, srtp_profile=profile.libsrtp_profile)
    policy.window_size = _WINDOW
    return Session(policy)
