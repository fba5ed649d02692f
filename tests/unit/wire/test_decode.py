"""Decoding meets malformed bytes; only declared codes escape."""

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.wire import limits
from chalicelib.wire.bodies import ConfirmBody, CreateSession, GuestBody, TicketBody, UpdateCursor
from chalicelib.wire.codes import Code
from chalicelib.wire.decode import (
    decode_body,
    decode_client_message,
    decode_server_message,
    encode,
    is_signal,
    request_id_of,
)
from chalicelib.wire.errors import AppError
from chalicelib.wire.messages import Ping, Pong, PresenceUpdate
from chalicelib.wire.types import PersonName, SessionId, UserId
from chalicelib.wire.voice import StartRecording, VoiceChannelSettings

SESSION = "ses_" + "a" * 20


def body_code(raw: bytes | str, type_: type[Any] = CreateSession) -> Code:
    with pytest.raises(AppError) as refused:
        decode_body(raw, type_)
    return refused.value.code


def message_code(raw: bytes | str) -> Code:
    with pytest.raises(AppError) as refused:
        decode_client_message(raw)
    return refused.value.code


# -- bodies --


def test_a_valid_body_is_decoded_from_bytes_and_from_text() -> None:
    """API Gateway gives text; tests and the local system may give bytes."""
    expected = GuestBody(name="Ada")
    assert decode_body(b'{"name":"Ada"}', GuestBody) == expected
    assert decode_body('{"name":"Ada"}', GuestBody) == expected


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b" ",
        b"{",
        b"nonsense",
        b'{"name":"a"}x',
        b'{"name":"a",}',
        b"{'name':'a'}",
        b'\xef\xbb\xbf{"name":"a"}',
        b'{"name":"\xff\xfe"}',
        b'{"name":"\\ud800"}',
        b'{"name":"\\udc00\\ud800"}',
        b'{"name":"\xed\xa0\x80"}',
        b'{"name":NaN}',
        b'{"name":Infinity}',
        b'{"name":-Infinity}',
        b'{"name":01}',
        b'{"name":"\x00"}',
        "{\ud800}",
        '{"name":"\ud800"}',
    ],
)
def test_bytes_that_are_no_json_are_malformed(raw: bytes | str) -> None:
    """RFC 8259, strictly: no NaN, no surrogate, no control character, no trailing comma, no byte order mark."""
    assert body_code(raw) is Code.BODY_MALFORMED


@pytest.mark.parametrize(
    "raw",
    [
        "null",
        "[]",
        '"text"',
        "1",
        "{}",
        '{"name":null}',
        '{"name":1}',
        '{"name":""}',
        '{"name":"   "}',
        '{"name":"a\\n"}',
        '{"name":"a\\u0000b"}',
        '{"name":"%s"}' % ("n" * 121),
        '{"name":"a","extra":1}',
        '{"name":"a","__proto__":{}}',
        '{"name":"a","visibility":"secret"}',
        '{"name":"a","max_participants":0}',
        '{"name":"a","max_participants":501}',
        '{"name":"a","max_participants":1.5}',
        '{"name":"a","max_participants":true}',
        '{"name":"a","max_participants":"5"}',
        '{"name":"a","max_participants":1e400}',
        '{"name":"a","max_participants":123456789012345678901234567890}',
        '{"name":"a","settings":null}',
        '{"name":"a","settings":{"x":1}}',
    ],
)
def test_json_of_another_shape_is_invalid(raw: str) -> None:
    """Types, ranges, lengths, patterns and unknown keys are checked by decoding."""
    assert body_code(raw) is Code.BODY_INVALID


def test_a_refusal_says_where() -> None:
    """The path of the field, for a developer; never the value."""
    with pytest.raises(AppError) as refused:
        decode_body('{"name":"a","settings":{"default_role":"king"}}', CreateSession)
    assert "$.settings.default_role" in refused.value.message


