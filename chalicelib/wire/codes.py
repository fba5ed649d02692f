"""The table of error codes: what a client may be told, on every carrier.

A code is stable for ever; its message may be reworded. REST sends the status, the WebSocket sends the same
code in an `error` message. RFC 9110 gives the meaning of each status.
"""

from enum import StrEnum
from typing import Final


class Code(StrEnum):
    """Every error a client can see."""

    BODY_MALFORMED = "body.malformed"
    BODY_INVALID = "body.invalid"
    BODY_TOO_LARGE = "body.too_large"
    REQUEST_TOO_LARGE = "request.too_large"
    MEDIA_TYPE_UNSUPPORTED = "media_type.unsupported"
    QUERY_INVALID = "query.invalid"
    PATH_INVALID = "path.invalid"
    CURSOR_INVALID = "cursor.invalid"
    ROUTE_UNKNOWN = "route.unknown"
    METHOD_NOT_ALLOWED = "method.not_allowed"
    MESSAGE_UNKNOWN = "message.unknown"
    PROTOCOL_UNSUPPORTED = "protocol.unsupported"
    TOKEN_MISSING = "token.missing"  # noqa: S105 - a code, not a secret
    TOKEN_INVALID = "token.invalid"  # noqa: S105
    TOKEN_EXPIRED = "token.expired"  # noqa: S105
    TICKET_INVALID = "ticket.invalid"
    TICKET_USED = "ticket.used"
    IDENTITY_MISMATCH = "identity.mismatch"
    ROLE_INSUFFICIENT = "role.insufficient"
    GUESTS_CLOSED = "guests.closed"
    ACCOUNTS_CLOSED = "accounts.closed"
    CREDENTIALS_WRONG = "credentials.wrong"
    ACCOUNT_EXISTS = "account.exists"
    ACCOUNT_UNCONFIRMED = "account.unconfirmed"
    PASSWORD_WEAK = "password.weak"  # noqa: S105
    CONFIRMATION_WRONG = "confirmation.wrong"
    SESSION_UNKNOWN = "session.unknown"
    SESSION_ENDED = "session.ended"
    SESSION_FULL = "session.full"
    SESSION_SMALLER_THAN_OCCUPANCY = "session.smaller_than_occupancy"
    PARTICIPANT_UNKNOWN = "participant.unknown"
    PARTICIPANT_BANNED = "participant.banned"
    PARTICIPANT_NOT_JOINED = "participant.not_joined"
    OWNER_REQUIRED = "owner.required"
    INVITE_UNKNOWN = "invite.unknown"
    INVITE_EXPIRED = "invite.expired"
    INVITE_EXHAUSTED = "invite.exhausted"
    INVITE_LIMIT = "invite.limit"
    VERSION_CONFLICT = "version.conflict"
    CONNECTION_GONE = "connection.gone"
    CONNECTION_LIMIT = "connection.limit"
    DOCUMENT_UNKNOWN = "document.unknown"
    DOCUMENT_LIMIT = "document.limit"
    DOCUMENT_BUSY = "document.busy"
    DOCUMENT_TOO_LARGE = "document.too_large"
    SCENE_REQUIRED = "scene.required"
    REVISION_UNKNOWN = "revision.unknown"
    OPERATION_INVALID = "operation.invalid"
    BASE_AHEAD = "operation.base_ahead"
    BASE_TOO_OLD = "operation.base_too_old"
    BASE_BEHIND_OWN = "operation.base_behind_own"
    MILESTONE_LIMIT = "milestone.limit"
    LOCK_HELD = "lock.held"
    LOCK_LOST = "lock.lost"
    LOCK_LIMIT = "lock.limit"
    PEER_UNKNOWN = "peer.unknown"
    SDP_INVALID = "sdp.invalid"
    RELAY_REFUSED = "relay.refused"
    RELAY_FULL = "relay.full"
    CHANNEL_TOO_MUCH = "channel.too_much"
    VOICE_NOT_JOINED = "voice.not_joined"
    VOICE_REMOVED = "voice.removed"
    VOICE_FULL = "voice.full"
    VOICE_CHANNEL_UNKNOWN = "voice.channel_unknown"
    VOICE_CHANNEL_FULL = "voice.channel_full"
    VOICE_CHANNEL_LIMIT = "voice.channel_limit"
    VOICE_CHANNEL_FIXED = "voice.channel_fixed"
    VOICE_CHANNEL_INVALID = "voice.channel_invalid"
    VOICE_BLOCK_LIMIT = "voice.block_limit"
    RECORDING_UNKNOWN = "recording.unknown"
    RECORDING_UNDER_WAY = "recording.under_way"
    RECORDING_NOT_READY = "recording.not_ready"
    RECORDING_EMPTY = "recording.empty"
    RECORDING_LIMIT = "recording.limit"
    RATE_LIMITED = "rate.limited"
    UPSTREAM_UNAVAILABLE = "upstream.unavailable"
    INTERNAL = "internal"


