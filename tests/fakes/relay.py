"""What a media node's rooms are tested with: states, links without a network."""

from chalicelib.wire.types import Pose, PresenceState, Vec3


def state_at(place: Vec3, *, padding: int = 0) -> PresenceState:
    """A state of somebody who stands there, so many bytes larger in a frame, about."""
    ids = tuple("x" * 50 for _ in range(padding // 53))
    return PresenceState(pose=Pose(position=place, rotation=(0.0, 0.0, 0.0, 1.0)), selection=ids)