def test_a_body_of_exactly_the_limit_passes_and_one_byte_more_does_not() -> None:
    """The bound is on bytes, and looked at before anything is parsed."""
    raw = b'{"name":"a"}'
    padded = raw + b" " * (limits.REST_BODY_BYTES - len(raw))
    assert decode_body(padded, CreateSession).name == "a"
    assert body_code(padded + b" ") is Code.BODY_TOO_LARGE
    assert body_code("ü" * (limits.REST_BODY_BYTES // 2 + 1)) is Code.BODY_TOO_LARGE


@pytest.mark.parametrize("opening", [b"[", b'{"a":', b'{"name":', b'{"settings":[', b'{"settings":{"environment":['])
def test_deep_nesting_is_refused_without_exhausting_the_stack(opening: bytes) -> None:
    """Every type is of fixed depth, so what is deeper is wrong at once."""
    raw = (opening * limits.REST_BODY_BYTES)[: limits.REST_BODY_BYTES]
    assert body_code(raw) in {Code.BODY_INVALID, Code.BODY_MALFORMED}


@pytest.mark.parametrize("number", ["1e400", "-1e400", "100001", "-100001", "null", '"1"', "[]"])
def test_a_coordinate_is_a_finite_number_of_the_world(number: str) -> None:
    """JSON has no infinity, but 1e400 would become one."""
    assert body_code(f'{{"position":[{number},0,0]}}', UpdateCursor) is Code.BODY_INVALID


@pytest.mark.parametrize(
    ("type_", "good"),
    [
        (SessionId, SESSION),
        (UserId, "gst_abc"),
        (PersonName, "Ada"),
    ],
)
def test_a_pattern_ends_where_the_text_ends(type_: Any, good: str) -> None:
    """A `$` alone would let a line feed follow (Python's `re`), and ids go into keys and logs."""
    assert msgspec.convert(good, type_) == good
    for tail in ("\n", "\r\n", "\n\n", " \n"):
        with pytest.raises(msgspec.ValidationError):
            msgspec.convert(good + tail, type_)


@pytest.mark.parametrize("type_", [GuestBody, CreateSession, VoiceChannelSettings, StartRecording])
@pytest.mark.parametrize("name", ["", " ", "   ", "\u3000\u2003", "a\nb", "Ada\u202e", "\u202dx", "\u2066", "a\u2069b"])
def test_a_name_is_seen_and_turns_nothing_round(type_: type[msgspec.Struct], name: str) -> None:
    """Of people, rooms, channels and recordings alike: no blanks alone, and nothing that reverses the text behind it."""
    decode_body(json.dumps({"name": "שלום Ada ☕"}), type_)
    with pytest.raises(AppError) as refused:
        decode_body(json.dumps({"name": name}), type_)
    assert refused.value.code is Code.BODY_INVALID


@pytest.mark.parametrize("code", ["12345\n", "123", "1234567890123", "12 34", "۱۲۳۴"])
def test_a_confirmation_code_is_ascii_letters_and_digits(code: str) -> None:
    """Between 4 and 12 of them."""
    raw = json.dumps({"email": "a@b.co", "code": code})
    assert body_code(raw, ConfirmBody) is Code.BODY_INVALID


@pytest.mark.parametrize(
    "email", ["", "a", "a@b", "@b.co", "a@", "a b@c.de", "a@b..co", "a@b.co\n", f"{'a' * 65}@b.co"]
)
def test_an_address_that_cannot_be_one_is_refused(email: str) -> None:
    """Before Cognito is asked."""
    assert body_code(json.dumps({"email": email, "code": "123456"}), ConfirmBody) is Code.BODY_INVALID


@given(st.binary(max_size=200) | st.text(max_size=200) | st.text(st.characters(codec=None), max_size=50))
def test_whatever_the_bytes_only_declared_codes_escape_a_body(raw: bytes | str) -> None:
    """No other exception, ever."""
    try:
        decode_body(raw, TicketBody)
    except AppError as exc:
        assert exc.code in {Code.BODY_MALFORMED, Code.BODY_INVALID}  # noqa: PT017 - either way is right


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["type", "id", "epoch", "counter", "state", "pose", "position", "at_ms", "protocol"])
            | st.text(max_size=5),
            inner,
            max_size=6,
        )
    ),
    max_leaves=20,
)


@given(JSON)
def test_whatever_the_json_only_declared_codes_escape_a_message(value: Any) -> None:
    """No other exception, ever."""
    try:
        decode_client_message(json.dumps(value))
    except AppError as exc:
        assert exc.code in {Code.BODY_MALFORMED, Code.BODY_INVALID, Code.MESSAGE_UNKNOWN}  # noqa: PT017


# -- messages --


def test_a_valid_message_is_decoded_from_bytes_and_from_text() -> None:
    """Its type is the tag."""
    assert decode_client_message(b'{"type":"ping","id":"1"}') == Ping(id="1")
    assert decode_client_message('{"type":"ping"}') == Ping()


@pytest.mark.parametrize(
    "raw", ["{}", '{"id":"1"}', '{"type":"nope"}', '{"type":5}', '{"type":null}', '{"type":"room.state"}']
)
def test_a_message_of_no_known_type_is_unknown(raw: str) -> None:
    """Also what only a server sends."""
    assert message_code(raw) is Code.MESSAGE_UNKNOWN


