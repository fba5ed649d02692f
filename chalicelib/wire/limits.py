"""Every bound of the system, named, with its unit and its source."""

from typing import Final

# -- carriers: API Gateway quotas ("Quotas for configuring and running a WebSocket API", AWS documentation) --
WS_FRAME_BYTES: Final = 32 * 1024
WS_MESSAGE_BYTES: Final = 128 * 1024
WS_IDLE_S: Final = 600
WS_LIFETIME_S: Final = 7200
INTEGRATION_TIMEOUT_S: Final = 29
REST_BODY_BYTES: Final = 256 * 1024  # ours; API Gateway's own limit is 10 MB and no route needs it
REQUEST_HEAD_BYTES: Final = 10_240  # request line and header values together (API Gateway quotas for REST APIs)
FRAME_TARGET_BYTES: Final = 100 * 1024  # a presence frame is split before it reaches WS_MESSAGE_BYTES

# -- identity --
TICKET_TTL_S: Final = 30  # DESIGN "Identity"
GUEST_TOKEN_TTL_S: Final = 3600
GUEST_REFRESH_TTL_S: Final = 30 * 86400
JWKS_REFETCH_S: Final = 60  # an unknown key id makes us ask the issuer again at most this often
JWKS_RETRY_S: Final = 5  # an issuer that did not answer is asked again at most this often
JWKS_AGE_S: Final = 3600  # a key that the issuer withdrew is trusted no longer than this
JWKS_BYTES: Final = 64 * 1024
JWKS_TIMEOUT_S: Final = 3
IDENTITIES_REMEMBERED: Final = 2048  # verified bearer tokens a container keeps, by hash
IDENTITY_REMEMBERED_S: Final = 300  # and for how long at most: a withdrawn key stops working within it
TICKET_BURNT_S: Final = 600  # a used ticket is remembered so much longer than it lives: clocks differ
CLOCK_SKEW_S: Final = 5
NAME_CHARS: Final = 64
EMAIL_CHARS: Final = 128  # Cognito: the address is the username (RFC 5321 allows 254)
PASSWORD_CHARS_MIN: Final = 10  # length is the policy (NIST SP 800-63B section 5.1.1.2: no composition rules)
PASSWORD_CHARS: Final = 256  # Cognito
TOKEN_CHARS: Final = 8192

# -- sessions --
SESSION_NAME_CHARS: Final = 120
DESCRIPTION_CHARS: Final = 2000
PARTICIPANTS_DEFAULT: Final = 50
PARTICIPANTS_MAX: Final = 500
INVITES_PER_SESSION: Final = 100
INVITE_TTL_DEFAULT_S: Final = 7 * 86400
INVITE_TTL_MAX_S: Final = 90 * 86400
INVITE_USES_MAX: Final = 500
BANS_PER_SESSION: Final = 2000
FORMER_ROLE_S: Final = 90 * 86400  # a role that an owner gave is remembered so long after its holder left
PAGE_DEFAULT: Final = 50
PAGE_MAX: Final = 100
CURSOR_CHARS: Final = 1024
SEAT_GRACE_S: Final = 60  # a seat taken but not (or no longer) connected may be given to another after this

