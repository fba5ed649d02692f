"""The life of a few sessions, through every route and message that touches a table or a connection."""

import time
from dataclasses import dataclass
from typing import Any

from chalicelib.wire.codes import STATUS, Code
from tests.infra.recorder import House


@dataclass(slots=True)
class Guest:
    """Somebody with a token."""

    house: House
    name: str
    token: str
    user_id: str

    def rest(self, method: str, path: str, body: object = None, query: str = "") -> Any:
        """A REST call of theirs."""
        return self.house.rest(method, path, self.token, body, query)

    def enter(self, session_id: str, connection_id: str, tab_id: str = "tab00001") -> int:
        """Opens a WebSocket with a ticket."""
        return self.house.connect(connection_id, self.ticket(session_id, tab_id))

    def ticket(self, session_id: str, tab_id: str = "tab00001") -> str:
        """A ticket."""
        ticket: str = self.rest("POST", "/auth/tickets", {"session_id": session_id, "tab_id": tab_id})["ticket"]
        return ticket


def live(house: House) -> None:
    """Everything, one after the other."""
    owner, other, third = (arrive(house, name) for name in ("Ada", "Bob", "Cyd"))
    session_id = begin(owner, other)
    talk(house, owner, other, session_id)
    build(house, owner, other, session_id)
    relay(house, owner, other, session_id)
    connect(house, owner, session_id)
    speak(house, owner, other, session_id)
    come_and_go(house, other, session_id)
    govern(owner, other, third, session_id)
    squeeze(house, owner, third)
    owner.rest("DELETE", f"/sessions/{session_id}")


def arrive(house: House, name: str) -> Guest:
    """A guest."""
    tokens = house.rest("POST", "/auth/guest", body={"name": name})
    return Guest(house, name, tokens["access_token"], tokens["user"]["user_id"])


def begin(owner: Guest, other: Guest) -> str:
    """A session with two people in it, and its lists."""
    session_id: str = owner.rest("POST", "/sessions", {"name": "Studio", "visibility": "public"})["session_id"]
    path = f"/sessions/{session_id}"
    once = owner.rest("POST", f"{path}/invites", {"max_uses": 1})
    owner.rest("POST", f"{path}/invites", {})
    owner.rest("GET", f"{path}/invites")
    owner.rest("POST", f"{path}/join", {})
    other.rest("POST", f"{path}/join", {"invite": once["code"]})
    owner.rest("DELETE", f"{path}/invites/{once['invite_id']}")
    owner.rest("PUT", path, {"description": "a room"})
    for lists in ("", "scope=public"):
        owner.rest("GET", "/sessions", query=lists)
    owner.rest("GET", path)
    owner.rest("GET", f"{path}/participants")
    return session_id


def talk(house: House, owner: Guest, other: Guest, session_id: str) -> None:
    """Messages, good and bad, and what REST shows of them."""
    owner.enter(session_id, "a1")
    owner.enter(session_id, "a2")  # the same tab: the first connection is closed
    other.enter(session_id, "b1")
    house.message("a2", {"type": "room.enter", "protocol": 1, "epoch": 1})
    house.message("a2", {"type": "presence.update", "epoch": 1, "counter": 1, "state": {}})
    house.message("a2", {"type": "ping", "at_ms": 1})
    path = f"/collaboration/sessions/{session_id}"
    owner.rest("POST", f"{path}/cursors", {"position": [0, 0, 0]})
    for what in ("cursors", "presence", "activity"):
        owner.rest("GET", f"{path}/{what}")
    for _ in range(70):  # until the connection is closed for it
        house.message("nobody", {"type": "nonsense"})


def build(house: House, owner: Guest, other: Guest, session_id: str) -> None:
    """Documents: written on both carriers until snapshots are made, read, gone back in, locked."""
    scene = session_id.replace("ses_", "doc_")
    path = f"/documents/{scene}"
    create = {"op": "entity_create", "entity_type": "box"}
    owner.rest("POST", f"{path}/operations", {"client": "owner001", "seq": 1, "base": 0, "operations": [create]})
    entity = {"op": "set", "id": "owner001.1.0", "path": ["n"], "value": 1}
    submit = {"type": "op.submit", "document_id": scene, "client": "owner002", "base": 0, "operations": [entity]}
    house.message("a2", {**submit, "seq": 1})
    house.message("a2", {"type": "doc.fetch", "document_id": scene, "since": 0})
    note = owner.rest("POST", f"/sessions/{session_id}/documents", {"name": "Notes"})["document_id"]
    house.message("a2", {**submit, "seq": 1, "document_id": note})
    owner.rest("GET", f"/sessions/{session_id}/documents")
    house.touch("a2", "b1")
    house.grow(scene)
    time.sleep(1.2)  # until the lease of the last submission has run out
    house.occupy(scene)
    house.message("a2", {**submit, "seq": 2, "base": 1})
    house.forget()
    for what, query in (
        ("", ""),
        ("", "revision=1"),
        ("/operations", "since=1"),
        ("/history", ""),
        ("/milestones", ""),
    ):
        owner.rest("GET", path + what, query=query)
    house.touch("a2", "b1")
    house.grow(scene)
    house.forget()
    house.message("a2", {**submit, "seq": 3, "base": 1})
    house.touch("a2", "b1")
    house.grow(scene)
    house.forget()
    owner.rest("POST", f"{path}/rollback", {"revision": 1})
    owner.rest("POST", f"{path}/milestones", {"name": "first"})
    house.touch("a2", "b1")
    locks = f"/collaboration/sessions/{session_id}/locks"
    lock = owner.rest("POST", locks, {"object_id": "owner001.1.0"})
    owner.rest("GET", locks)
    owner.rest("PUT", f"{locks}/owner001.1.0", {"token": lock["token"]})
    owner.rest("DELETE", f"{locks}/owner001.1.0")
    other.rest("POST", locks, {"object_id": "owner001.1.0"})
    owner.rest("DELETE", f"/documents/{note}")


