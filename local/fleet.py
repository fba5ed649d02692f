"""How many media nodes are to run: what the emulated ECS service desires, asked for again and again beside everything
else.

In AWS, ECS starts and stops tasks; here the supervisor does, by this number. Functions raise it, nodes that are idle
lower it.
"""

import contextlib
import threading
from typing import Final

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

_EVERY_S: Final = 0.5


class Fleet:
    """The service's desired count, as it was just now."""

    def __init__(self, cluster: str, service: str, endpoint: str, region: str) -> None:
        self._cluster = cluster
        self._service = service
        config = Config(connect_timeout=1, read_timeout=2, retries={"max_attempts": 0})
        self._ecs = boto3.client(
            "ecs",
            endpoint_url=endpoint,
            region_name=region,
            config=config,
            aws_access_key_id="local",
            aws_secret_access_key="local",
        )
        self._stop = threading.Event()
        self._desired = 0
        self._thread = threading.Thread(target=self._watch, name="fleet", daemon=True)

    @property
    def desired(self) -> int:
        """How many there should be; the last known where nobody answers."""
        return self._desired

    def start(self) -> None:
        """Asks once, then goes on asking in the background."""
        self._ask()
        self._thread.start()

    def stop(self) -> None:
        """Asks no more."""
        self._stop.set()

    def _watch(self) -> None:
        while not self._stop.wait(_EVERY_S):
            self._ask()

    def _ask(self) -> None:
        with contextlib.suppress(BotoCoreError, ClientError):
            services = self._ecs.describe_services(cluster=self._cluster, services=[self._service])["services"]
            if services:
                self._desired = int(services[0]["desiredCount"])
