"""AsyncAPI 3 of every carrier, from the same message types that are decoded and sent. Pure."""

from typing import Any, Final, get_args

import msgspec

from chalicelib.wire import PROTOCOL_VERSION, limits
from chalicelib.wire.messages import (
    ClientMessage,
    DocCommits,
    DocFetch,
    ErrorMessage,
    OpAck,
    OpCommitted,
    OpRejected,
    OpSubmit,
    Ping,
    Pong,
    PresenceUpdate,
    ServerMessage,
)
from chalicelib.wire.signals import RelayPrefer, RelayRoster
from chalicelib.wire.voice import VoicePrefer, VoiceSlots, VoiceSpeaking

Schema = dict[str, Any]
_Messages = tuple[type[msgspec.Struct], ...]
_REF: Final = "#/components/schemas/{name}"
_PRESENCE: Final[_Messages] = (PresenceUpdate,)
_NODE_UP: Final[_Messages] = (RelayPrefer, VoicePrefer)
"""What a media node alone hears, and what it alone tells: on no WebSocket."""
_NODE_DOWN: Final[_Messages] = (RelayRoster, VoiceSlots, VoiceSpeaking)
_CONTROL_UP: Final[_Messages] = (OpSubmit, DocFetch, Ping, *_NODE_UP)
_CONTROL_DOWN: Final[_Messages] = (*_NODE_DOWN, OpAck, OpCommitted, OpRejected, DocCommits, Pong, ErrorMessage)


def asyncapi(*, version: str) -> Schema:
    """The document: the WebSocket and the data channels, what a client sends on each, what it receives."""
    client, server = get_args(ClientMessage), get_args(ServerMessage)
    up, down = tuple(t for t in client if t not in _NODE_UP), tuple(t for t in server if t not in _NODE_DOWN)
    _, components = msgspec.json.schema_components([*client, *server], ref_template=_REF)
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Holodeck",
            "version": version,
            "description": f"Protocol {PROTOCOL_VERSION}. A client may put an `id` on what it sends; the reply echoes it.",
        },
        "channels": {
            "room": {
                "address": "/ws",
                "description": "Opened with the query parameter `ticket` from POST /auth/tickets, which also tells the "
                f"address. At most {limits.WS_FRAME_BYTES} bytes a message up, {limits.WS_MESSAGE_BYTES} down.",
                "bindings": {"ws": {"method": "GET", "query": _ticket()}},
                **_carried((*up, *down)),
            },
            "presence": {
                "address": None,
                "description": f"SCTP stream {limits.PRESENCE_CHANNEL} of a peer connection, unordered, without "
                f"retransmission. At most {limits.PRESENCE_MESSAGE_BYTES} bytes a message. From a media node come "
                "binary frames instead: docs/webrtc.md.",
                **_carried(_PRESENCE),
            },
            "control": {
                "address": None,
                "description": f"SCTP stream {limits.CONTROL_CHANNEL} of a peer connection, ordered and reliable. A "
                "binary message is the raw deflate (RFC 1951) of a text. At most "
                f"{limits.CHANNEL_MESSAGE_BYTES} bytes a message up. Between two pages: `ping` and `pong` alone.",
                **_carried((*_CONTROL_UP, *_CONTROL_DOWN)),
            },
        },
        "operations": {
            "send": _operation("send", "room", up),
            "receive": _operation("receive", "room", down),
            "tell_peer": _operation("send", "presence", _PRESENCE),
            "hear_peer": _operation("receive", "presence", _PRESENCE),
            "send_to_node": _operation("send", "control", _CONTROL_UP),
            "receive_from_node": _operation("receive", "control", _CONTROL_DOWN),
        },
        "components": {
            "messages": {t.__struct_config__.tag: _message(t) for t in (*client, *server)},
            "schemas": components,
        },
    }


def _carried(types: _Messages) -> Schema:
    tags = {str(t.__struct_config__.tag) for t in types}
    return {"messages": {tag: {"$ref": f"#/components/messages/{tag}"} for tag in sorted(tags)}}


def _message(type_: type[msgspec.Struct]) -> Schema:
    tag = str(type_.__struct_config__.tag)
    return {
        "name": tag,
        "summary": (type_.__doc__ or "").strip().partition("\n")[0],
        "payload": {"$ref": _REF.format(name=type_.__name__)},
    }


def _operation(action: str, channel: str, types: _Messages) -> Schema:
    tags = [str(t.__struct_config__.tag) for t in types]
    return {
        "action": action,
        "channel": {"$ref": f"#/channels/{channel}"},
        "messages": [{"$ref": f"#/channels/{channel}/messages/{tag}"} for tag in tags],
    }


def _ticket() -> Schema:
    return {"type": "object", "required": ["ticket"], "properties": {"ticket": {"type": "string"}}}
