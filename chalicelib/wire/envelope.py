"""What every message is: a tagged value of a closed union."""

from msgspec import Struct


class Message(Struct, frozen=True, forbid_unknown_fields=True, tag_field="type", kw_only=True):
    """What travels in one message, on whatever carrier."""
