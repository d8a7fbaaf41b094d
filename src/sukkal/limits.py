"""Every number that bounds what a caller may ask for or what one step may cost.

Units stand last in the names. Those that an operator may change are defaults of settings of the same meaning; the
others are part of the API or of the cost laws.
"""

from typing import Final

SECOND_MS: Final = 1_000
# How far the clocks of a node and of the store's server may be apart: no node starts with more, or follows more.
CLOCK_APART_S_MAX: Final = 60
# How long a count is good where other nodes store as well.
COUNT_GOOD_FOR_MS: Final = 10_000

# Names.
QUEUE_NAME_CHARS_MAX: Final = 64
PROJECT_CHARS_MAX: Final = 256
CLIENT_ID_CHARS_MIN: Final = 10
CLIENT_ID_CHARS_MAX: Final = 36
IDEMPOTENCY_KEY_CHARS_MAX: Final = 255

# Messages.
MESSAGE_TTL_S_MIN: Final = 60
MESSAGE_TTL_S_MAX: Final = 1_209_600
MESSAGE_TTL_S_DEFAULT: Final = 3_600
MESSAGE_DELAY_S_MAX: Final = 900
MESSAGE_DELAY_S_DEFAULT: Final = 0
POST_BYTES_MAX: Final = 262_144
MESSAGES_PER_POST_MAX: Final = 1_000
IDEMPOTENCY_WINDOW_S: Final = 86_400
# How many messages and copies of a batch of events are on their way to the store together.
POSTED_AT_ONCE_ROWS: Final = 2_000

# Claims.
CLAIM_TTL_S_MIN: Final = 60
CLAIM_TTL_S_MAX: Final = 43_200
CLAIM_TTL_S_DEFAULT: Final = 300
CLAIM_GRACE_S_MIN: Final = 60
CLAIM_GRACE_S_MAX: Final = 43_200
CLAIM_GRACE_S_DEFAULT: Final = 60
RELEASE_DELAY_S_MAX: Final = 43_200

# Pages.
PAGE_DEFAULT: Final = 10
PAGE_MAX: Final = 20
SMALL_BODY_BYTES_MAX: Final = 65_536
CLAIM_MESSAGES_MAX: Final = 20

# Queues.
METADATA_BYTES_MAX: Final = 65_536
JSON_DEPTH_MAX: Final = 100
INT64_MIN: Final = -(2**63)
INT64_MAX: Final = 2**63 - 1

# Cost of one step.
BROWSE_SCAN_ROWS_MAX: Final = 1_000
RECORDS_SCAN_ROWS_MAX: Final = 1_000
QUEUE_FILTER_SCAN_MAX: Final = 1_000
SWEEP_ROWS_MAX: Final = 500
BURY_MESSAGES_MAX: Final = 100
GROUP_COMMIT_STEPS_MAX: Final = 1_024
GROUP_COMMIT_ROWS_MAX: Final = 4_000
# What a transaction writes in one turn of the event loop.
GROUP_COMMIT_ROWS_AT_ONCE: Final = 250
METADATA_RETRIES_MAX: Final = 16

# Waiting.
WAIT_S_MAX: Final = 60

# Connections.
REQUEST_HEADER_BYTES_MAX: Final = 32_768
REQUEST_HEADERS_TIMEOUT_S: Final = 10
REQUEST_BODY_TIMEOUT_S: Final = 30
KEEP_ALIVE_S: Final = 75

QUERY_PARAMETERS_MAX: Final = 100
BODY_DRAIN_BYTES_MAX: Final = 1_048_576

# WebSocket. A frame may have so much more than the largest post or metadata.
WEBSOCKET_ENVELOPE_BYTES_MAX: Final = 65_536
WEBSOCKET_FRAGMENTS_MAX: Final = 4_096
WEBSOCKET_PREFETCH_MAX: Final = 1_000
WEBSOCKET_FRAMES_WAITING_MAX: Final = 8
WEBSOCKET_UNREAD_BYTES_MAX: Final = 4 * 1_048_576
WEBSOCKET_CONNECTIONS_MAX: Final = 5_000
LISTENERS_PER_PROJECT_MAX: Final = 2_500
WEBSOCKET_AUTHENTICATE_S: Final = 60
WEBSOCKET_PING_S: Final = 30
WEBSOCKET_IDLE_S: Final = 3_600
WEBSOCKET_CLOSE_S: Final = 5
WEBSOCKET_SUBSCRIPTIONS_MAX: Final = 100
CLOSE_REASON_BYTES_MAX: Final = 123
# How often the token of an open connection is looked at again.
WEBSOCKET_TOKEN_S: Final = 30

