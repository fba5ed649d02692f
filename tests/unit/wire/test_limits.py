"""The bounds agree with one another and with the platform's quotas."""

from chalicelib.wire import limits


def test_every_limit_is_a_positive_number() -> None:
    """A bound of nothing is a mistake."""
    named = {name: value for name, value in vars(limits).items() if name.isupper()}
    assert len(named) > 40
    assert [name for name, value in named.items() if not isinstance(value, int | float) or value <= 0] == []


def test_the_carriers_are_within_api_gateways_quotas() -> None:
    """32 KB a frame, 128 KB a message, 10 minutes idle, 2 hours, 29 s an integration."""
    assert limits.WS_FRAME_BYTES <= 32 * 1024
    assert limits.WS_FRAME_BYTES < limits.FRAME_TARGET_BYTES < limits.WS_MESSAGE_BYTES <= 128 * 1024
    assert limits.PING_INTERVAL_S < limits.WS_IDLE_S <= 600
    assert limits.WS_LIFETIME_S <= 7200
    assert limits.BROADCAST_LONGEST_S + limits.POST_TIMEOUT_S < limits.INTEGRATION_TIMEOUT_S <= 29
    assert limits.REST_BODY_BYTES <= 10 * 1024 * 1024


def test_lives_are_ordered() -> None:
    """A ticket is shorter than a guest token, that than its refresh; a peer outlives two lost pings."""
    assert limits.CLOCK_SKEW_S < limits.TICKET_TTL_S < limits.GUEST_TOKEN_TTL_S < limits.GUEST_REFRESH_TTL_S
    assert limits.TICKET_BURNT_S > 2 * limits.CLOCK_SKEW_S
    assert limits.IDENTITY_REMEMBERED_S <= limits.GUEST_TOKEN_TTL_S
    assert limits.PRESENCE_TTL_S > 2 * limits.PING_INTERVAL_S
    assert limits.BROADCAST_LEASE_MS > 2 * limits.TICK_MS
    assert limits.LEAVE_GRACE_S < limits.SEAT_GRACE_S


def test_rates_leave_room_for_the_nominal_presence() -> None:
    """A page that keeps to PRESENCE_HZ is never limited."""
    assert limits.TICK_MS * limits.PRESENCE_HZ == 1000
    assert limits.MESSAGE_REFILL_PER_S >= limits.PRESENCE_HZ
    assert limits.MESSAGE_BURST >= limits.PRESENCE_HZ


def test_defaults_are_within_their_maxima() -> None:
    """What one gets without asking is allowed."""
    assert limits.PARTICIPANTS_DEFAULT <= limits.PARTICIPANTS_MAX
    assert limits.INVITE_TTL_DEFAULT_S <= limits.INVITE_TTL_MAX_S
    assert limits.PAGE_DEFAULT <= limits.PAGE_MAX
    assert limits.PASSWORD_CHARS_MIN < limits.PASSWORD_CHARS
