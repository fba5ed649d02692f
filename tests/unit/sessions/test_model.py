"""What roles allow, who inherits, and how records are told."""

from dataclasses import replace

import pytest

from chalicelib.sessions.model import (
    MATRIX,
    PALETTE,
    Change,
    InviteRecord,
    ParticipantRecord,
    Permission,
    SessionRecord,
    allows,
    changed,
    color_of,
    heir_among,
    invite_id_of,
    parse_invite,
    require,
)
from chalicelib.wire.bodies import SessionSettings
from chalicelib.wire.codes import Code
from chalicelib.wire.errors import AppError
from chalicelib.wire.types import Environment, Role, SessionStatus, UserKind, Visibility

S = "ses_" + "a" * 20
RECORD = SessionRecord(
    session_id=S,
    name="Room",
    description="",
    visibility=Visibility.LINK,
    status=SessionStatus.ACTIVE,
    max_participants=5,
    settings=SessionSettings(),
    owner_id="ann",
    owners=frozenset({"ann"}),
    seats=frozenset({"ann", "bob"}),
    created_at_ms=1,
    updated_at_ms=2,
)
BOB = ParticipantRecord(
    session_id=S,
    user_id="bob",
    role=Role.VIEWER,
    name="Bob",
    color="#000000",
    kind=UserKind.GUEST,
    joined_at_ms=10,
    seated_at_ms=10,
)
INVITE = InviteRecord(
    session_id=S,
    invite_id="inv_" + "0" * 20,
    role=Role.EDITOR,
    created_by="ann",
    created_at_ms=1,
    expires_at_ms=1000,
    max_uses=2,
    used_by=frozenset({"bob", "cyd"}),
)

ALLOWED = {
    Role.GUEST: {"VIEW", "PRESENCE"},
    Role.VIEWER: {"VIEW", "PRESENCE", "SEE_ACTIVITY"},
    Role.EDITOR: {"VIEW", "PRESENCE", "SEE_ACTIVITY", "EDIT", "INVITE"},
    Role.OWNER: {p.name for p in Permission},
}


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("permission", Permission)
def test_matrix(role: Role, permission: Permission) -> None:
    """Each role has exactly the permissions that the design gives it."""
    assert allows(role, permission) is (permission.name in ALLOWED[role])


@pytest.mark.parametrize("permission", Permission)
def test_strangers_may_nothing(permission: Permission) -> None:
    """Who is no participant has no permission at all."""
    assert not allows(None, permission)
    with pytest.raises(AppError) as caught:
        require(None, permission)
    assert caught.value.code is Code.ROLE_INSUFFICIENT


def test_require_passes() -> None:
    """What is allowed raises nothing, and every role is in the matrix."""
    require(Role.OWNER, Permission.DELETE)
    assert set(MATRIX) == set(Role)


def test_color_is_of_the_palette_and_stays() -> None:
    """A person's colour is the same every time and comes from the palette."""
    colors = {color_of(f"user{i}") for i in range(200)}
    assert colors == set(PALETTE)
    assert color_of("ann") == color_of("ann")


def test_invite_code() -> None:
    """A code names its session, and its invite by the hash of the secret."""
    session_id, invite_id = parse_invite(f"{S}.{'s' * 22}")
    assert (session_id, invite_id) == (S, invite_id_of("s" * 22))
    assert invite_id.startswith("inv_")
    assert len(invite_id) == 24
    assert "s" * 8 not in invite_id


def test_ownership_outranks_the_item() -> None:
    """The set of owners decides who owns; the participant's own role is what lies beneath."""
    assert RECORD.role_of("ann", Role.GUEST) is Role.OWNER
    assert RECORD.role_of("ann", None) is Role.OWNER
    assert RECORD.role_of("bob", Role.VIEWER) is Role.VIEWER
    assert RECORD.role_of("zoe", None) is None


def test_session_is_told() -> None:
    """A session is told with the number of its seats and the asker's role."""
    told = RECORD.as_session(Role.VIEWER)
    assert (told.participant_count, told.role, told.version, told.owner_id) == (2, Role.VIEWER, 1, "ann")


