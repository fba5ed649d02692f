"""Joining: what role it gives, what it needs, and what crashes and races leave."""

from chalicelib.sessions.joining import newcomer
from chalicelib.sessions.model import color_of, parse_invite
from chalicelib.sessions.ports import ATTEMPTS
from chalicelib.wire.bodies import CreateInvite, JoinBody, SessionSettings
from chalicelib.wire.codes import Code
from chalicelib.wire.types import Role, UserKind, Visibility
from tests.fakes.sessions import House, account, guest
from tests.unit.sessions.conftest import Refused

ANN, BOB = account("ann"), account("bob")


def invite(house: House, session_id: str, role: Role = Role.EDITOR, max_uses: int | None = None) -> JoinBody:
    """The body that joins by a new invite of ann's."""
    made = house.sessions.invites.create(session_id, ANN, CreateInvite(role=role, max_uses=max_uses))
    return JoinBody(invite=made.code)


def test_join_by_link(house: House) -> None:
    """Who has the link joins with the default role, under their own name and a colour of their own."""
    session_id = house.room(settings=SessionSettings(default_role=Role.VIEWER))
    joined = house.sessions.join(session_id, guest("gus"), JoinBody())
    person = joined.participant
    assert (person.role, person.name, person.color, person.kind) == (
        Role.VIEWER,
        "Gus",
        color_of("gus"),
        UserKind.GUEST,
    )
    assert (joined.session.participant_count, joined.session.role, person.online) == (2, Role.VIEWER, False)
    assert house.feed.entries[-1] == ("participant.joined", "gus")


def test_join_as_one_likes(house: House) -> None:
    """Name and colour may be chosen, and are kept and changed by joining again."""
    session_id = house.room()
    first = house.sessions.join(session_id, BOB, JoinBody(name="Bobby", color="#010203"))
    assert (first.participant.name, first.participant.color) == ("Bobby", "#010203")
    again = house.sessions.join(session_id, BOB, JoinBody(color="#040506"))
    assert (again.participant.name, again.participant.color) == ("Bobby", "#040506")
    assert again.participant.joined_at_ms == first.participant.joined_at_ms


def test_join_again_is_harmless(house: House) -> None:
    """Joining again takes no second seat and is no second entry in the feed."""
    session_id = house.room()
    house.enter(session_id, "bob")
    entries = list(house.feed.entries)
    house.connected.users = {"bob"}
    again = house.sessions.join(session_id, BOB, JoinBody())
    assert (again.session.participant_count, again.participant.online) == (2, True)
    assert house.feed.entries == entries


def test_owner_joins(house: House) -> None:
    """Who created a session takes a seat as its owner."""
    session_id = house.room()
    assert house.record(session_id).seats == {"ann"}
    assert house.sessions.join(session_id, ANN, JoinBody()).participant.role is Role.OWNER


def test_owner_without_an_item_joins(house: House) -> None:
    """An owner whose own item is missing gets it back."""
    session_id = house.room()
    house.repository.drop_participant(session_id, "ann")
    assert house.sessions.join(session_id, ANN, JoinBody()).participant.role is Role.OWNER
    code = invite(house, session_id, Role.VIEWER)
    house.repository.drop_participant(session_id, "ann")
    assert house.sessions.join(session_id, ANN, code).participant.role is Role.OWNER


def test_private_needs_an_invite(house: House, refused: Refused) -> None:
    """A private session lets in by invite, and again without, once one is a participant."""
    session_id = house.room(visibility=Visibility.PRIVATE)
    with refused(Code.SESSION_UNKNOWN):
        house.sessions.join(session_id, BOB, JoinBody())
    body = invite(house, session_id, Role.VIEWER)
    assert house.sessions.join(session_id, BOB, body).participant.role is Role.VIEWER
    house.sessions.release_seat(session_id, "bob")
    assert house.sessions.join(session_id, BOB, JoinBody()).participant.role is Role.VIEWER


def test_bound_guest_needs_their_invite_again(house: House, refused: Refused) -> None:
    """A token bound to a private session does not seat anyone without the invite itself."""
    session_id = house.room(visibility=Visibility.PRIVATE)
    with refused(Code.SESSION_UNKNOWN):
        house.sessions.join(session_id, guest("gus", session_id), JoinBody())
    body = invite(house, session_id)
    assert house.sessions.peek(str(body.invite)) == session_id
    assert house.sessions.join(session_id, guest("gus", session_id), body).participant.role is Role.EDITOR


def test_invite_outranks_default(house: House) -> None:
    """A newcomer with an invite gets its role, though the link alone would give more or less."""
    session_id = house.room(settings=SessionSettings(default_role=Role.EDITOR))
    assert house.sessions.join(session_id, BOB, invite(house, session_id, Role.GUEST)).participant.role is Role.GUEST


