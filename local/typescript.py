"""The wire definitions as TypeScript: aliases, enums, interfaces, tagged unions, limits and the table of codes.

Pure text from types. A field with a default may be absent on the wire (a frame leaves out its empty lists), so it is
optional; a message carries its tag as a literal `type`, which makes the unions discriminated. The layout is
the one that the formatter of `web/` would choose, so that generated and written code pass the same check.
"""

import inspect
import json
import re
from enum import Enum
from types import ModuleType, NoneType, UnionType
from typing import Annotated, Any, Final, Literal, Union, get_args, get_origin

import msgspec

from chalicelib.wire import (
    PROTOCOL_VERSION,
    bodies,
    codes,
    documents,
    limits,
    messages,
    operations,
    peers,
    signals,
    types,
    voice,
)

_HEAD: Final = """// Generated from chalicelib/wire by `python -m local.generate`. Do not edit.

export const PROTOCOL_VERSION = {version};
"""
_WIDTH: Final = 110
_SERVER_ONLY: Final = frozenset({"Delivery"})
_IDENTIFIER: Final = re.compile(r"^[A-Za-z_$][A-Za-z0-9_$]*$")
_BEFORE: Final = {operations: (types,), documents: (types, operations), peers: (types,), voice: (types, peers)}
"""Modules whose aliases another one imports."""
_ALIASED: Final = (types, operations, documents, peers, voice)
_PLAIN: Final[dict[Any, str]] = {
    str: "string",
    int: "number",
    float: "number",
    bool: "boolean",
    NoneType: "null",
    Any: "unknown",
}


def typescript() -> str:
    """All of it, one module."""
    parts = [_HEAD.format(version=PROTOCOL_VERSION)]
    parts += _aliases(types)
    parts += [*_aliases(operations), *_aliases(documents), *_aliases(peers), *_aliases(voice)]
    for module in (types, operations, documents, peers, voice, codes):
        parts += [_enum(found) for found in _classes(module, Enum) if found.__name__ not in _SERVER_ONLY]
    for module in (types, operations, documents, peers, signals, voice, bodies, messages):
        parts += [_interface(found) for found in _classes(module, msgspec.Struct) if msgspec.structs.fields(found)]
    parts.append(_union("Operation", operations.Operation))
    parts.append(_union("PublicOperation", documents.PublicOperation))
    parts += [_union(name, getattr(messages, name)) for name in ("ClientMessage", "ServerMessage")]
    parts.append(_union("Signal", signals.Signal))
    parts += [_limits(limits), _codes()]
    return "\n".join(parts)


def _classes(module: ModuleType, base: type) -> list[Any]:
    """The subclasses that a module itself defines, in the order of its text."""
    return [
        value
        for value in vars(module).values()
        if inspect.isclass(value) and issubclass(value, base) and value.__module__ == module.__name__
    ]


# -- declarations --


def _aliases(module: ModuleType) -> list[str]:
    lines = []
    for name, value in vars(module).items():
        if name.startswith("_") or (get_origin(value) is not Annotated and get_origin(value) is not tuple):
            continue
        if any(getattr(other, name, None) is value for other in _BEFORE.get(module, ())):
            continue
        lines.append(_doc(_description(value)) + f"export type {name} = {_type(value, aliased=False)};\n")
    return lines


def _enum(enum: type[Enum]) -> str:
    return _doc(enum.__doc__) + _declare(enum.__name__, [json.dumps(member.value) for member in enum])


def _union(name: str, union: Any) -> str:
    return _declare(name, [_name(member) for member in get_args(union)])


def _declare(name: str, members: list[str]) -> str:
    line = f"export type {name} = {' | '.join(members)};\n"
    if len(line) <= _WIDTH + 1:
        return line
    return f"export type {name} =\n" + "\n".join(f"  | {member}" for member in members) + ";\n"