# Listening.
EXPIRES_AFTER_S_MAX: Final = 31_536_000
CONFLATE_CHARS_MAX: Final = 256
# What one round of expiring idle queues may look at.
IDLE_QUEUES_PER_ROUND: Final = 1_000
CORRELATION_ID_CHARS_MAX: Final = 255
TRACE_PARENT_CHARS_MAX: Final = 128
TRACE_STATE_CHARS_MAX: Final = 512
CALL_TIMEOUT_S_DEFAULT: Final = 30
HISTORY_S_MAX: Final = 1_209_600
LISTENER_PAGE: Final = 20
# Whoever catches up reads so much before it is given more.
LISTENER_PACE_BYTES: Final = 262_144
LISTENER_HELD_MAX: Final = 1_000
LISTENER_HELD_BYTES_MAX: Final = 4 * 1_048_576
# How many messages are told to listeners in one turn of the event loop, at once and of what waits; a body counts for
# one more by so many bytes. Of what waits, a project may have so much and one post; its posts are answered late from
# the half of that on.
TELLINGS_PER_TURN: Final = 500
TELLING_BYTES: Final = 16_384
# The weight of filters (see Events) that takes about as long as telling one message.
WEIGHT_PER_TELLING: Final = 8
TELLINGS_WAITING_BYTES_MAX: Final = 8 * 1_048_576
TELLINGS_EASED_BYTES: Final = TELLINGS_WAITING_BYTES_MAX // 2
EXPIRED_SCAN_ROWS_MAX: Final = 10_000
STREAM_UNREAD_BYTES_MAX: Final = 4 * 1_048_576
STREAM_BEAT_S: Final = 15
# Time in which a client must read on once what it has not read fills the buffers.
CLIENT_READ_TIMEOUT_S: Final = 60

# Access.
SIGNED_URL_KEY_CHARS_MIN: Final = 16
SIGNED_URL_TRIES_MAX: Final = 60
CLAIMED_ROLES_CHARS_MAX: Final = 1_024
PROJECTS_REMEMBERED_MAX: Final = 100_000
RATE_ZERO_RETRY_S: Final = 60
QUOTA_COUNT_PAUSE_MS: Final = 1_000
QUOTA_RETRY_S: Final = 5
ENCRYPTION_KEY_ID_BYTES_MAX: Final = 64

# Policy.
POLICY_FILE_CHARS_MAX: Final = 1_048_576
POLICY_RULES_MAX: Final = 10_000
POLICY_CHECK_CHARS_MAX: Final = 1_024
POLICY_CHECKS_MAX: Final = 10_000
POLICY_DEPTH_MAX: Final = 64
POLICY_DECISIONS_MAX: Final = 10_000
POLICY_SHOWN_CHARS_MAX: Final = 80

# Keystone.
KEYSTONE_TIMEOUT_S_DEFAULT: Final = 5
KEYSTONE_REVALIDATE_S_DEFAULT: Final = 60
# Fernet tokens have about 200 bytes. Signed ones (JWS) carry the groups of a federated user, 50 bytes each.
KEYSTONE_TOKEN_BYTES_MAX: Final = 8_192
KEYSTONE_THREADS: Final = 8
# How many questions may wait for a thread: fewer for tokens that nobody has vouched for yet, so that a flood of
# invented ones does not keep the tokens of those at work from being confirmed.
KEYSTONE_WAITING_NEW_MAX: Final = 128
KEYSTONE_WAITING_KNOWN_MAX: Final = 1_024
KEYSTONE_TOKENS_MAX: Final = 20_000
KEYSTONE_REFUSALS_MAX: Final = 10_000
KEYSTONE_REFUSAL_S: Final = 5
# Pauses between two attempts while Keystone does not answer, or refuses the service user.
KEYSTONE_RETRY_S: Final = 2
KEYSTONE_REFUSED_RETRY_S: Final = 10
KEYSTONE_OUTAGE_CALM_S: Final = 10
KEYSTONE_TRUST_TRIES_MAX: Final = 20
KEYSTONE_TRUST_TOKENS_MAX: Final = 10_000
KEYSTONE_TRUST_TOKEN_SPARE_S: Final = 60

# API keys.
KEYS_MAX: Final = 100_000
KEY_FILE_BYTES_MAX: Final = 64 * 1_048_576
KEY_NAME_CHARS_MAX: Final = 255
KEY_ROLE_CHARS_MAX: Final = 255

