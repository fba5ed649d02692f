"""The real-time plane, as functions see it: which media node relays a room, and what its pages and nodes are told."""


class Peers:
    """Assigns rooms to media nodes."""
