"""STUN by RFC 5769's vectors, by another implementation, and by malformed bytes."""

import random

import pytest
from aioice import stun as aioice

from media_node import stun
from media_node.ice import Credentials
from media_node.stun import Kind, StunError

# RFC 5769 section 2.1: a request of software "STUN test client", username "evtj:h6vY"
PASSWORD = b"VOkJxbRl1RmTxUk/WvJxBt"
SAMPLE = bytes.fromhex(
    "000100582112a442b7e7a701bc34d686fa87dfae802200105354554e207465737420636c69656e74"
    "002400046e0001ff80290008932ff9b151263b36000600096576746a3a68367659202020"
    "000800149aeaa70cbfd8cb56781ef2b5b2d3f249c1b571a280280004e57a3bcf"
)


def request(password: str = "secret", *, username: str = "us:them", **attributes: object) -> bytes:
    """A check as aioice makes it."""
    message = aioice.Message(message_method=aioice.Method.BINDING, message_class=aioice.Class.REQUEST)
    message.attributes = {"USERNAME": username, "PRIORITY": 1, "ICE-CONTROLLING": 7}
    message.attributes.update({name.replace("_", "-"): value for name, value in attributes.items()})
    message.add_message_integrity(password.encode())
    return bytes(message)


def test_the_sample_request_is_read() -> None:
    """RFC 5769 section 2.1."""
    read = stun.parse_request(SAMPLE)
    assert (read.username, read.use_candidate, read.controlled, read.unknown) == ("evtj:h6vY", False, True, ())
    assert stun.authentic(SAMPLE, read, PASSWORD)
    assert not stun.authentic(SAMPLE, read, b"another")


@pytest.mark.parametrize("address", [("192.0.2.1", 32853), ("2001:db8:1234:5678:11:2233:4455:6677", 32853, 0, 0)])
def test_another_implementation_reads_the_answer(address: stun.Address) -> None:
    """aioice finds the address, the integrity and the fingerprint right."""
    made = stun.success(stun.parse_request(SAMPLE), address, PASSWORD)
    read = aioice.parse_message(made)
    assert read.attributes["XOR-MAPPED-ADDRESS"] == address[:2]
    assert read.transaction_id == SAMPLE[8:20]
    assert read.check_message_integrity(PASSWORD)
    assert len(made) <= len(SAMPLE)


def test_an_address_that_a_dual_socket_gives_is_told_as_ipv4() -> None:
    """`::ffff:` is the socket's matter, not the peer's."""
    made = stun.success(stun.parse_request(SAMPLE), ("::ffff:192.0.2.1", 9, 0, 0), PASSWORD)
    assert aioice.parse_message(made).attributes["XOR-MAPPED-ADDRESS"] == ("192.0.2.1", 9)


def test_refusals_are_errors_that_can_be_authenticated() -> None:
    """487 as 487, 420 with what was not known."""
    read = stun.parse_request(SAMPLE)
    refused = aioice.parse_message(stun.refusal(read, stun.ROLE_CONFLICT, PASSWORD))
    assert refused.attributes["ERROR-CODE"] == (487, "Role Conflict")
    assert refused.check_message_integrity(PASSWORD)
    odd = stun.parse_request(request(CHANNEL_NUMBER=3))
    assert odd.unknown == (0x000C,)
    made = stun.refusal(odd, stun.UNKNOWN_ATTRIBUTE, PASSWORD)
    assert bytes.fromhex("000a0002000c0000") in made
    assert aioice.parse_message(made).attributes["ERROR-CODE"][0] == 420