STATUS: Final[dict[Code, int]] = {
    Code.BODY_MALFORMED: 400,
    Code.BODY_INVALID: 422,
    Code.BODY_TOO_LARGE: 413,
    Code.REQUEST_TOO_LARGE: 400,
    Code.MEDIA_TYPE_UNSUPPORTED: 415,
    Code.QUERY_INVALID: 400,
    Code.PATH_INVALID: 400,
    Code.CURSOR_INVALID: 404,
    Code.ROUTE_UNKNOWN: 404,
    Code.METHOD_NOT_ALLOWED: 405,
    Code.MESSAGE_UNKNOWN: 400,
    Code.PROTOCOL_UNSUPPORTED: 400,
    Code.TOKEN_MISSING: 401,
    Code.TOKEN_INVALID: 401,
    Code.TOKEN_EXPIRED: 401,
    Code.TICKET_INVALID: 401,
    Code.TICKET_USED: 401,
    Code.IDENTITY_MISMATCH: 403,
    Code.ROLE_INSUFFICIENT: 403,
    Code.GUESTS_CLOSED: 403,
    Code.ACCOUNTS_CLOSED: 503,
    Code.CREDENTIALS_WRONG: 401,
    Code.ACCOUNT_EXISTS: 409,
    Code.ACCOUNT_UNCONFIRMED: 409,
    Code.PASSWORD_WEAK: 422,
    Code.CONFIRMATION_WRONG: 403,
    Code.SESSION_UNKNOWN: 404,
    Code.SESSION_ENDED: 409,
    Code.SESSION_FULL: 409,
    Code.SESSION_SMALLER_THAN_OCCUPANCY: 409,
    Code.PARTICIPANT_UNKNOWN: 404,
    Code.PARTICIPANT_BANNED: 403,
    Code.PARTICIPANT_NOT_JOINED: 409,
    Code.OWNER_REQUIRED: 409,
    Code.INVITE_UNKNOWN: 404,
    Code.INVITE_EXPIRED: 409,
    Code.INVITE_EXHAUSTED: 409,
    Code.INVITE_LIMIT: 409,
    Code.VERSION_CONFLICT: 412,
    Code.CONNECTION_GONE: 410,
    Code.CONNECTION_LIMIT: 409,
    Code.DOCUMENT_UNKNOWN: 404,
    Code.DOCUMENT_LIMIT: 409,
    Code.DOCUMENT_BUSY: 503,
    Code.DOCUMENT_TOO_LARGE: 409,
    Code.SCENE_REQUIRED: 409,
    Code.REVISION_UNKNOWN: 404,
    Code.OPERATION_INVALID: 409,
    Code.BASE_AHEAD: 409,
    Code.BASE_TOO_OLD: 409,
    Code.BASE_BEHIND_OWN: 409,
    Code.MILESTONE_LIMIT: 409,
    Code.LOCK_HELD: 409,
    Code.LOCK_LOST: 409,
    Code.LOCK_LIMIT: 409,
    Code.PEER_UNKNOWN: 409,
    Code.SDP_INVALID: 422,
    Code.RELAY_REFUSED: 409,
    Code.RELAY_FULL: 503,
    Code.CHANNEL_TOO_MUCH: 429,
    Code.VOICE_NOT_JOINED: 409,
    Code.VOICE_REMOVED: 403,
    Code.VOICE_FULL: 409,
    Code.VOICE_CHANNEL_UNKNOWN: 404,
    Code.VOICE_CHANNEL_FULL: 409,
    Code.VOICE_CHANNEL_LIMIT: 409,
    Code.VOICE_CHANNEL_FIXED: 409,
    Code.VOICE_CHANNEL_INVALID: 409,
    Code.VOICE_BLOCK_LIMIT: 409,
    Code.RECORDING_UNKNOWN: 404,
    Code.RECORDING_UNDER_WAY: 409,
    Code.RECORDING_NOT_READY: 409,
    Code.RECORDING_EMPTY: 409,
    Code.RECORDING_LIMIT: 409,
    Code.RATE_LIMITED: 429,
    Code.UPSTREAM_UNAVAILABLE: 503,
    Code.INTERNAL: 500,
}

