"""API Gateway's quotas, each adjustable by an environment variable so that tests can reach it."""

import os
from collections.abc import Mapping
from dataclasses import dataclass

from chalicelib.wire import limits


@dataclass(frozen=True, slots=True)
class GatewaySettings:
    """Defaults are API Gateway's own ("Quotas for configuring and running a WebSocket API"), rates an account's."""

    idle_s: float
    lifetime_s: float
    frame_bytes: int
    message_bytes: int
    body_bytes: int
    rate_per_s: float
    burst: float
    connects_per_s: float
    integration_timeout_s: float
    in_flight: int
    fill: bool
    """Whether messages fill one worker first; 0 spreads them, so that a document is edited through several at once."""
    send_buffer_messages: int


def from_environment(env: Mapping[str, str] | None = None) -> GatewaySettings:
    """GATEWAY_IDLE_S, GATEWAY_LIFETIME_S, ..."""
    e = os.environ if env is None else env

    def number(name: str, default: float) -> float:
        return float(e.get(f"GATEWAY_{name}", default))

    return GatewaySettings(
        idle_s=number("IDLE_S", limits.WS_IDLE_S),
        lifetime_s=number("LIFETIME_S", limits.WS_LIFETIME_S),
        frame_bytes=int(number("FRAME_BYTES", limits.WS_FRAME_BYTES)),
        message_bytes=int(number("MESSAGE_BYTES", limits.WS_MESSAGE_BYTES)),
        body_bytes=int(number("BODY_BYTES", 10 * 1024 * 1024)),
        rate_per_s=number("RATE_PER_S", 10_000),
        burst=number("BURST", 5_000),
        connects_per_s=number("CONNECTS_PER_S", 500),
        integration_timeout_s=number("INTEGRATION_TIMEOUT_S", limits.INTEGRATION_TIMEOUT_S),
        in_flight=int(number("IN_FLIGHT", 64)),
        fill=bool(number("FILL", 1)),
        send_buffer_messages=int(number("SEND_BUFFER_MESSAGES", 256)),
    )


class Bucket:
    """A token bucket, as API Gateway throttles an account."""

    def __init__(self, rate_per_s: float, burst: float, now_s: float) -> None:
        self._rate = rate_per_s
        self._burst = burst
        self._tokens = burst
        self._at = now_s

    def take(self, now_s: float) -> bool:
        """False: throttled."""
        self._tokens = min(self._burst, self._tokens + (now_s - self._at) * self._rate)
        self._at = now_s
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True
