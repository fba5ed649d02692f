"""The one vocabulary: every message, REST body, error code and limit, defined once.

Pure values. The functions, the media node and (by generation) the browser share this package, so it reaches
no vendor library. `PROTOCOL_VERSION` is bumped whenever a message or body changes incompatibly.
"""

PROTOCOL_VERSION = 1