def test_no_answer_is_longer_than_the_shortest_request_for_it() -> None:
    """Whoever sends checks in another's name does not have more sent to him than he could send himself."""
    ours = Credentials.fresh().ufrag

    def shortest(**attributes: object) -> bytes:
        message = aioice.Message(message_method=aioice.Method.BINDING, message_class=aioice.Class.REQUEST)
        message.attributes = {"USERNAME": f"{ours}:abcd", **attributes}
        message.add_message_integrity(b"secret")
        return bytes(message)

    plain, odd = shortest(), shortest(DATA=b"")
    address: stun.Address = ("2001:db8::1", 9, 0, 0)
    assert len(stun.success(stun.parse_request(plain), address, b"secret")) <= len(plain)
    assert len(stun.refusal(stun.parse_request(plain), stun.ROLE_CONFLICT, b"secret")) <= len(plain)
    assert len(stun.refusal(stun.parse_request(odd), stun.UNKNOWN_ATTRIBUTE, b"secret")) <= len(odd)


def test_use_candidate_is_seen() -> None:
    """And nothing that stands after MESSAGE-INTEGRITY is."""
    assert stun.parse_request(request(USE_CANDIDATE=None)).use_candidate
    late = request()[:-8] + bytes.fromhex("00250000")
    late = late[:2] + (len(late) - 20 + 8).to_bytes(2, "big") + late[4:]
    late += bytes.fromhex("80280004") + stun.fingerprint(late)
    assert not stun.parse_request(late).use_candidate


@pytest.mark.parametrize(
    "data",
    [
        b"",
        SAMPLE[:19],
        SAMPLE + bytes(1300),
        SAMPLE[:-4],
        b"\x01\x01" + SAMPLE[2:],
        SAMPLE[:4] + b"\0\0\0\0" + SAMPLE[8:],
        SAMPLE[:-1] + b"\0",
        SAMPLE[:2] + b"\0\0" + SAMPLE[4:20],
        SAMPLE[:22] + b"\xff\xff" + SAMPLE[24:],
        SAMPLE + SAMPLE[-8:],
    ],
)
def test_what_is_no_check_is_said_to_be_none(data: bytes) -> None:
    """Too short, too long, another type, no cookie, a wrong checksum, nothing in it, an attribute beyond the end."""
    if data[:2] == b"\0\1" and len(data) % 4 == 0 and len(data) > 120:
        data = data[:2] + (len(data) - 20).to_bytes(2, "big") + data[4:]
    with pytest.raises(StunError):
        stun.parse_request(data)


def test_a_username_has_to_be_text() -> None:
    """With everything else right."""
    head = bytearray(request(username="ab:cd")[:-8])
    at = bytes(head).index(b"ab:cd")
    head[at] = 0xFF
    data = bytes(head) + bytes.fromhex("80280004") + stun.fingerprint(bytes(head))
    with pytest.raises(StunError, match="username"):
        stun.parse_request(data)


def test_a_check_without_integrity_is_none() -> None:
    """FINGERPRINT alone proves nothing."""
    message = aioice.Message(message_method=aioice.Method.BINDING, message_class=aioice.Class.REQUEST)
    message.attributes = {"USERNAME": "us:them"}
    message.add_fingerprint()
    with pytest.raises(StunError, match="unprotected"):
        stun.parse_request(bytes(message))


def test_first_bytes_tell_protocols_apart() -> None:
    """RFC 7983 section 7."""
    kinds = {
        0: Kind.STUN,
        3: Kind.STUN,
        4: Kind.UNKNOWN,
        20: Kind.DTLS,
        63: Kind.DTLS,
        64: Kind.UNKNOWN,
        128: Kind.RTP,
        192: Kind.UNKNOWN,
    }
    assert {first: stun.kind_of(bytes((first,))) for first in kinds} == kinds
    assert stun.kind_of(b"") is Kind.UNKNOWN


def test_only_declared_errors_escape_whatever_arrives() -> None:
    """Seeded: a real check with bytes changed, cut and put in."""
    chance = random.Random(487)
    for _ in range(5000):
        data = bytearray(SAMPLE)
        for _ in range(chance.randrange(1, 6)):
            at = chance.randrange(len(data))
            data[at : at + chance.randrange(3)] = chance.randbytes(chance.randrange(3))
        try:
            read = stun.parse_request(bytes(data))
        except StunError:
            continue
        assert not stun.authentic(bytes(data), read, PASSWORD) or read.username == "evtj:h6vY"