# -- documents (docs/ot.md) --
PATH_DEPTH: Final = 3  # DESIGN "Documents": paths are at most 3 deep
PATH_KEY_CHARS: Final = 64
VALUE_DEPTH: Final = 6  # lists and objects within each other
VALUE_BYTES: Final = 16 * 1024  # of canonical JSON; bigger things are assets
TEXT_CHARS: Final = 20_000  # code points inserted in one go
TEXT_PARTS: Final = 400  # skips, insertions and deletions of one submitted edit
OPERATIONS_PER_TRANSACTION: Final = 256
TRANSACTION_BYTES: Final = (
    120 * 1024
)  # as JSON: a record may hold it twice (as sent, as it took effect) and fit an item
DOCUMENTS_PER_SESSION: Final = 100
MILESTONES_PER_DOCUMENT: Final = 1000
SNAPSHOT_EVERY: Final = 500  # revisions between snapshots: what opening a document replays at most, about
SNAPSHOT_BYTES: Final = 5 * 1024 * 1024  # of JSON in one answer; a function's answer is at most 6 MB (Lambda quotas)
HISTORY_LOOKED_THROUGH: Final = 2000  # revisions that one page of history reads at most
INBOX_TTL_S: Final = 300  # a submission that nobody drained is forgotten; its client has sent it again by then
DRAIN_TICK_MS: Final = 40  # a busy document's submissions are committed and told so often,
DRAIN_TICK_PER_LISTENER_MS: Final = 2  # or less often where many are to be told: that is what costs
DRAIN_TICK_MAX_MS: Final = 150
DRAIN_LEASE_MS: Final = 1000
LOCK_TTL_S: Final = 30
LOCK_TTL_MAX_S: Final = 300
LOCKS_PER_SESSION: Final = 500
COMMIT_BATCH: Final = 100  # submissions that are settled together
COMMIT_ATTEMPTS: Final = 12  # lost races before the submitter is told to come again
COMMIT_BACKOFF_S: Final = 0.004  # times a random factor, doubled each time up to 32 times
LOG_ITEM_BYTES: Final = 256 * 1024  # of records in one item of the log; DynamoDB's limit is 400 KB
LOG_PAGE: Final = 500  # records read at once
PIPELINED: Final = 64  # a client's own commits that its next one may have been made on without having heard of them
TAIL_RECORDS: Final = 2000  # newest records that a container keeps of a document
TAILS_KEPT: Final = 200  # documents whose tails a container keeps
REBASE_RECORDS: Final = 5000  # a base may be so far behind the head
INTEGER_MAX: Final = 2**53 - 1  # what JavaScript counts exactly

# -- presence on the WebSocket carrier --
PRESENCE_HZ: Final = 5  # DESIGN law 2: <= 5 Hz, merged per tick
TICK_MS: Final = 200
MESSAGE_BURST: Final = 40  # messages a connection may send at once before it is limited
MESSAGE_REFILL_PER_S: Final = 30  # presence at PRESENCE_HZ, pings, and a submission an acknowledgement
VIOLATIONS_MAX: Final = 50  # refused messages within VIOLATION_WINDOW_S before an abusive connection is closed
VIOLATION_WINDOW_S: Final = 60
PRESENCE_TTL_S: Final = 60  # without a message for so long, a peer is gone
PING_INTERVAL_S: Final = 20
LEAVE_GRACE_S: Final = 5  # a dropped connection may resume this long before the others are told
PEERS_PER_USER: Final = 8
SELECTION_MAX: Final = 64
DRAG_MAX: Final = 32  # things in one hand that the others see move: 5 KB of a frame
ENTITY_ID_CHARS: Final = 64
WORLD_M: Final = 100_000.0  # positions lie within +- this many metres
REST_CURSOR_PER_S: Final = 10
BROADCAST_LEASE_MS: Final = 2000
BROADCAST_LONGEST_S: Final = 24  # below INTEGRATION_TIMEOUT_S
POST_TIMEOUT_S: Final = 2.0

# -- WebRTC: signalling --
MESH_MAX: Final = 6  # pages in a room that are all connected to each other; above, a media node relays (DESIGN)
MESH_LEAVE: Final = 4  # and so few before a room that has a relay goes back: nothing flaps between the two
SDP_CHARS: Final = 16 * 1024
CANDIDATE_CHARS: Final = 512
CANDIDATES_PER_MESSAGE: Final = 16
SIGNAL_BURST: Final = 120  # signals a connection may send at once: offers and candidates to a whole mesh
SIGNAL_REFILL_PER_S: Final = 20
RELAY_REQUEST_PER_S: Final = 1
NODE_SIGNAL_BURST: Final = 2000  # a media node's: it answers several hundred pages that come again at once
NODE_SIGNAL_PER_S: Final = 500
ICE_TTL_S: Final = 3600  # of TURN credentials (draft-uberti-behave-turn-rest); a page asks anew before
LINKS_REPORTED: Final = 16
JOIN_BURST: Final = 32  # pages of one person that join or leave at once, by REST: everybody is told of each,
JOIN_REFILL_PER_S: Final = 2  # and on
QUALITY_REPORT_S: Final = 30
QUALITY_BURST: Final = 16  # reports of one person at once: PEERS_PER_USER pages, and again,
QUALITY_REFILL_PER_S: Final = 1  # and on
QUALITY_KEPT_S: Final = 120  # a page's newest report
QUALITY_HOURS_KEPT_S: Final = 30 * 86400
QUALITY_HOURS_SHOWN: Final = 24
COVERED_UPDATE_S: Final = 10  # a page whose state all others get by a channel keeps its row fresh so often

