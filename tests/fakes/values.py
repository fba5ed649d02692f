"""Hypothesis strategies for every wire type, made from the types themselves, so that none can be forgotten."""

import math
from functools import cache
from typing import Any

import msgspec
from hypothesis import strategies as st
from msgspec import inspect

_TEXT = st.characters(codec="utf-8")
_FLOAT_MAX = 1e6


@cache
def values(type_: Any) -> st.SearchStrategy[Any]:
    """Valid values of a type, as plain JSON data."""
    return _strategy(inspect.type_info(type_))


def _strategy(info: inspect.Type) -> st.SearchStrategy[Any]:
    match info:
        case inspect.Metadata():
            return _strategy(info.type)
        case inspect.StrType():
            return _text(info)
        case inspect.BoolType():
            return st.booleans()
        case inspect.NoneType():
            return st.none()
        case inspect.IntType():
            return st.integers(_or(info.ge, -(2**53)), _or(info.le, 2**53 - 1))
        case inspect.FloatType():
            low, high = _or(info.ge, -_FLOAT_MAX), _or(info.le, _FLOAT_MAX)
            return st.floats(low, high, allow_nan=False).filter(lambda f: math.copysign(1, f) > 0 or f != 0)
        case inspect.EnumType():
            return st.sampled_from([member.value for member in info.cls])
        case inspect.TupleType():
            return st.tuples(*(_strategy(item) for item in info.item_types)).map(list)
        case inspect.VarTupleType():
            return st.lists(
                _strategy(info.item_type), min_size=info.min_length or 0, max_size=min(4, _or(info.max_length, 4))
            )
        case inspect.DictType():
            return st.dictionaries(_strategy(info.key_type), _strategy(info.value_type), max_size=3)
        case inspect.AnyType():
            return st.one_of(st.none(), st.booleans(), st.integers(-9, 9), st.text(_TEXT, max_size=5))
        case inspect.UnionType():
            return st.one_of(*(_strategy(t) for t in info.types if not _is_unset(t)))
        case inspect.StructType():
            return _struct(info)
    raise AssertionError(f"no strategy for {info!r}")


def _text(info: inspect.StrType) -> st.SearchStrategy[str]:
    low, high = info.min_length or 0, info.max_length or 256
    if info.pattern is None:
        return st.text(_TEXT, min_size=low, max_size=min(high, low + 40))
    return st.from_regex(info.pattern, alphabet=_TEXT).filter(lambda s: low <= len(s) <= high and not s.endswith("\n"))


def _struct(info: inspect.StructType) -> st.SearchStrategy[dict[str, Any]]:
    required = {f.encode_name: _strategy(f.type) for f in info.fields if f.required}
    optional = {f.encode_name: _strategy(f.type) for f in info.fields if not f.required}
    tag = {info.tag_field: st.just(info.tag)} if info.tag_field else {}
    return st.fixed_dictionaries({**tag, **required}, optional=optional)


def _is_unset(info: inspect.Type) -> bool:
    return isinstance(info, inspect.CustomType) and info.cls is msgspec.UnsetType


def _or(value: Any, default: Any) -> Any:
    return default if value is None else value
