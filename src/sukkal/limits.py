"""Every number that bounds what a caller may ask for or what one step may cost.

Units stand last in the names. Those that an operator may change are defaults of settings of the same meaning; the
others are part of the API or of the cost laws.
"""

from typing import Final

SECOND_MS: Final = 1_000

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
CLAIM_BODY_BYTES_MAX: Final = 65_536
CLAIM_MESSAGES_MAX: Final = 20

# Queues.
METADATA_BYTES_MAX: Final = 65_536
JSON_DEPTH_MAX: Final = 100
INT64_MIN: Final = -(2**63)
INT64_MAX: Final = 2**63 - 1

# Cost of one step.
BROWSE_SCAN_ROWS_MAX: Final = 1_000
QUEUE_FILTER_SCAN_MAX: Final = 1_000
SWEEP_ROWS_MAX: Final = 500
BURY_MESSAGES_MAX: Final = 100
GROUP_COMMIT_STEPS_MAX: Final = 1_024
GROUP_COMMIT_ROWS_MAX: Final = 4_000
METADATA_RETRIES_MAX: Final = 16

# Waiting.
WAIT_S_MAX: Final = 60

# Connections.
REQUEST_HEADER_BYTES_MAX: Final = 32_768
REQUEST_HEADERS_TIMEOUT_S: Final = 10
REQUEST_BODY_TIMEOUT_S: Final = 30

QUERY_PARAMETERS_MAX: Final = 100
BODY_DRAIN_BYTES_MAX: Final = 1_048_576