# -- WebRTC: media nodes --
NODE_TOKEN_TTL_S: Final = 30
NODE_BEAT_S: Final = 1
NODE_LOST_S: Final = 4  # without a heartbeat for so long, a node's rooms are given to another
NODE_GIVEN_S: Final = 5  # after so long a node's own row says who has come of a room that it was given
NODE_ROW_TTL_S: Final = 300
RELAY_KEEP_S: Final = 30  # a room that has become small keeps its relay so long: it may grow again
RELAY_LOOK_S: Final = 10  # whether a room's relay is still right is looked at so often, as its pages ping
RELAY_ROW_TTL_S: Final = 90 * 86400
NODE_PEERS_MAX: Final = 400  # a worker's capacity, unless its settings say otherwise
NODE_ROOMS_MAX: Final = 400
NODE_RENEW_S: Final = 6900  # the next WebSocket is opened before WS_LIFETIME_S ends the old one
NODE_IDLE_S: Final = 300  # a node without rooms stops after this, unless its settings say otherwise
NODE_START_S: Final = 90  # a task that was asked for is waited for so long before another is asked for
DRAIN_S: Final = 10  # between SIGTERM and the end: clients come again elsewhere

# -- WebRTC: the relay's channels (docs/webrtc.md) --
PRESENCE_CHANNEL: Final = 1  # SCTP stream ids: both sides make these channels, negotiated out of band
CONTROL_CHANNEL: Final = 2
CHANNEL_MESSAGE_BYTES: Final = 32 * 1024  # up, on the control channel: the WebSocket's own, so that both carry the same
PRESENCE_MESSAGE_BYTES: Final = 8 * 1024  # up, on the presence channel
RELAY_HZ: Final = 20
MESH_HZ: Final = 20
RELAY_INDEX_MAX: Final = 1023
RELAY_FRAME_BYTES: Final = 2300  # a listener's frame in a tick: two SCTP packets; nearest and speaking first
RELAY_FRAME_BYTES_MIN: Final = 600  # and at least, for whose network is bad: some thirty who walk
RELAY_PART_BYTES: Final = 1150  # of a frame in one message, which is one packet: what is lost loses no more
RELAY_REFRESH_S: Final = 1  # what did not change is told again after so long, for the channel may lose frames,
RELAY_REFRESH_MAX_S: Final = 4  # and then after twice as long each time, but so often at least
RELAY_BUFFER_BYTES: Final = (
    4 * 1024
)  # waiting on a listener's presence channel: it gets no more frames until it is less
CONTROL_BUFFER_BYTES: Final = 4 * 1024 * 1024  # waiting on a listener's control channel: it is let go, and comes again
CHANNEL_BURST: Final = 120  # messages of one peer at once on its channels,
CHANNEL_REFILL_PER_S: Final = 60  # and on: presence at RELAY_HZ, operations at 20 Hz, and some
CHANNEL_BYTES_PER_S: Final = 128 * 1024
CHANNEL_BYTES_BURST: Final = 256 * 1024
CHANNEL_FETCH_BURST: Final = 20  # `doc.fetch` of one peer at once: each reads and sends up to FRAME_TARGET_BYTES,
CHANNEL_FETCH_PER_S: Final = 5  # and on
LINK_DATAGRAMS_PER_S: Final = 4000  # of one peer, acknowledgements too; what is over is dropped unread,
LINK_BUSY_S: Final = 0.25  # and so is what comes once that peer alone has kept the node busy for so much of a second
LINK_CHECKS_PER_S: Final = 200  # ICE checks of one peer (a browser makes 21 while it connects, RFC 8445 allows 50)
OFFER_BURST: Final = 8  # offers of one page that another, or a node, takes at once: a connection each,
OFFER_REFILL_PER_S: Final = 0.5  # and on; what is over is dropped, and an honest one is sent again
FRAME_POSITION_M: Final = 0.001  # quantisation of positions in frames: error at most half of it
FRAME_ROTATION_RAD: Final = 0.005  # greatest error of a rotation in frames (smallest three, 10 bits each)
RELAY_BRIDGE_HZ: Final = 5  # what who is on the WebSocket alone is told of the relay's peers
RELAY_GATHER_MS: Final = 8  # what arrives within it is committed by one append;
RELAY_GATHER_PER_LISTENER_MS: Final = 0.4  # within longer where many are to be told: that is what costs,
RELAY_GATHER_MAX_MS: Final = 40  # at most
RELAY_LEASE_MS: Final = 3000
RELAY_LINGER_MS: Final = 5000  # a document that is quiet for so long goes back to the functions
CONSENT_S: Final = 30  # RFC 7675: without an authenticated check for so long, nothing more is sent

