"""What tests of SRTP send: packets, and the two ends of an association."""

from struct import pack

from pylibsrtp import Policy, Session

from media_node.kernel import ffi
from media_node.srtp import PROTECT, Srtp, Tray, is_control

KEYS = (bytes(range(28)), bytes(range(100, 128)))


def rtp(sequence: int = 1, *, ssrc: int = 7, payload: bytes = b"opus", payload_type: int = 111) -> bytes:
    return pack("!BBHII", 0x80, payload_type, sequence & 0xFFFF, sequence * 960 & 0xFFFFFFFF, ssrc) + payload


def report(ssrc: int = 7) -> bytes:
    """An empty receiver report (RFC 3550 section 6.4.2)."""
    return pack("!BBHI", 0x80, 201, 1, ssrc)


def session(key: bytes, *, inbound: bool) -> Session:
    """As aiortc sets one up."""
    policy = Policy(
        key=key,
        ssrc_type=Policy.SSRC_ANY_INBOUND if inbound else Policy.SSRC_ANY_OUTBOUND,
        srtp_profile=Policy.SRTP_PROFILE_AEAD_AES_128_GCM,
    )
    policy.allow_repeat_tx = True
    policy.window_size = 1024
    return Session(policy)


def ends() -> tuple[Srtp, Srtp]:
    """The node's and its peer's."""
    mine, theirs = KEYS
    return (
        Srtp(session(theirs, inbound=True), session(mine, inbound=False)),
        Srtp(session(mine, inbound=True), session(theirs, inbound=False)),
    )


def sealed(end: Srtp, packet: bytes) -> bytes:
    """Protected, where that has to work."""
    protected = end.protect_control(packet) if is_control(packet) else placed(end, packet)
    assert protected is not None
    return protected


def placed(end: Srtp, packet: bytes) -> bytes | None:
    """RTP that is protected in a tray; None: it cannot be."""
    tray, size = Tray(1), ffi.new("int *", len(packet))
    tray.buffer[0 : len(packet)] = packet
    if PROTECT(end.outbound, tray.places[0], size):
        return None
    protected: bytes = tray.buffer[: size[0]]
    return protected