def test_participant_is_told() -> None:
    """A participant is told with the role they really have."""
    assert BOB.as_participant(RECORD, online=True).role is Role.VIEWER
    owning = replace(RECORD, owners=frozenset({"bob"}))
    assert BOB.as_participant(owning, online=False).role is Role.OWNER


def test_pending_lapses() -> None:
    """Only who never had a seat lapses, at the moment their item expires."""
    pending = replace(BOB, expires_at_s=5)
    assert [pending.lapsed(4999), pending.lapsed(5000), BOB.lapsed(10**15)] == [False, True, False]


def test_invite_problems() -> None:
    """An invite fails when expired, and when used up by others."""
    assert INVITE.problem("bob", 999) is None
    assert INVITE.problem("dan", 999) is Code.INVITE_EXHAUSTED
    assert INVITE.problem(None, 999) is Code.INVITE_EXHAUSTED
    assert INVITE.problem("bob", 1000) is Code.INVITE_EXPIRED
    assert replace(INVITE, max_uses=3).problem("dan", 999) is None
    assert replace(INVITE, max_uses=None).problem("dan", 999) is None


def test_invite_is_told() -> None:
    """The uses of a bounded invite are people, of an unbounded one a count; the code appears only where given."""
    assert (INVITE.as_invite().uses, INVITE.as_invite().code) == (2, None)
    assert replace(INVITE, max_uses=None, use_count=7).as_invite("code").uses == 7
    assert INVITE.as_invite("code").code == "code"


def test_change_nothing() -> None:
    """A change of nothing moves only version and time."""
    assert changed(RECORD, Change(), 9) == replace(RECORD, version=2, updated_at_ms=9)


def test_change_everything() -> None:
    """A change replaces what it names."""
    settings = SessionSettings(environment=Environment.NIGHT)
    change = Change(
        name="New",
        description="d",
        visibility=Visibility.PUBLIC,
        max_participants=9,
        settings=settings,
        owner_id="bob",
        add_owner="bob",
        remove_owner="ann",
        free_seat="ann",
        ban="zoe",
    )
    after = changed(RECORD, change, 9)
    assert (after.name, after.description, after.visibility) == ("New", "d", Visibility.PUBLIC)
    assert (after.max_participants, after.settings, after.owner_id) == (9, settings, "bob")
    assert [set(s) for s in (after.owners, after.seats, after.banned)] == [{"bob"}, {"bob"}, {"zoe"}]


def test_description_can_be_emptied() -> None:
    """An empty description is a value, not an absence."""
    assert changed(replace(RECORD, description="d"), Change(description=""), 9).description == ""


def person(user_id: str, role: Role, joined_at_ms: int) -> ParticipantRecord:
    """A participant with what matters for inheriting."""
    return replace(BOB, user_id=user_id, role=role, joined_at_ms=joined_at_ms, kind=UserKind.ACCOUNT)


def test_heir_by_role_then_time() -> None:
    """Among the absent the highest role inherits, then the longest there, then the id decides."""
    viewer, late, early = person("v", Role.VIEWER, 1), person("l", Role.EDITOR, 9), person("e", Role.EDITOR, 5)
    assert heir_among([viewer, late, early], set()) == early
    assert heir_among([viewer, person("g", Role.GUEST, 0)], set()) == viewer
    assert heir_among([person("b", Role.GUEST, 1), person("a", Role.GUEST, 1)], set()) == person("a", Role.GUEST, 1)


def test_a_guest_who_is_away_inherits_nothing() -> None:
    """They may never come back, and then nobody could end the session; one who is there does inherit."""
    guest = replace(person("g", Role.EDITOR, 1), kind=UserKind.GUEST)
    assert heir_among([guest], set()) is None
    assert heir_among([guest, person("v", Role.VIEWER, 9)], set()) == person("v", Role.VIEWER, 9)
    assert heir_among([guest], {"g"}) == guest


def test_heir_prefers_the_connected() -> None:
    """Somebody who is there inherits before somebody of a higher role who is not."""
    there, away = person("v", Role.GUEST, 9), person("e", Role.EDITOR, 1)
    assert heir_among([there, away], {"v"}) == there
    assert heir_among([], {"v"}) is None
