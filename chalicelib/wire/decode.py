"""Decoding is validating: bytes in, a typed value out, or an `AppError` that says what was wrong and where.

msgspec already refuses NaN, infinities, invalid UTF-8, lone surrogates and (because every type is closed and of fixed
depth) unknown keys and deep nesting; here are the size and the translation of its words into codes.
"""

import re
from typing import Final, TypeVar

import msgspec

from chalicelib.wire import limits
from chalicelib.wire.codes import Code
from chalicelib.wire.errors import AppError
from chalicelib.wire.messages import ClientMessage, ServerMessage

T = TypeVar("T")


class _Tagged(msgspec.Struct):
    type: str


_tagged: Final = msgspec.json.Decoder(_Tagged)
_client: Final[msgspec.json.Decoder[ClientMessage]] = msgspec.json.Decoder(ClientMessage)
_server: Final[msgspec.json.Decoder[ServerMessage]] = msgspec.json.Decoder(ServerMessage)
_encoder: Final = msgspec.json.Encoder()
_REQUEST_ID: Final = re.compile(rb'"id"\s*:\s*"([A-Za-z0-9_.:-]{1,64})"')


def encode(value: msgspec.Struct) -> bytes:
    """The JSON of a message or body, UTF-8."""
    return _encoder.encode(value)


def decode_body(raw: bytes | str, type_: type[T]) -> T:
    """A REST body. Raises BODY_TOO_LARGE, BODY_MALFORMED or BODY_INVALID."""
    data = raw.encode("utf-8", "surrogatepass") if isinstance(raw, str) else raw
    if len(data) > limits.REST_BODY_BYTES:
        raise AppError(Code.BODY_TOO_LARGE, f"{len(data)} of {limits.REST_BODY_BYTES} bytes")
    try:
        return _decode_or_convert(data, type_)
    except msgspec.ValidationError as exc:
        raise AppError(Code.BODY_INVALID, str(exc)) from exc
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as exc:
        raise AppError(Code.BODY_MALFORMED) from exc


def _decode_or_convert(data: bytes, type_: type[T]) -> T:
    """JSON Schema calls 64.0 an integer, msgspec does not: what was refused is tried again with such numbers whole."""
    try:
        return msgspec.json.decode(data, type=type_)
    except msgspec.ValidationError:
        return msgspec.convert(_whole(msgspec.json.decode(data)), type_)


def _whole(value: object) -> object:
    if isinstance(value, float):
        return int(value) if value.is_integer() else value
    if isinstance(value, list):
        return [_whole(v) for v in value]
    if isinstance(value, dict):
        return {k: _whole(v) for k, v in value.items()}
    return value


def decode_client_message(raw: bytes | str) -> ClientMessage:
    """A message from a client. Raises BODY_TOO_LARGE, BODY_MALFORMED, MESSAGE_UNKNOWN or BODY_INVALID."""
    data = raw.encode("utf-8", "surrogatepass") if isinstance(raw, str) else raw
    if len(data) > limits.WS_FRAME_BYTES:
        raise AppError(Code.BODY_TOO_LARGE, f"{len(data)} of {limits.WS_FRAME_BYTES} bytes")
    try:
        return _client.decode(data)
    except msgspec.ValidationError as exc:
        text = str(exc)
        code = Code.MESSAGE_UNKNOWN if "`$.type`" in text or "field `type`" in text else Code.BODY_INVALID
        raise AppError(code, text) from exc
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as exc:
        raise AppError(Code.BODY_MALFORMED) from exc


def is_signal(raw: bytes | str) -> bool:
    """Whether a message claims to be a signal (`peer.…`), before it is decoded whole; bytes that are nothing are none."""
    try:
        return _tagged.decode(raw).type.startswith("peer.")
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return False


def decode_server_message(raw: bytes | str) -> ServerMessage:
    """A message from the server, for clients written in Python. Raises msgspec.DecodeError."""
    return _server.decode(raw)


def request_id_of(raw: bytes | str) -> str | None:
    """The request id of a message that could not be decoded, so that even its error can be told apart."""
    data = raw.encode("utf-8", "surrogatepass") if isinstance(raw, str) else raw
    found = _REQUEST_ID.search(data[: limits.WS_FRAME_BYTES])
    return found.group(1).decode("ascii") if found else None
