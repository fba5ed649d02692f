"""An index names one peer of one epoch, and is given again as late as possible."""

import pytest

from chalicelib.wire import limits
from chalicelib.wire.codes import Code
from chalicelib.wire.errors import AppError
from chalicelib.wire.signals import RosterMember
from media_node.roster import Roster

A, B = "ada.tab00001", "bob.tab00001"


def test_nobody_is_told_of_who_has_no_state_yet() -> None:
    """An index alone says nothing; with the first state it is told, once."""
    roster = Roster()
    assert (roster.join(A), roster.join(B), roster.join(A)) == (0, 1, 0)
    assert roster.changes() is None
    assert roster.begin(A, 7) == 0
    told = roster.changes()
    assert told is not None
    assert told.members == (RosterMember(index=0, peer_id=A, epoch=7),)
    assert (told.full, told.left) == (False, ())
    assert roster.changes() is None
    assert roster.full().members == told.members
    assert roster.full().full


def test_another_epoch_is_another_index() -> None:
    """The page was loaded anew: its counters begin anew."""
    roster = Roster()
    roster.join(A)
    roster.begin(A, 7)
    assert roster.begin(A, 7) == 0
    roster.changes()
    assert roster.begin(A, 9) == 1
    told = roster.changes()
    assert told is not None
    assert (told.left, told.members) == ((0,), (RosterMember(index=1, peer_id=A, epoch=9),))


def test_who_left_is_told_of_if_they_were_known() -> None:
    """Who came and went without a state never was."""
    roster = Roster()
    for peer_id in (A, B):
        roster.join(peer_id)
    roster.begin(A, 7)
    roster.leave(B)
    roster.leave(A)
    roster.leave(A)
    told = roster.changes()
    assert told is not None
    assert (told.members, told.left) == ((), (0,))
    assert roster.full().members == ()


def test_an_index_is_given_again_only_after_all_others() -> None:
    """What is late on the unordered channel is nobody else's."""
    roster = Roster()
    kept = roster.join("kept.tab00001")
    given = []
    for number in range(limits.RELAY_INDEX_MAX + 1):
        given.append(roster.join(f"p{number}.tab00001"))
        roster.leave(f"p{number}.tab00001")
    assert kept not in given
    assert len(set(given)) == limits.RELAY_INDEX_MAX
    assert given[0] == given[-1]


def test_a_roster_is_full_with_as_many_as_there_are_indices() -> None:
    """1024 of them."""
    roster = Roster()
    for number in range(limits.RELAY_INDEX_MAX + 1):
        roster.join(f"p{number}.tab00001")
    with pytest.raises(AppError) as refused:
        roster.join(A)
    assert refused.value.code is Code.RELAY_FULL
