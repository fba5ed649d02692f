"""What OpenSSL writes goes out as datagrams, what comes is taken or passed over; real peers are in tests/node."""

from contextlib import suppress

import pytest
from OpenSSL import SSL

from media_node.dtls import MTU, Dtls, DtlsError, DtlsState, Identity, datagrams_of
from media_node.dtls import Identity as Client


def record(size: int, kind: int = 22) -> bytes:
    return bytes((kind, 0xFE, 0xFD)) + bytes(8) + (size - 13).to_bytes(2, "big") + bytes(size - 13)


def unified(size: int, first: int = 0x2C) -> bytes:
    """DTLS 1.3's header: by its bits a connection id, a long sequence, a length."""
    header = 1 + (2 if first & 8 else 1)
    if not first & 4:
        return bytes((first,)) + bytes(size - 1)
    return bytes((first,)) + bytes(header - 1) + (size - header - 2).to_bytes(2, "big") + bytes(size - header - 2)


@pytest.mark.parametrize(
    ("records", "sizes"),
    [
        ([record(100)], [100]),
        ([record(600), record(500), record(300)], [1100, 300]),
        ([record(1300), record(100)], [1300, 100]),
        ([unified(700), unified(700), unified(100, 0x24)], [700, 800]),
        ([record(600), unified(900, 0x20)], [600, 900]),
    ],
)
def test_flights_are_cut_between_records(records: list[bytes], sizes: list[int]) -> None:
    """As many whole ones to a datagram as fit."""
    made = datagrams_of(b"".join(records))
    assert [len(each) for each in made] == sizes
    assert b"".join(made) == b"".join(records)


class Peer:
    """The client's side, on OpenSSL alone; it offers profiles of SRTP, or none."""

    def __init__(self, profiles: bytes | None = None) -> None:
        self.identity = Client()
        context = self.identity.context
        if profiles is not None:
            context = SSL.Context(SSL.DTLS_METHOD)
            context.use_certificate(self.identity.certificate._cert)
            context.use_privatekey(self.identity.certificate._key)
            if profiles:
                context.set_tlsext_use_srtp(profiles)
        self.ssl = SSL.Connection(context)
        self.ssl.set_ciphertext_mtu(MTU)
        self.ssl.set_connect_state()

    def shake(self, *datagrams: bytes) -> bytes:
        """Takes datagrams, gives what it answers."""
        for each in datagrams:
            self.ssl.bio_write(each)
        with suppress(SSL.WantReadError):
            self.ssl.do_handshake()
        try:
            return self.ssl.bio_read(65536)
        except SSL.Error:
            return b""


def pair(fingerprint: str | None = None, profiles: bytes | None = None) -> tuple[Peer, Dtls, list[bytes]]:
    peer, sent = Peer(profiles), list[bytes]()
    dtls = Dtls(Identity(), (("sha-256", fingerprint or peer.identity.fingerprint),), sent.append)
    return peer, dtls, sent


def shaken(peer: Peer, dtls: Dtls, sent: list[bytes]) -> None:
    for _ in range(6):
        flight = peer.shake(*sent)
        sent.clear()
        for each in datagrams_of(flight) if flight else []:
            dtls.receive(each)
        if dtls.phase is DtlsState.OPEN and not sent:
            return


def opened(profiles: bytes | None = None) -> tuple[Peer, Dtls, list[bytes]]:
    peer, dtls, sent = pair(profiles=profiles)
    shaken(peer, dtls, sent)
    peer.shake(*sent)
    sent.clear()
    return peer, dtls, sent


def test_a_handshake_opens_it_and_data_goes_both_ways() -> None:
    """Nothing waits for anything but datagrams."""
    peer, dtls, sent = opened()
    assert dtls.phase is DtlsState.OPEN
    assert dtls.timeout_s() is None
    peer.ssl.send(b"up")
    assert dtls.receive(peer.ssl.bio_read(2000)) == [b"up"]
    dtls.send(b"down")
    peer.ssl.bio_write(sent.pop())
    assert peer.ssl.recv(100) == b"down"


@pytest.mark.parametrize(
    ("offered", "chosen"),
    [
        (b"SRTP_AES128_CM_SHA1_80:SRTP_AEAD_AES_256_GCM:SRTP_AEAD_AES_128_GCM", b"SRTP_AEAD_AES_128_GCM"),
        (b"SRTP_AES128_CM_SHA1_32:SRTP_AES128_CM_SHA1_80", b"SRTP_AES128_CM_SHA1_80"),
        (b"SRTP_AES128_CM_SHA1_32", b""),
        (b"", b""),
    ],
)
def test_the_profile_is_our_choice_of_what_is_offered(offered: bytes, chosen: bytes) -> None:
    """Data goes both ways whether there is one or not."""
    peer, dtls, sent = opened(offered)
    assert dtls.phase is DtlsState.OPEN
    assert peer.ssl.get_selected_srtp_profile() == chosen
    assert (dtls.srtp is not None) is bool(chosen)
    dtls.send(b"down")
    peer.ssl.bio_write(sent.pop())
    assert peer.ssl.recv(100) == b"down"


def test_records_that_share_a_datagram_are_all_read() -> None:
    """Most do not; OpenSSL is asked again only where they do."""
    peer, dtls, _ = opened()
    peer.ssl.send(b"one")
    peer.ssl.send(b"two")
    assert dtls.receive(peer.ssl.bio_read(2000)) == [b"one", b"two"]


def test_a_flight_that_was_lost_is_sent_again() -> None:
    """Once its time has come, and not before."""
    peer, dtls, sent = pair()
    for each in datagrams_of(peer.shake()):
        dtls.receive(each)
    sent.clear()
    left = dtls.timeout_s()
    assert left is not None
    assert left > 0
    dtls.expired()
    assert sent == []


def test_another_certificate_is_refused() -> None:
    """Data is never taken from it."""
    peer, dtls, sent = pair(":".join(["00"] * 32))
    with pytest.raises(DtlsError):
        shaken(peer, dtls, sent)
    assert dtls.phase is DtlsState.CLOSED
    assert dtls.timeout_s() is None


def test_what_is_no_record_of_it_changes_nothing() -> None:
    """Garbage, a record of another epoch, one that was heard before."""
    peer, dtls, _ = opened()
    peer.ssl.send(b"once")
    once = peer.ssl.bio_read(2000)
    assert dtls.receive(once) == [b"once"]
    for each in (once, record(60, 23), record(60, 21), b"\x17garbage", once[:-1] + b"\0"):
        assert dtls.receive(each) == []
    peer.ssl.send(b"on")
    assert dtls.receive(peer.ssl.bio_read(2000)) == [b"on"]


def test_the_peer_may_end_it() -> None:
    """By close_notify, which we send too; ending it twice is nothing."""
    peer, dtls, sent = opened()
    peer.ssl.shutdown()
    dtls.receive(peer.ssl.bio_read(2000))
    assert dtls.phase is DtlsState.CLOSED
    peer, dtls, sent = opened()
    dtls.close()
    dtls.close()
    assert len(sent) == 1
    dtls.send(b"late")
    assert len(sent) == 1