def test_better_role_wins(house: House) -> None:
    """An invite raises a participant's role and never lowers it; one that would not is not used up."""
    session_id = house.room(settings=SessionSettings(default_role=Role.VIEWER))
    house.enter(session_id, "bob")
    low, high = invite(house, session_id, Role.GUEST, 1), invite(house, session_id, Role.EDITOR, 1)
    assert house.sessions.join(session_id, BOB, low).participant.role is Role.VIEWER
    assert house.sessions.join(session_id, BOB, high).participant.role is Role.EDITOR
    uses = {i.role: i.uses for i in house.sessions.invites.list(session_id, ANN).invites}
    assert uses == {Role.GUEST: 0, Role.EDITOR: 1}


def test_demotion_outranks_old_invites(house: House) -> None:
    """An invite from before an owner gave somebody a lower role doesn't lift them again; a new one does."""
    session_id = house.room()
    old = invite(house, session_id, Role.EDITOR)
    house.give(session_id, "bob", Role.GUEST)
    assert house.sessions.join(session_id, BOB, old).participant.role is Role.GUEST
    house.clock.advance_s(1)
    new = invite(house, session_id, Role.EDITOR)
    assert house.sessions.join(session_id, BOB, new).participant.role is Role.EDITOR


def test_leaving_does_not_undo_a_demotion(house: House) -> None:
    """Whoever leaves or is removed comes back as what an owner made of them; a later invite still lifts them."""
    session_id = house.room(settings=SessionSettings(default_role=Role.EDITOR))
    old = invite(house, session_id, Role.EDITOR)
    house.give(session_id, "bob", Role.GUEST)
    house.sessions.people.leave(session_id, BOB)
    assert house.sessions.join(session_id, BOB, JoinBody()).participant.role is Role.GUEST
    house.sessions.people.remove(session_id, ANN, "bob", ban=False)
    assert house.sessions.join(session_id, BOB, old).participant.role is Role.GUEST
    house.clock.advance_s(1)
    new = invite(house, session_id, Role.VIEWER)
    assert house.sessions.join(session_id, BOB, new).participant.role is Role.VIEWER


def test_an_old_invite_does_not_lift_a_newcomer_later(house: House) -> None:
    """Coming back first as what everybody is, and only then with an invite from before the demotion, changes nothing."""
    session_id = house.room(settings=SessionSettings(default_role=Role.VIEWER))
    old = invite(house, session_id, Role.EDITOR)
    house.give(session_id, "bob", Role.VIEWER)
    house.sessions.people.leave(session_id, BOB)
    assert house.sessions.join(session_id, BOB, JoinBody()).participant.role is Role.VIEWER
    assert house.sessions.join(session_id, BOB, old).participant.role is Role.VIEWER


def test_leaving_does_not_keep_a_promotion(house: House) -> None:
    """Who was lifted and left comes back as a newcomer."""
    session_id = house.room(settings=SessionSettings(default_role=Role.VIEWER))
    house.give(session_id, "bob", Role.EDITOR)
    house.sessions.people.leave(session_id, BOB)
    assert house.sessions.join(session_id, BOB, JoinBody()).participant.role is Role.VIEWER


def test_bad_invites_of_newcomers(house: House, refused: Refused) -> None:
    """A newcomer is told what is wrong with their invite; of another session, it is none."""
    session_id, other = house.room(), house.room()
    used, revoked, old = (invite(house, session_id, max_uses=1) for _ in range(3))
    house.sessions.join(session_id, account("cyd"), used)
    with refused(Code.INVITE_EXHAUSTED):
        house.sessions.join(session_id, BOB, used)
    house.sessions.invites.revoke(session_id, ANN, parse_invite(str(revoked.invite))[1])
    with refused(Code.INVITE_UNKNOWN):
        house.sessions.join(session_id, BOB, revoked)
    with refused(Code.INVITE_UNKNOWN):
        house.sessions.join(other, BOB, old)
    house.clock.advance_s(8 * 86400)
    with refused(Code.INVITE_EXPIRED):
        house.sessions.join(session_id, BOB, old)


def test_bad_invites_of_participants(house: House, refused: Refused) -> None:
    """A participant whose invite is no longer good comes in by their membership; a failing database is not hidden."""
    session_id = house.room()
    body = invite(house, session_id)
    house.sessions.join(session_id, BOB, body)
    house.clock.advance_s(8 * 86400)
    assert house.sessions.join(session_id, BOB, body).participant.role is Role.EDITOR
    house.repository.down.add("invite")
    with refused(Code.UPSTREAM_UNAVAILABLE):
        house.sessions.join(session_id, BOB, body)