MESSAGE: Final[dict[Code, str]] = {
    Code.BODY_MALFORMED: "The body is not well-formed JSON.",
    Code.BODY_INVALID: "The body does not have the expected shape.",
    Code.BODY_TOO_LARGE: "The body is larger than allowed.",
    Code.REQUEST_TOO_LARGE: "The address and headers are larger than allowed.",
    Code.MEDIA_TYPE_UNSUPPORTED: "Send the body as application/json.",
    Code.QUERY_INVALID: "A query parameter is not valid.",
    Code.PATH_INVALID: "A path parameter is not valid.",
    Code.CURSOR_INVALID: "The pagination cursor is not one this listing gave out.",
    Code.ROUTE_UNKNOWN: "There is nothing at this address.",
    Code.METHOD_NOT_ALLOWED: "This address does not answer that method.",
    Code.MESSAGE_UNKNOWN: "There is no message of that type.",
    Code.PROTOCOL_UNSUPPORTED: "This protocol version is not served; reload the page.",
    Code.TOKEN_MISSING: "Send a bearer token.",
    Code.TOKEN_INVALID: "The token is not valid here.",
    Code.TOKEN_EXPIRED: "The token has expired.",
    Code.TICKET_INVALID: "The ticket is not valid; ask for another.",
    Code.TICKET_USED: "The ticket was used before; ask for another.",
    Code.IDENTITY_MISMATCH: "The user in the body is not the one the token names.",
    Code.ROLE_INSUFFICIENT: "Your role in this session does not allow that.",
    Code.GUESTS_CLOSED: "Guests need an invite here.",
    Code.ACCOUNTS_CLOSED: "Accounts are not configured here.",
    Code.CREDENTIALS_WRONG: "The e-mail address or the password is wrong.",
    Code.ACCOUNT_EXISTS: "There is an account with this e-mail address.",
    Code.ACCOUNT_UNCONFIRMED: "Confirm the e-mail address first.",
    Code.PASSWORD_WEAK: "The password does not meet the policy.",
    Code.CONFIRMATION_WRONG: "The confirmation code is wrong or has expired.",
    Code.SESSION_UNKNOWN: "There is no such session, or it is not open to you.",
    Code.SESSION_ENDED: "This session has ended.",
    Code.SESSION_FULL: "Every seat in this session is taken.",
    Code.SESSION_SMALLER_THAN_OCCUPANCY: "More people are inside than that many seats.",
    Code.PARTICIPANT_UNKNOWN: "There is no such participant in this session.",
    Code.PARTICIPANT_BANNED: "You were removed from this session.",
    Code.PARTICIPANT_NOT_JOINED: "Join the session first.",
    Code.OWNER_REQUIRED: "A session keeps at least one owner; name another first.",
    Code.INVITE_UNKNOWN: "There is no such invite.",
    Code.INVITE_EXPIRED: "This invite has expired.",
    Code.INVITE_EXHAUSTED: "This invite was used as often as it allows.",
    Code.INVITE_LIMIT: "This session has as many invites as it may have.",
    Code.VERSION_CONFLICT: "It was changed meanwhile; read it again.",
    Code.CONNECTION_GONE: "This connection is no longer part of the session.",
    Code.CONNECTION_LIMIT: "You have as many connections to this session as one person may have.",
    Code.DOCUMENT_UNKNOWN: "There is no such document, or it is not open to you.",
    Code.DOCUMENT_LIMIT: "This session has as many documents as it may have.",
    Code.DOCUMENT_BUSY: "Too many are writing to the document; send it again.",
    Code.DOCUMENT_TOO_LARGE: "The document is too large for one answer; read its operations instead.",
    Code.SCENE_REQUIRED: "A session keeps its scene as long as it lives.",
    Code.REVISION_UNKNOWN: "The document has no such revision.",
    Code.OPERATION_INVALID: "An operation breaks a rule of documents.",
    Code.BASE_AHEAD: "The transaction's base is a revision that does not exist.",
    Code.BASE_TOO_OLD: "Too much happened since the transaction's base; read the document anew and rebase.",
    Code.BASE_BEHIND_OWN: "The client's last transaction was made on a later base; read on from the base first.",
    Code.MILESTONE_LIMIT: "This document has as many milestones as it may have.",
    Code.LOCK_HELD: "Somebody else has locked that object.",
    Code.LOCK_LOST: "You do not hold that lock any more.",
    Code.LOCK_LIMIT: "This session has as many locks as it may have.",
    Code.PEER_UNKNOWN: "There is no such peer in this session, or it cannot be reached now.",
    Code.SDP_INVALID: "The session description is not one that can be answered.",
    Code.RELAY_REFUSED: "This media node does not serve that session.",
    Code.RELAY_FULL: "The media node has as many peers as it may have.",
    Code.CHANNEL_TOO_MUCH: "That is more than a data channel may carry; what is over is dropped.",
    Code.VOICE_NOT_JOINED: "Join voice first.",
    Code.VOICE_REMOVED: "You were removed from this room's voice.",
    Code.VOICE_FULL: "As many as can are in this room's voice.",
    Code.VOICE_CHANNEL_UNKNOWN: "There is no such voice channel.",
    Code.VOICE_CHANNEL_FULL: "The voice channel is full.",
    Code.VOICE_CHANNEL_LIMIT: "The room has as many voice channels as it may.",
    Code.VOICE_CHANNEL_FIXED: "The main voice channel stays, and has no zone.",
    Code.VOICE_CHANNEL_INVALID: "A voice channel cannot be like that.",
    Code.VOICE_BLOCK_LIMIT: "You block as many people as you may.",
    Code.RECORDING_UNKNOWN: "There is no such recording.",
    Code.RECORDING_UNDER_WAY: "Something is being recorded in this room; stop that first.",
    Code.RECORDING_NOT_READY: "The recording is not finished yet.",
    Code.RECORDING_EMPTY: "There is nothing in this recording.",
    Code.RECORDING_LIMIT: "The room has as many recordings as it may; delete one.",
    Code.RATE_LIMITED: "Too many requests; slow down.",
    Code.UPSTREAM_UNAVAILABLE: "A service this depends on did not answer; try again.",
    Code.INTERNAL: "Something went wrong on our side.",
}