def _name(found: type[Any]) -> str:
    """An operation's name says so: `Set` alone would be JavaScript's own."""
    return f"{found.__name__}Operation" if found in get_args(operations.Operation) else found.__name__


def _interface(struct: type[msgspec.Struct]) -> str:
    lines = [_doc(struct.__doc__) + f"export interface {_name(struct)} {{"]
    tag = struct.__struct_config__.tag
    if tag is not None:
        lines.append(f"  {struct.__struct_config__.tag_field}: {json.dumps(tag)};")
    for field in msgspec.structs.fields(struct):
        described = _description(field.type) if _alias_of(field.type) is None else None
        mark = "" if field.required else "?"
        lines.append(_doc(described, indent="  ") + f"  {field.encode_name}{mark}: {_type(field.type)};")
    return "\n".join([*lines, "}\n"])


def _limits(module: ModuleType) -> str:
    rows = [f"  {name}: {_number(value)}," for name, value in vars(module).items() if name.isupper()]
    return "\n".join([_doc(module.__doc__) + "export const LIMITS = {", *rows, "} as const;\n"])


def _codes() -> str:
    lines = [_doc(codes.__doc__) + "export const CODES: Record<Code, { status: number; message: string }> = {"]
    for code in codes.Code:
        key = code.value if _IDENTIFIER.match(code.value) else json.dumps(code.value)
        row = f"  {key}: {{ status: {codes.STATUS[code]}, message: {json.dumps(codes.MESSAGE[code])} }},"
        if len(row) > _WIDTH:
            message = json.dumps(codes.MESSAGE[code])
            row = f"  {key}: {{\n    status: {codes.STATUS[code]},\n    message: {message},\n  }},"
        lines.append(row)
    return "\n".join([*lines, "};\n"])


# -- types --


def _type(found: Any, *, aliased: bool = True) -> str:
    alias = _alias_of(found) if aliased else None
    if alias is not None:
        return alias
    if found == operations.Operation:
        return "Operation"
    if found == documents.PublicOperation:
        return "PublicOperation"
    if found in _PLAIN:
        return _PLAIN[found]
    origin, arguments = get_origin(found), get_args(found)
    if origin is Annotated:
        return _type(arguments[0])
    if origin in {Union, UnionType}:
        return " | ".join(_type(member) for member in arguments if member is not msgspec.UnsetType)
    if origin is Literal:
        return " | ".join(json.dumps(value) for value in arguments)
    if origin is tuple and arguments[-1] is Ellipsis:
        return f"readonly {_element(arguments[0])}[]"
    if origin is tuple:
        return f"readonly [{', '.join(_type(member) for member in arguments)}]"
    if origin is dict:
        return f"Record<{_type(arguments[0])}, {_type(arguments[1])}>"
    if inspect.isclass(found) and issubclass(found, (msgspec.Struct, Enum)):
        return _name(found)
    raise TypeError(f"no TypeScript is known for {found!r}")


def _element(found: Any) -> str:
    text = _type(found)
    return f"({text})" if " " in text else text


def _alias_of(found: Any) -> str | None:
    """The public name that `wire.types` gives to an annotated type or tuple."""
    if get_origin(found) not in {Annotated, tuple}:
        return None
    for name, value in (item for module in _ALIASED for item in vars(module).items()):
        if not name.startswith("_") and get_origin(value) is get_origin(found) and value == found:
            return name
    return None


def _description(found: Any) -> str | None:
    if get_origin(found) is not Annotated:
        return None
    return next((m.description for m in found.__metadata__ if isinstance(m, msgspec.Meta) and m.description), None)


def _number(value: float) -> str:
    return str(int(value)) if float(value).is_integer() else repr(value)


def _doc(text: str | None, *, indent: str = "") -> str:
    if not text:
        return ""
    words = " ".join(inspect.cleandoc(text).split("\n\n")[0].split())
    return f"{indent}/** {words} */\n"