@pytest.mark.parametrize(
    "raw",
    [
        "[]",
        "null",
        '"ping"',
        '{"type":"ping","extra":1}',
        '{"type":"ping","id":""}',
        '{"type":"ping","id":"a b"}',
        '{"type":"ping","at_ms":-1}',
        '{"type":"ping","at_ms":9007199254740992}',
        '{"type":"ping","at_ms":1e400}',
        '{"type":"room.enter"}',
        '{"type":"room.enter","protocol":1,"epoch":"x"}',
        '{"type":"presence.update","epoch":1,"counter":1,"state":{"selection":"abc"}}',
        '{"type":"presence.update","epoch":1,"counter":1,"state":{"pose":{"position":[0,0],"rotation":[0,0,0,1]}}}',
    ],
)
def test_a_known_message_of_another_shape_is_invalid(raw: str) -> None:
    """As a body is."""
    assert message_code(raw) is Code.BODY_INVALID


@pytest.mark.parametrize("raw", [b"", b"{", b"\xff", b'{"type":"ping","id":"\\ud800"}', '{"type":"\ud800"}', "nope"])
def test_a_message_that_is_no_json_is_malformed(raw: bytes | str) -> None:
    """As a body is."""
    assert message_code(raw) is Code.BODY_MALFORMED


def test_a_message_of_exactly_the_frame_limit_passes_and_one_byte_more_does_not() -> None:
    """API Gateway's frame."""
    raw = b'{"type":"ping"}'
    padded = raw + b" " * (limits.WS_FRAME_BYTES - len(raw))
    assert decode_client_message(padded) == Ping()
    assert message_code(padded + b" ") is Code.BODY_TOO_LARGE


def test_a_selection_is_bounded() -> None:
    """SELECTION_MAX entities, no more."""
    state = {"selection": ["e"] * (limits.SELECTION_MAX + 1)}
    raw = json.dumps({"type": "presence.update", "epoch": 1, "counter": 1, "state": state})
    assert message_code(raw) is Code.BODY_INVALID
    state["selection"].pop()
    raw = json.dumps({"type": "presence.update", "epoch": 1, "counter": 1, "state": state})
    update = decode_client_message(raw)
    assert isinstance(update, PresenceUpdate)
    assert len(update.state.selection) == limits.SELECTION_MAX


def test_what_a_hand_holds_is_bounded() -> None:
    """DRAG_MAX things, each whole and finite."""
    held = {"id": "e", "position": [0, 1, 2], "rotation": [0, 0, 0, 1], "scale": [1, 1, 1]}
    state: dict[str, list[dict[str, object]]] = {"drag": [dict(held) for _ in range(limits.DRAG_MAX + 1)]}
    message = {"type": "presence.update", "epoch": 1, "counter": 1, "state": state}
    assert message_code(json.dumps(message)) is Code.BODY_INVALID
    state["drag"].pop()
    update = decode_client_message(json.dumps(message))
    assert isinstance(update, PresenceUpdate)
    assert len(update.state.drag) == limits.DRAG_MAX
    del state["drag"][0]["scale"]
    assert message_code(json.dumps(message)) is Code.BODY_INVALID


def test_a_server_message_is_decoded_for_clients_in_python() -> None:
    """The media node and the benchmarks read them."""
    pong = Pong(at_ms=1, server_time_ms=2)
    assert decode_server_message(encode(pong)) == pong
    with pytest.raises(msgspec.DecodeError):
        decode_server_message(b'{"type":"nope"}')


# -- request ids --


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (b'{"type":"nope","id":"r-1"}', "r-1"),
        ('{"id" : "r.2", "type": }', "r.2"),
        (b'{"id":5}', None),
        (b'{"id":"a b"}', None),
        (b'{"id":"' + b"a" * 65 + b'"}', None),
        (b"\xff\xfe", None),
        ("\ud800", None),
        (b"", None),
        (b" " * limits.WS_FRAME_BYTES + b'"id":"late"', None),
    ],
)
def test_a_request_id_is_found_in_what_cannot_be_decoded(raw: bytes | str, expected: str | None) -> None:
    """So that even the error of a broken message can be told apart by who sent it."""
    assert request_id_of(raw) == expected


@pytest.mark.parametrize(
    ("raw", "signal"),
    [
        ('{"type":"peer.offer","to":5}', True),
        (b'{"id":"a","type":"peer.anything"}', True),
        ('{"type":"ping"}', False),
        ('{"type":5}', False),
        ('{"to":"peer.offer"}', False),
        ("[" * 100_000, False),
        ("\ud800", False),
        (b"\xff\xfe", False),
        ("", False),
    ],
)
def test_a_signal_is_told_apart_before_it_is_decoded(raw: bytes | str, signal: bool) -> None:
    """By what it claims; nonsense is none, and nothing escapes."""
    assert is_signal(raw) is signal
