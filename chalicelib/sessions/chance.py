"""The randomness that wiring hands to the sessions room; everything else there is a function of its arguments."""

import random
import secrets
import time


def random_secret() -> str:
    """22 URL-safe characters: 128 bits."""
    return secrets.token_urlsafe(16)


def jittered_pause(attempt: int) -> None:
    """Full jitter, at most 20, 40, 80, ... 320 ms."""
    time.sleep(random.uniform(0, 0.02 * 2 ** min(attempt, 4)))  # noqa: S311 - jitter