# JSON Web Tokens.
JWT_CHARS_MAX: Final = 16_384
JWT_LEEWAY_S_DEFAULT: Final = 30
JWT_LEEWAY_S_MAX: Final = 300
JWT_KNOWN_MAX: Final = 20_000
JWT_KNOWN_S: Final = 300
JWT_ROLES_MAX: Final = 1_000
# The issuer's keys: how old they may be, the pause after which an unknown one is looked for again, and what one look
# may cost.
JWT_KEYS_AGE_S: Final = 3_600
JWT_KEYS_PAUSE_S: Final = 5
JWT_KEYS_TIMEOUT_S: Final = 5
JWT_KEYS_BYTES_MAX: Final = 262_144
JWT_KEYS_MAX: Final = 100
JWT_RSA_BITS_MIN: Final = 2_048

# Subscriptions and deliveries.
SUBSCRIPTION_TTL_S_MIN: Final = 60
SUBSCRIPTION_TTL_S_DEFAULT: Final = 3_600
SUBSCRIBER_CHARS_MAX: Final = 2_048
SUBSCRIPTION_BYTES_MAX: Final = 65_536
SUBSCRIPTIONS_PER_POST: Final = 1_000
RETRIES_MAX: Final = 100
RETRY_DELAY_S_MAX: Final = 86_400 * 7
# A delivery waits in its backlog until it is made, given up, or ended with its subscription; no time limit ends it.
BACKLOG_TTL_S: Final = 86_400 * 365
# What waits in a backlog: a message of a kilobyte each second, for the three days of the default schedule.
BACKLOG_BYTES_MAX_DEFAULT: Final = 512 * 1_048_576
BACKLOG_BYTES_MAX_MIN: Final = 16 * 1_048_576
# What a delivery takes in the store besides its body.
DELIVERY_EXTRA_BYTES: Final = 1_024
BACKLOG_COUNT_PAUSE_S: Final = 5
BACKLOG_DROP_ROUNDS_MAX: Final = 100
BACKLOGS_REMEMBERED_MAX: Final = 100_000
DELIVERIES_AT_ONCE: Final = 10
DELIVERIES_CLAIMED_MAX: Final = 50
DELIVERIES_CLAIMED_BYTES: Final = 65_536
DELIVERIES_PER_SECOND_MIN: Final = 0.001
DELIVERIES_PER_SECOND_MAX: Final = 1_000
PACES_REMEMBERED_MAX: Final = 10_000
DELIVERY_WORKERS_MAX: Final = 500
DELIVERY_TIMEOUT_S_DEFAULT: Final = 20
DELIVERY_UNKEPT_S: Final = 0.01
DELIVERY_UNREADABLE_PAUSE_S: Final = 60
DELIVERY_UNATTEMPTED_PAUSE_S: Final = 2
BREAKER_FAILURES: Final = 5
BREAKER_PAUSE_S: Final = 30
BREAKER_PAUSE_S_MAX: Final = 900
ENDPOINTS_REMEMBERED_MAX: Final = 10_000
DELIVERED_REMEMBERED: Final = 50
DELIVERY_WORKERS_PER_PROJECT_MAX: Final = 200
DELIVERY_TROUBLE_PAUSE_S: Final = 5
DELIVERY_TIMEOUT_SPARE_S: Final = 5
DEAD_DELIVERY_TTL_S_MIN: Final = 86_400
LEDGERS_REMEMBERED_MAX: Final = 10_000
LEDGER_PAGE_MAX: Final = 100
REDRIVE_ROUNDS_MAX: Final = 1_000
QUEUE_HOPS_MAX: Final = 5

# Trusts that cannot be ended one after the other before the others are left for later.
TRUST_FAILURES_MAX: Final = 3

# Sinks.
RETRY_AFTER_S_MAX: Final = 86_400
ANSWER_SHOWN_CHARS_MAX: Final = 500
# A shorter header value is no secret, and to hide it would only spoil what is shown.
SECRET_CHARS_MIN: Final = 8
GUARD_ALLOW_ITEMS_MAX: Final = 1_000
RESOLVER_THREADS: Final = 16