def test_banned_keeps_out_even_by_invite(house: House, refused: Refused) -> None:
    """A banned person comes in by no invite."""
    session_id = house.room()
    house.enter(session_id, "bob")
    body = invite(house, session_id)
    house.sessions.people.remove(session_id, ANN, "bob", ban=True)
    with refused(Code.PARTICIPANT_BANNED):
        house.sessions.join(session_id, BOB, body)


def test_refused_newcomers_leave_nothing(house: House, refused: Refused) -> None:
    """Who finds a room full is no participant of it."""
    session_id = house.room(max_participants=1)
    with refused(Code.SESSION_FULL):
        house.sessions.join(session_id, BOB, JoinBody())
    assert set(house.repository.people) == {(session_id, "ann")}
    assert ("participant.joined", "bob") not in house.feed.entries


def test_participants_survive_a_full_room(house: House, refused: Refused) -> None:
    """A participant who finds the room full stays one."""
    session_id = house.room(max_participants=2)
    house.enter(session_id, "bob")
    house.sessions.release_seat(session_id, "bob")
    house.enter(session_id, "cyd")
    with refused(Code.SESSION_FULL):
        house.sessions.join(session_id, BOB, JoinBody())
    assert (session_id, "bob") in house.repository.people


def test_join_crashed_before_the_seat(house: House) -> None:
    """A membership whose maker crashed before the seat lapses, unless they come back."""
    session_id = house.room()
    pending = newcomer(house.record(session_id), BOB, Role.EDITOR, JoinBody(), house.clock())
    house.repository.add_participant(pending, now_ms=house.clock())
    house.sessions.join(session_id, BOB, JoinBody())
    assert house.repository.people[session_id, "bob"].expires_at_s is None


def test_join_race_with_itself(house: House) -> None:
    """Two joins of one person at once both succeed, with one seat."""
    session_id = house.room()
    house.repository.before["add_participant"] = lambda: house.enter(session_id, "bob")
    joined = house.sessions.join(session_id, BOB, JoinBody())
    assert joined.session.participant_count == 2


def test_join_race_with_removal(house: House) -> None:
    """A participant who is removed between seat and confirmation starts over as a newcomer."""
    session_id = house.room()

    def removed_before_confirmation() -> None:
        house.repository.before["update_participant"] = lambda: house.repository.drop_participant(session_id, "bob")

    house.repository.before["take_seat"] = removed_before_confirmation
    assert house.sessions.join(session_id, BOB, JoinBody()).participant.user_id == "bob"
    assert house.repository.people[session_id, "bob"].expires_at_s is None


def test_join_race_with_demotion(house: House) -> None:
    """A role given at the same moment is not overwritten by an invite that is older."""
    session_id = house.room(settings=SessionSettings(default_role=Role.VIEWER))
    house.enter(session_id, "bob")
    body = invite(house, session_id)
    house.clock.advance_s(1)

    def demote() -> None:
        house.sessions.people.set_role(session_id, ANN, "bob", Role.GUEST)

    house.repository.before["update_participant"] = demote
    assert house.sessions.join(session_id, BOB, body).participant.role is Role.GUEST


def test_join_gives_up(house: House, refused: Refused) -> None:
    """Who is interfered with every time is asked to come again."""
    session_id = house.room()
    house.enter(session_id, "bob")

    def vanish() -> None:
        house.repository.drop_participant(session_id, "bob")
        house.repository.before["update_participant"] = vanish

    house.repository.before["update_participant"] = vanish
    with refused(Code.UPSTREAM_UNAVAILABLE):
        house.sessions.join(session_id, BOB, JoinBody())
    assert house.pauses == list(range(ATTEMPTS))


def test_session_ends_while_joining(house: House, refused: Refused) -> None:
    """Who joins while the session ends is told so, and leaves no membership."""
    session_id = house.room()
    house.repository.before["take_seat"] = lambda: house.sessions.delete(session_id, ANN)
    with refused(Code.SESSION_UNKNOWN):
        house.sessions.join(session_id, BOB, JoinBody())
    assert house.repository.people == {}
    session_id = house.room()
    house.repository.before["take_seat"] = lambda: house.repository.end(session_id, now_ms=house.clock())
    with refused(Code.SESSION_ENDED):
        house.sessions.join(session_id, BOB, JoinBody())


def test_banned_while_joining(house: House, refused: Refused) -> None:
    """Who is banned while joining gets no seat."""
    session_id = house.room()
    house.enter(session_id, "bob")
    house.repository.before["take_seat"] = lambda: house.sessions.people.remove(session_id, ANN, "bob", ban=True)
    with refused(Code.PARTICIPANT_BANNED):
        house.sessions.join(session_id, BOB, JoinBody())
    assert house.record(session_id).seats == {"ann"}
