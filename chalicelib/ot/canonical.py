"""The one way to write a value or a state down, the same in Python and in JavaScript, for hashes and sizes.

JSON without spaces; keys sorted by code point; numbers as ECMAScript's Number::toString has them (ECMA-262 section
6.1.6.1.20), which `normalise` in `validate` has made equal on both sides.
"""

from collections.abc import Mapping
from hashlib import sha256
from typing import Any

import msgspec

from chalicelib.ot.state import Entity

_encode = msgspec.json.Encoder().encode


def canonical(value: Any) -> str:
    """A JSON value's canonical text."""
    if isinstance(value, bool) or value is None:
        return {True: "true", False: "false", None: "null"}[value]
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return number_text(value)
    if isinstance(value, str):
        return _encode(value).decode()
    if isinstance(value, dict):
        return "{" + ",".join(f"{_encode(k).decode()}:{canonical(value[k])}" for k in sorted(value)) + "}"
    return "[" + ",".join(canonical(v) for v in value) + "]"


def number_text(value: float) -> str:
    """A finite number as JavaScript prints it."""
    if value == 0:
        return "0"
    sign, digits, exponent = _decimal(value)
    point = exponent + len(digits)  # value = 0.digits * 10^point
    if len(digits) <= point <= 21:
        return sign + digits + "0" * (point - len(digits))
    if 0 < point <= 21:
        return f"{sign}{digits[:point]}.{digits[point:]}"
    if -6 < point <= 0:
        return f"{sign}0.{'0' * -point}{digits}"
    mantissa = digits if len(digits) == 1 else f"{digits[0]}.{digits[1:]}"
    return f"{sign}{mantissa}e{'+' if point > 0 else '-'}{abs(point - 1)}"


def _decimal(value: float) -> tuple[str, str, int]:
    """Sign, the shortest digits that identify it, and the power of ten of the last one."""
    sign = "-" if value < 0 else ""
    mantissa, _, exponent = repr(abs(value)).partition("e")
    whole, _, fraction = mantissa.partition(".")
    digits = (whole + fraction).lstrip("0")
    power = int(exponent or 0) - len(fraction)
    kept = digits.rstrip("0")
    return sign, kept, power + len(digits) - len(kept)


def canonical_state(entities: Mapping[str, Entity]) -> str:
    """A state's canonical text. Entities are sorted by id."""
    parts = []
    for entity_id in sorted(entities):
        e = entities[entity_id]
        value = {"alive": e.alive, "order": e.order, "parent": e.parent, "props": e.props}
        parts.append(f"{canonical(entity_id)}:{canonical(value)}")
    return "{" + ",".join(parts) + "}"


def state_hash(entities: Mapping[str, Entity]) -> str:
    """SHA-256 of the canonical text, in hex: equal states, equal hashes, in both languages."""
    return sha256(canonical_state(entities).encode()).hexdigest()