def relay(house: House, owner: Guest, other: Guest, session_id: str) -> None:
    """A room asks for a media node, gets one that comes up, signals with it, and loses it."""
    node_id = "node_" + "0" * 12
    pages = f"{owner.user_id}.tab00001", f"{other.user_id}.tab00001"
    for connection_id in ("a2", "b1"):  # somebody is there, however long the rest took
        house.message(connection_id, {"type": "room.enter", "protocol": 1, "epoch": 1})
    house.offer_to(session_id, *pages)
    signal = {"type": "peer.restart", "link": "link0001"}
    house.message("a2", {**signal, "to": pages[1]})
    house.message("a2", {"type": "relay.request", "reason": "uplink", "generation": 0})
    if house.connect("n1", house.beat(node_id)) != 200:
        raise AssertionError("a node that has registered is let in")
    house.message("n1", {"type": "node.enter", "protocol": 1})
    house.message("a2", {**signal, "to": f"{node_id}.relay"})
    house.message("n1", {**signal, "to": pages[0], "session_id": session_id})
    house.want_none()
    house.disconnect("n1")


def connect(house: House, owner: Guest, session_id: str) -> None:
    """The real-time plane by REST."""
    path = f"/webrtc/sessions/{session_id}"
    house.touch("a2", "b1")
    page = {"tab_id": "tab00001"}
    owner.rest("GET", "/webrtc/ice-servers")
    owner.rest("POST", "/webrtc/sessions", {"session_id": session_id})
    owner.rest("POST", f"{path}/join", page)
    owner.rest("POST", f"{path}/stats", {**page, "carrier": "websocket", "score": 3})
    house.lose(session_id)
    owner.rest("GET", f"{path}/stats")  # whoever comes by finds out
    owner.rest("POST", f"{path}/leave", page)


def speak(house: House, owner: Guest, other: Guest, session_id: str) -> None:
    """Voice by REST."""
    path = f"/collaboration/sessions/{session_id}/voice"
    house.touch("a2", "b1")
    owner.rest("POST", path, {"tab_id": "tab00001"})
    other.rest("POST", path, {"tab_id": "tab00001"})
    owner.rest("GET", path)
    channel = owner.rest("POST", f"{path}/channels", {"name": "Stage"})["channel_id"]
    owner.rest("DELETE", f"{path}/channels/{channel}")
    owner.rest("PUT", f"{path}/participants/{other.user_id}", {"muted": True})
    owner.rest("PUT", f"{path}/blocks/{other.user_id}", {})
    owner.rest("GET", f"{path}/blocks")
    owner.rest("DELETE", f"{path}/blocks/{other.user_id}")
    recording = owner.rest("POST", f"{path}/recordings", {})["recording_id"]
    other.rest("PUT", f"{path}/recordings/{recording}", {"consent": True})
    owner.rest("PUT", f"{path}/recordings/{recording}", {"stop": True})
    house.finish(session_id, recording)
    owner.rest("GET", f"{path}/recordings")
    owner.rest("PUT", f"{path}/recordings/{recording}", {"mix": True})
    (track,) = other.rest("GET", f"{path}/recordings/{recording}")["tracks"]
    house.fetch(track["url"])
    owner.rest("DELETE", f"{path}/recordings/{recording}")
    owner.rest("DELETE", path, query="tab_id=tab00001")


def come_and_go(house: House, other: Guest, session_id: str) -> None:
    """People leave by message and by closing; who comes back with a ticket takes a seat again."""
    other.rest("POST", f"/sessions/{session_id}/join", {})  # a slow machine took their seat meanwhile
    tickets = [other.ticket(session_id) for _ in range(2)]
    house.message("a2", {"type": "ping"})  # somebody is there to be told, however long the rest took
    house.message("b1", {"type": "room.leave"})
    house.disconnect("b1")
    house.connect("b2", tickets[0])
    house.disconnect("b2")
    house.connect("b3", tickets[1])


def govern(owner: Guest, other: Guest, third: Guest, session_id: str) -> None:
    """Roles, removal, leaving."""
    path = f"/sessions/{session_id}"
    owner.rest("PUT", f"{path}/participants/{other.user_id}", {"role": "viewer"})
    third.rest("POST", f"{path}/join", {})
    third.rest("POST", f"{path}/leave", {})
    owner.rest("DELETE", f"{path}/participants/{other.user_id}", query="ban=true")


def squeeze(house: House, owner: Guest, third: Guest) -> None:
    """A room with one seat, which goes to another while its ticket is out."""
    room = owner.rest("POST", "/sessions", {"name": "Booth", "visibility": "link", "max_participants": 1})
    session_id = room["session_id"]
    owner.rest("POST", f"/sessions/{session_id}/join", {})
    first, second = owner.ticket(session_id), owner.ticket(session_id)
    house.connect("c1", first)
    house.disconnect("c1")
    third.rest("POST", f"/sessions/{session_id}/join", {})
    if house.connect("c2", second) != STATUS[Code.SESSION_FULL]:
        raise AssertionError("the seat should have been taken")
