"""What the TURN server does for whom: real coturn, real STUN and TURN messages, each refusal by its code."""

import asyncio
import socket
import ssl
import warnings
from pathlib import Path

import pytest
from aioice import stun

from tests.turn.client import BEN, Inbox, client, credentials, refusal, trusting
from tests.turn.server import SECRETS, Coturn

UNAUTHORIZED, FORBIDDEN, WRONG_FAMILY, QUOTA = 401, 403, 443, 486
PUBLIC = ("9.9.9.9", 9)


@pytest.mark.parametrize("by", ["udp", "tcp", "tls"])
async def test_a_credential_of_ours_relays_both_ways(coturn: Coturn, by: str) -> None:
    """What the page is given opens an allocation, by each transport, and bytes go through it there and back."""
    loop = asyncio.get_running_loop()
    transport, peer = await loop.create_datagram_endpoint(Inbox, local_addr=("127.0.0.1", 0))
    async with client(coturn, credentials(coturn), by) as ana:
        relayed = await ana.allocate()
        where = transport.get_extra_info("sockname")
        async with asyncio.timeout(10):
            await ana.protocol.send_data(b"there", where)
            assert await peer.came.get() == (b"there", relayed)
            transport.sendto(b"and back", relayed)
            assert await ana.inbox.came.get() == (b"and back", where)
    transport.close()


async def test_an_older_secret_is_taken_while_it_is_there(coturn: Coturn) -> None:
    """A secret changes without a gap: what the second of the parameter's signed is good still."""
    older = SECRETS.splitlines()[1]
    async with client(coturn, credentials(coturn, secrets=older)) as ana:
        assert await refusal(ana.allocate()) == 0


async def test_a_wrong_secret_is_refused(coturn: Coturn) -> None:
    """A credential that another secret signed is worth nothing."""
    async with client(coturn, credentials(coturn, secrets="x" * 40)) as eve:
        assert await refusal(eve.allocate()) == UNAUTHORIZED


async def test_an_expired_credential_is_refused(coturn: Coturn) -> None:
    """A credential whose time has come is worth nothing, however well it is signed."""
    async with client(coturn, credentials(coturn, ttl_s=-5)) as late:
        assert await refusal(late.allocate()) == UNAUTHORIZED


async def test_a_password_is_its_user_names_alone(coturn: Coturn) -> None:
    """Neither the end nor the person can be changed in a credential."""
    ana, ben = credentials(coturn), credentials(coturn, BEN)
    swapped = type(ana)(urls=ana.urls, username=ben.username, credential=ana.credential)
    async with client(coturn, swapped) as eve:
        assert await refusal(eve.allocate()) == UNAUTHORIZED


async def test_nobody_is_let_in_without_a_credential(coturn: Coturn) -> None:
    """An allocation asks for one."""
    nobody = type(credentials(coturn))(urls=())
    async with client(coturn, nobody) as eve:
        assert await refusal(eve.allocate()) == UNAUTHORIZED


@pytest.mark.parametrize(
    "address",
    [
        "0.0.0.0",
        "10.0.0.1",
        "100.64.0.1",
        "127.0.0.2",
        "169.254.169.254",
        "169.254.170.2",
        "172.31.255.254",
        "192.168.1.1",
        "198.18.0.1",
        "224.0.0.1",
        "255.255.255.255",
    ],
)
async def test_nobody_reaches_the_inside_through_it(coturn: Coturn, address: str) -> None:
    """Private, loopback, link-local and metadata addresses, multicast and broadcast: 403, whoever asks."""
    async with client(coturn, credentials(coturn)) as ana:
        await ana.allocate()
        assert await refusal(ana.bind((address, 80))) == FORBIDDEN


@pytest.mark.parametrize("address", ["::1", "fd00:ec2::254", "fe80::1", "::ffff:10.0.0.1", "::ffff:169.254.169.254"])
async def test_nor_by_ipv6(coturn: Coturn, address: str) -> None:
    """An IPv4 allocation reaches no IPv6 address, least of all one that is an IPv4 address in disguise."""
    async with client(coturn, credentials(coturn)) as ana:
        await ana.allocate()
        assert await refusal(ana.bind((address, 80))) in {FORBIDDEN, WRONG_FAMILY}


async def test_what_is_public_is_reached(coturn: Coturn) -> None:
    """The denied ranges deny no more than they should. (Binding a channel sends nothing to the peer.)"""
    async with client(coturn, credentials(coturn)) as ana:
        await ana.allocate()
        assert await refusal(ana.bind(PUBLIC)) == 0