# -- voice (docs/voice.md) --
VOICE_SLOTS: Final = 4  # speakers that a relay sends a listener at once
VOICE_NAME_CHARS: Final = 64
VOICE_CHANNELS_MAX: Final = 16  # in a room, `main` among them
VOICE_MEMBERS_MAX: Final = 200  # people of a room who are in voice
VOICE_SPEAKERS_MAX: Final = 64  # named speakers of a channel
VOICE_BLOCKS_MAX: Final = 200  # people whom one person blocks
VOICE_DISTANCE_M: Final = 10_000.0
VOICE_ZONE_EDGE_M: Final = 0.5  # whoever walked into a zone leaves it so far outside: nobody flaps on its edge
VOICE_MEMBER_TTL_S: Final = 6 * 3600  # where somebody was is remembered so long after they left voice,
VOICE_REMEMBERED_MAX: Final = 500  # and of so many; as many may be muted or removed
VOICE_ROW_TTL_S: Final = 400 * 86400  # after its last change; a guest's blocks too
VOICE_STATE_S: Final = 5  # a node reads a room's voice so often, told or not
VOICE_CHANGE_BURST: Final = 30  # changes of voice by one person at once, by REST,
VOICE_CHANGE_PER_S: Final = 2  # and on
VOICE_FRAME_MS: Final = 20
VOICE_KBPS_MIN: Final = 16  # what a page's encoder is set to, by measured quality
VOICE_KBPS_MAX: Final = 48
VOICE_PACKET_BYTES: Final = 700  # an RTP packet with its header; an Opus frame of 20 ms at 48 kbit/s is 120
VOICE_PACKETS_BURST: Final = 60  # packets of one speaker at once that a node takes,
VOICE_PACKETS_PER_S: Final = 75  # and on: 50, and what was sent again
VOICE_SELECT_HZ: Final = 10  # slots are given anew so often
VOICE_ONSETS_PER_S: Final = 10  # and for so many who begin to speak, of a room, at once
VOICE_STICKY_DB: Final = 6.0  # so much louder than who has the slot
VOICE_HOLD_MS: Final = 600  # who falls silent keeps the slot for so long: words have gaps
VOICE_SILENCE_DB: Final = 50.0  # so far below full scale is silence (RFC 6464 counts downwards), whatever a packet says
VOICE_RING_PACKETS: Final = 64  # of each speaker, for those who miss some: 1.3 s
VOICE_NACKS_PER_S: Final = 100  # packets that one listener may have sent again
VOICE_SPEAKING_HZ: Final = 5
VOICE_REPORT_S: Final = 2  # RTCP: sender reports by slot, receiver reports to speakers

# -- recordings --
RECORDINGS_MAX: Final = 50  # kept of a room
RECORDING_PART_S: Final = 3  # what a crash loses at most: a part is an object in the bucket
RECORDING_LONGEST_S: Final = 4 * 3600
RECORDING_TRACKS_MAX: Final = 256  # pages that one recording has a file of; whoever comes later is not in it,
RECORDING_TRACKS_OF_ONE: Final = 16  # of one person: nobody takes the others' place, with however many pages
RECORDING_URL_TTL_S: Final = 900
RECORDING_LEASE_S: Final = 15  # a recording whose node was not heard of for so long is finished by another

# -- activity --
ACTIVITY_TTL_S: Final = 30 * 86400