# Webhooks.
WEBHOOK_HEADERS_MAX: Final = 32
WEBHOOK_HEADER_CHARS_MAX: Final = 8_192
WEBHOOK_TEMPLATE_CHARS_MAX: Final = 65_536
# Each may become a message of the largest size.
WEBHOOK_TEMPLATE_PLACES_MAX: Final = 8
WEBHOOK_SECRETS_MAX: Final = 2
WEBHOOK_SECRET_BYTES_MIN: Final = 24
WEBHOOK_SECRET_BYTES_MAX: Final = 64
WEBHOOK_CONNECT_TIMEOUT_S: Final = 10
WEBHOOK_READ_TIMEOUT_S: Final = 30
WEBHOOK_ANSWER_BYTES_MAX: Final = 16_384
WEBHOOK_CONNECTIONS_MAX: Final = 1_000
WEBHOOK_CONNECTIONS_PER_HOST_MAX: Final = 100
# Shorter than what servers commonly wait, so that few deliveries meet a connection that is just being closed.
WEBHOOK_KEEPALIVE_S: Final = 4
WEBHOOK_TARGETS_REMEMBERED_MAX: Final = 1_000

# Mail.
MAIL_ADDRESS_CHARS_MAX: Final = 254
MAIL_SUBJECT_CHARS_MAX: Final = 255
# A server that has taken a mail need not say goodbye.
MAIL_QUIT_TIMEOUT_S: Final = 2

# AMQP.
AMQP_NAME_BYTES_MAX: Final = 255
AMQP_FRAME_BYTES_MAX: Final = 1_048_576
# What a broker may send for one message that it is given.
AMQP_READ_BYTES_MAX: Final = 4 * 1_048_576
AMQP_CONNECTIONS_MAX: Final = 200
AMQP_CONNECTIONS_PER_PROJECT_MAX: Final = 50
AMQP_CHANNELS_KEPT_MAX: Final = 32
AMQP_IDLE_S: Final = 30
AMQP_CLOSE_TIMEOUT_S: Final = 2
AMQP_HEARTBEAT_S: Final = 30

# Events.
EVENT_NESTING_MAX: Final = 500
# What Python's integers and decimals can be read from.
EVENT_DIGITS_MAX: Final = 4_300
EVENT_EXPONENT_DIGITS_MAX: Final = 18
# How much larger than what was posted an event may be that is made of it: what its format keeps besides, twice escaped,
# and attributes.
EVENT_GROWTH: Final = 3
EVENT_ATTRIBUTES_BYTES_MAX: Final = 4_096
EVENT_INTEGER_MAX: Final = 2_147_483_647
# Compiled filters of subscriptions that are remembered: of all projects, and of each. About what a part takes.
LENSES_REMEMBERED_BYTES_MAX: Final = 256 * 1_048_576
LENSES_OF_PROJECT_BYTES_MAX: Final = 64 * 1_048_576
FILTER_PART_BYTES: Final = 400
# What one page of a filtered listing may look at.
FILTERED_PAGE: Final = 100
FILTERED_MESSAGES_MAX: Final = 1_000
FILTERED_BYTES_MAX: Final = 4 * 1_048_576
# How much filters look at before others get their turn, in attributes compared. An expression weighs as much as so
# many, a part of a filter that is read as much as four; so many bytes of a body that is decoded as much as one.
FILTER_WEIGHT_AT_ONCE: Final = 256
EXPRESSION_WEIGHT: Final = 64
READ_PART_WEIGHT: Final = 4
DECODED_BYTES_PER_WEIGHT: Final = 128
# Subscriptions in groups by their filters: how many are looked for at once, what is remembered of all and of a project.
ADDRESSEES_AT_ONCE_BYTES: Final = 16 * 1_048_576
ADDRESSEES_REMEMBERED_BYTES_MAX: Final = 256 * 1_048_576
ADDRESSEES_OF_PROJECT_BYTES_MAX: Final = 64 * 1_048_576
ADDRESSEE_BYTES: Final = 128
LISTENER_FILTERS_MAX: Final = 100
DRY_RUN_MESSAGES_MAX: Final = 20
EXPLAINED_PARTS_MAX: Final = 10_000

# Listeners that are subscriptions.
LISTENER_ID_CHARS_MAX: Final = 255
LISTENER_EVENTS_MAX: Final = 50
HEARTBEAT_S_MIN: Final = 10
HEARTBEAT_S_MAX: Final = 86_400 * 30
# The deadline of a heartbeat is as old as its listener, which may be renewed for ever.
HEARTBEAT_TTL_S: Final = 86_400 * 365 * 100