async def test_a_tcp_relay_is_refused(coturn: Coturn) -> None:
    """Nobody makes TCP connections from the server's address (RFC 6062)."""
    async with client(coturn, credentials(coturn), "tcp") as ana:
        request = stun.Message(message_method=stun.Method.ALLOCATE, message_class=stun.Class.REQUEST)
        request.attributes["REQUESTED-TRANSPORT"] = 0x06000000
        assert await refusal(ana.protocol.request_with_retry(request)) in {400, 442}


async def test_one_person_has_so_many_allocations(folder: Path) -> None:
    """However many credentials somebody asks for, the quota is theirs together; others have their own."""
    with Coturn(folder, allocations_a_person=2) as small:
        first, second = credentials(small), credentials(small, ttl_s=700)
        async with client(small, first) as a, client(small, second, "tcp") as b, client(small, second) as c:
            assert [await refusal(one.allocate()) for one in (a, b, c)] == [0, 0, QUOTA]
            async with client(small, credentials(small, BEN)) as ben:
                assert await refusal(ben.allocate()) == 0


async def test_all_together_have_so_many(folder: Path) -> None:
    """The server bounds what it carries."""
    with Coturn(folder, allocations=2) as small:
        people = [credentials(small, f"usr_{n}") for n in range(3)]
        async with client(small, people[0]) as a, client(small, people[1]) as b, client(small, people[2]) as c:
            assert [await refusal(one.allocate()) for one in (a, b, c)] == [0, 0, QUOTA]


async def test_an_allocation_ends_when_nobody_refreshes_it(coturn: Coturn) -> None:
    """It is given for no longer than ALLOCATION_S, whatever is asked for."""
    async with client(coturn, credentials(coturn)) as ana:
        request = stun.Message(message_method=stun.Method.ALLOCATE, message_class=stun.Class.REQUEST)
        request.attributes["REQUESTED-TRANSPORT"] = 0x11000000
        request.attributes["LIFETIME"] = 10 * 86400
        answer, _ = await ana.protocol.request_with_retry(request)
        assert answer.attributes["LIFETIME"] <= 3600


async def test_stun_amplifies_nothing_and_says_nothing_of_itself(coturn: Coturn) -> None:
    """A binding request from a forged address brings its victim at most twice its bytes, and no version of anything."""
    request = stun.Message(message_method=stun.Method.BINDING, message_class=stun.Class.REQUEST)
    loop = asyncio.get_running_loop()
    where = (coturn.ip, coturn.turn.stun_port)
    transport, inbox = await loop.create_datagram_endpoint(Inbox, remote_addr=where, family=socket.AF_INET)
    transport.sendto(bytes(request))
    async with asyncio.timeout(10):
        data, _ = await inbox.came.get()
    transport.close()
    assert len(data) <= 2 * len(bytes(request))
    assert stun.parse_message(data).attributes["XOR-MAPPED-ADDRESS"][0] == "127.0.0.1"
    assert b"Coturn" not in data


def test_tls_is_of_today(coturn: Coturn) -> None:
    """TLS 1.2 or newer is spoken; 1.1 and older are not."""
    where = (coturn.ip, coturn.turn.tls_port)
    context = trusting(coturn)
    with (
        socket.create_connection(where, 10) as plain,
        context.wrap_socket(plain, server_hostname="localhost") as secure,
    ):
        assert secure.version() in {"TLSv1.2", "TLSv1.3"}
    old = trusting(coturn)
    old.set_ciphers("ALL:@SECLEVEL=0")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        old.minimum_version, old.maximum_version = ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1
    # It is refused, or left without an answer.
    with socket.create_connection(where, 2) as plain, pytest.raises((ssl.SSLError, ConnectionError, TimeoutError)):
        old.wrap_socket(plain, server_hostname="localhost")


async def test_the_log_tells_no_secret(folder: Path) -> None:
    """Neither secrets nor passwords are written, of who was let in and of who was refused."""
    with Coturn(folder) as own:
        good, bad = credentials(own), credentials(own, secrets="x" * 40)
        for server, want in ((good, 0), (bad, UNAUTHORIZED)):
            async with client(own, server, "tcp") as one:
                assert await refusal(one.allocate()) == want
    log = own.log.read_text()
    assert "Cannot find credentials of user" in log
    told = [*SECRETS.split(), str(good.credential), str(bad.credential)]
    assert not [secret for secret in told if secret in log]
