"""AsyncAPI 3 of the WebSocket, from the same message types that are decoded and sent. Pure."""

from typing import Any, Final, get_args

import msgspec

from chalicelib.wire import PROTOCOL_VERSION, limits
from chalicelib.wire.messages import ClientMessage, ServerMessage

Schema = dict[str, Any]
_REF: Final = "#/components/schemas/{name}"


def asyncapi(*, version: str) -> Schema:
    """The document: one channel, what a client sends, what it receives."""
    client, server = get_args(ClientMessage), get_args(ServerMessage)
    _, components = msgspec.json.schema_components([*client, *server], ref_template=_REF)
    messages = {t.__struct_config__.tag: _message(t) for t in (*client, *server)}
    channel = {
        "address": "/ws",
        "description": "Opened with the query parameter `ticket` from POST /auth/tickets, which also tells the address. "
        f"At most {limits.WS_FRAME_BYTES} bytes a message up, {limits.WS_MESSAGE_BYTES} down.",
        "bindings": {"ws": {"method": "GET", "query": _ticket()}},
        "messages": {tag: {"$ref": f"#/components/messages/{tag}"} for tag in messages},
    }
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Holodeck",
            "version": version,
            "description": f"Protocol {PROTOCOL_VERSION}. A client may put an `id` on what it sends; the reply echoes it.",
        },
        "channels": {"room": channel},
        "operations": {
            "send": _operation("send", client),
            "receive": _operation("receive", server),
        },
        "components": {"messages": messages, "schemas": components},
    }


def _message(type_: type[msgspec.Struct]) -> Schema:
    tag = str(type_.__struct_config__.tag)
    return {
        "name": tag,
        "summary": (type_.__doc__ or "").strip().partition("\n")[0],
        "payload": {"$ref": _REF.format(name=type_.__name__)},
    }


def _operation(action: str, types: tuple[type[msgspec.Struct], ...]) -> Schema:
    tags = [str(t.__struct_config__.tag) for t in types]
    return {
        "action": action,
        "channel": {"$ref": "#/channels/room"},
        "messages": [{"$ref": f"#/channels/room/messages/{tag}"} for tag in tags],
    }


def _ticket() -> Schema:
    return {"type": "object", "required": ["ticket"], "properties": {"ticket": {"type": "string"}}}