# Filters.
FILTERS_MAX: Final = 1_000
FILTER_PARTS_MAX: Final = 2_500
FILTER_DEPTH_MAX: Final = 16
ATTRIBUTE_NAME_CHARS_MAX: Final = 256
FILTER_VALUE_CHARS_MAX: Final = 4_096
FILTER_STEPS_MAX: Final = 65_536
FILTER_SHOWN_CHARS_MAX: Final = 80
EXPRESSION_SHOWN_CHARS_MAX: Final = 400
EXPRESSION_CHARS_MAX: Final = 8_192
EXPRESSION_PARTS_MAX: Final = 1_000
EXPRESSION_DEPTH_MAX: Final = 32

# The forwarder.
FORWARDER_REMEMBERED_MAX: Final = 20_000
FORWARDER_CREDENTIALS_MAX: Final = 10_000
FORWARDER_WINDOW: Final = 500
FORWARDER_WINDOW_MAX: Final = 10_000
FORWARDER_BATCH: Final = 50
FORWARDER_LANES: Final = 16
FORWARDER_ATTEMPTS: Final = 8
FORWARDER_LOCKED_OUT_PROJECTS: Final = 3
FORWARDER_LANE_PART: Final = 4
FORWARDER_TIMEOUT_S: Final = 20.0
FORWARDER_PAUSE_S_MAX: Final = 30.0
FORWARDER_REPORT_S: Final = 30.0
FORWARDER_CLAIM_TTL_S: Final = 300
FORWARDER_CLAIM_RENEWAL_S: Final = 100
FORWARDER_CLAIM_WAIT_S: Final = 20
FORWARDER_CLAIM_PAUSE_S: Final = 0.2
FORWARDER_FIRST_REPORT_S: Final = 2.0

# Search.
SEARCH_QUERY_CHARS_MAX: Final = 1_024
SEARCH_TERMS_MAX: Final = 16
# A shorter one would stand for a large part of all words.
SEARCH_PREFIX_CHARS_MIN: Final = 2
SEARCH_FIELD_CHARS_MAX: Final = 1_024
SEARCH_TYPE_PARTS_MAX: Final = 16
SEARCH_TEXT_CHARS_MAX: Final = 32_768
SEARCH_EVENT_BYTES_MAX: Final = 1_048_576
SEARCH_S_MAX: Final = 3
SEARCH_THREADS: Final = 4
SEARCH_WRITING_THREADS: Final = 2
SEARCH_MATCHING_THREADS: Final = 2
SEARCH_WAIT_S: Final = 10
# Of one saved search, for the documents that it is asked of at once.
SEARCH_MATCHING_S_MAX: Final = 0.15
# Documents times saved searches: so many are asked before others get their turn and the lease is extended.
SEARCH_ASKED_AT_ONCE: Final = 1_000
# Those of one project are made one after another.
SEARCH_WAITING_MAX: Final = 64
SEARCH_BOOKS_OPEN_MAX: Final = 64
SEARCH_BOOKS_SWEPT_AT_ONCE: Final = 4
SEARCH_PROJECTS_LOOKED_AT_ONCE: Final = 200
SEARCH_LOG_BYTES_KEPT: Final = 4 * 1_048_576
SEARCH_REMOVED_AT_ONCE: Final = 500
# Queues of a project whose past was dropped, and of which some may still be on its way.
SEARCH_DROPS_REMEMBERED_MAX: Final = 1_000
SEARCH_COUNTED_MAX: Final = 10_000
SEARCH_FACET_VALUES_MAX: Final = 20
SEARCH_TYPES_MAX: Final = 1_000
SEARCH_PRODUCERS_MAX: Final = 50
SEARCH_SCHEMA_BYTES_MAX: Final = 65_536
# Deliveries that are put into the index in one transaction.
SEARCH_INDEXED_AT_ONCE: Final = 100
SEARCHES_PER_PROJECT_MAX: Final = 100
SEARCH_CLOCKS_DIFFER_MS: Final = 60_000
# How far behind its post an event can have happened.
SEARCH_AHEAD_MS_MAX: Final = 86_400_000
# What a process that died was about to index waits so long for another attempt.
SEARCH_LEASE_S: Final = 30
SEARCH_MARKER_CHARS_MAX: Final = 18

# Schemas that are inferred.
SCHEMA_DEPTH_MAX: Final = 6
SCHEMA_MEMBERS_MAX: Final = 64
SCHEMA_NAME_CHARS_MAX: Final = 128
SCHEMA_ITEMS_LOOKED_AT: Final = 8
SCHEMA_LOOKED_AT_FIRST: Final = 100
SCHEMA_LOOKED_AT_EACH: Final = 16
