"""The whole system on one machine: emulators, resources, gateway, workers; and what to do when one of them dies."""

import json
import os
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from botocore.exceptions import BotoCoreError, ClientError
from pynamodb.exceptions import PynamoDBException

from local import dynamodb, resources
from local.children import Child, Children
from local.fleet import Fleet
from local.process import free_port
from media_node import native

REGION: Final = "us-east-1"
ROOT: Final = Path(__file__).parent.parent


@dataclass(frozen=True, slots=True)
class Plan:
    """What to start. `data` keeps keys, logs and DynamoDB Local's files."""

    host: str
    port: int
    dynamodb: str
    workers: int
    data: Path
    settings: dict[str, str]
    dynamodb_port: int | None = None
    """Where the emulator is to be; any free port otherwise."""
    dynamodb_through: str | None = None
    """What the functions believe to be DynamoDB's endpoint, where a test stands between them and it."""


class System:
    """Everything that runs, on the thread that calls."""

    def __init__(self, plan: Plan, say: Callable[[str], None], *, quiet: bool) -> None:
        self._plan = plan
        self._say = say
        local_ = plan.dynamodb == "local"
        self._dynamodb_port = plan.dynamodb_port or free_port()
        self._moto_port = free_port() if local_ else self._dynamodb_port
        self._connections_port = free_port()
        self._socket = f"/tmp/holodeck-{os.getpid()}.sock"
        logs = plan.data / "logs"
        logs.mkdir(parents=True, exist_ok=True)
        self._children = Children(logs, say, quiet)
        self._pool: dict[str, str] = {}
        env = self.environment()
        moto = f"http://127.0.0.1:{self._moto_port}"
        self._fleet = Fleet(env["ECS_CLUSTER"], env["ECS_SERVICE"], moto, REGION)
        self._started = 0

    @property
    def url(self) -> str:
        """Where the page is."""
        host = "127.0.0.1" if self._plan.host in {"0.0.0.0", "127.0.0.1"} else self._plan.host
        return f"http://{host}:{self._plan.port}"

    def start(self, go_on: Callable[[], None]) -> None:
        """Starts everything and returns when it answers. `go_on` is asked again and again; it ends this by what it raises."""
        resources.make_keys(self._plan.data / "keys.json")
        resources.make_keys(self._plan.data / "node-keys.json")
        self._start_emulators(go_on)
        self._make_resources(go_on)
        go_on()
        self._children.start(self._gateway())
        for number in range(self._plan.workers):
            child = Child(f"worker-{number}", "worker", [sys.executable, "-m", "local.worker"], self.environment())
            self._children.start(child)
        self._fleet.start()
        self._scale()
        self._until_healthy(go_on)

    def watch(self) -> None:
        """Once: restarts who has died."""
        changed = self._children.watch()
        if self._scale() or changed:
            self.write_state()

    def _scale(self) -> bool:
        """Starts media nodes, or lets some end, until there are as many as the service desires. Whether anything
        changed.
        """
        nodes = self._children.kept("media")
        for _ in range(self._fleet.desired - len(nodes)):
            self._started += 1
            self._children.start(self._media(self._started))
        for node in nodes[self._fleet.desired :]:
            self._children.retire(node)
        return len(nodes) != self._fleet.desired

    def _media(self, number: int) -> Child:
        env = {
            **self.environment(),
            "NODE_WEBSOCKET_URL": f"{self.url.replace('http', 'ws', 1)}/ws",
            "POWERTOOLS_SERVICE_NAME": "media",
        }
        compiled = native.built()
        if compiled is not None:
            env |= {"PYTHONPATH": os.pathsep.join((str(compiled), env["PYTHONPATH"])), "PYTHONSAFEPATH": "1"}
        command = [sys.executable, "-m", "media_node"]
        # One that is idle says so to the service, then ends; it is not started again before that is known here.
        return Child(f"media-{number}", "media", command, env, calm_s=1.5)

    def restart_workers(self) -> None:
        """New code: new workers."""
        self._children.restart("worker")

    def run_beside(self, name: str, command: list[str]) -> None:
        """One more child, for developers."""
        self._children.start(Child(name, "developer", command, {}))

    def stop(self) -> None:
        """Ends everything, and nobody is told any more where it was."""
        self._fleet.stop()
        self._children.stop()
        state = self._plan.data / "state.json"
        if (
            state.exists() and json.loads(state.read_text())["url"] == self.url
        ):  # not that of another run in this folder
            state.unlink()
        Path(self._socket).unlink(missing_ok=True)

    def write_state(self) -> None:
        """Tells others (tests, benchmarks) where everything is; written whole or not at all."""
        state = {
            "url": self.url,
            "connections_endpoint": self.environment()["CONNECTIONS_ENDPOINT"],
            "pids": self._children.pids(),
            "env": self.environment(),
        }
        path = self._plan.data / "state.json"
        path.with_suffix(".new").write_text(json.dumps(state))
        path.with_suffix(".new").rename(path)

    def environment(self) -> dict[str, str]:
        """The functions' settings, as CloudFormation would give them."""
        moto = f"http://127.0.0.1:{self._moto_port}"
        return {
            "STAGE": "local",
            "TABLE_PREFIX": "holodeck-local-",
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_ACCESS_KEY_ID": "local",
            "AWS_SECRET_ACCESS_KEY": "local",
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_ENDPOINT_URL_DYNAMODB": self._plan.dynamodb_through or self._dynamodb_url,
            "AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER": moto,
            "AWS_ENDPOINT_URL_S3": moto,
            "AWS_ENDPOINT_URL_ECS": moto,
            "ECS_CLUSTER": "holodeck-local",
            "ECS_SERVICE": "media",
            "NODE_MAX": "2",
            "MEDIA_NODES": "1",
            "NODE_IDLE_S": "0",
            "NODE_KEYS_FILE": str(self._plan.data / "node-keys.json"),
            "DOCUMENTS_BUCKET": "holodeck-local-documents",
            "FILES_URL": "/files",
            "CONNECTIONS_ENDPOINT": f"http://127.0.0.1:{self._connections_port}/api",
            "WEBSOCKET_URL": "/ws",
            "OPEN_GUESTS": "1",
            "TOKEN_KEYS_FILE": str(self._plan.data / "keys.json"),
            "LOG_LEVEL": "INFO",
            "POWERTOOLS_SERVICE_NAME": "holodeck",
            "GATEWAY_SOCKET": self._socket,
            "PYTHONPATH": str(ROOT),
            **self._pool,
            **self._plan.settings,
        }

    @property
    def _dynamodb_url(self) -> str:
        return f"http://127.0.0.1:{self._dynamodb_port}"

    def _start_emulators(self, go_on: Callable[[], None]) -> None:
        command = [sys.executable, "-m", "local.moto_server", str(self._moto_port)]
        child = Child("moto", "emulator", command, self.environment(), on_restart=self._moto_lost, outlives=True)
        process = self._children.start(child).process
        if process is not None:
            dynamodb.wait_until_up(f"http://127.0.0.1:{self._moto_port}/moto-api/", process, go_on=go_on)
        if self._plan.dynamodb != "local":
            return
        data = self._plan.data / "dynamodb"
        data.mkdir(parents=True, exist_ok=True)
        child = Child("dynamodb", "emulator", dynamodb.command(self._dynamodb_port, data), {}, outlives=True)
        process = self._children.start(child).process
        if process is not None:
            dynamodb.wait_until_up(self._dynamodb_url, process, go_on=go_on)

    def _gateway(self) -> Child:
        env = {
            **self.environment(),
            "GATEWAY_HOST": self._plan.host,
            "GATEWAY_PORT": str(self._plan.port),
            "CONNECTIONS_PORT": str(self._connections_port),
            "PAGE_ROOT": str(ROOT / "web" / "dist"),
        }
        return Child("gateway", "gateway", [sys.executable, "-m", "local.gateway"], env)

    def _make_resources(self, go_on: Callable[[], None] = lambda: None) -> None:
        os.environ.update(self.environment())
        from chalicelib import wiring  # noqa: PLC0415 - it reads the environment

        moto = f"http://127.0.0.1:{self._moto_port}"
        resources.make_tables(wiring.models(), self._dynamodb_url, REGION, go_on)
        env = self.environment()
        resources.make_bucket(env["DOCUMENTS_BUCKET"], moto, REGION)
        resources.make_service(env["ECS_CLUSTER"], env["ECS_SERVICE"], moto, REGION, int(env["MEDIA_NODES"]))
        self._pool = resources.make_user_pool(moto, REGION)

    def _moto_lost(self) -> None:
        """Moto keeps everything in memory: what it had is gone, so its tables and pool are made anew, once it is up."""
        self._say("moto lost what it held; making its tables and user pool anew")
        self._repair_due = True

    _repair_due = False

    def repair(self) -> None:
        """After moto has come back: its resources, and workers that know the new pool."""
        if not self._repair_due:
            return
        if not (_answers(f"http://127.0.0.1:{self._moto_port}/moto-api/") and _answers(self._dynamodb_url)):
            return
        try:
            self._make_resources()
        except (PynamoDBException, BotoCoreError, ClientError, OSError) as exc:
            self._say(f"what moto lost is not made anew yet ({type(exc).__name__}); trying again")
            return
        self._repair_due = False
        for child in self._children._all:
            if child.role == "worker":
                child.env = self.environment()
        self.restart_workers()
        self._children.restart("media")

    def _until_healthy(self, go_on: Callable[[], None]) -> None:
        ends = time.monotonic() + 120
        while time.monotonic() < ends:
            go_on()
            self.watch()
            try:
                urllib.request.urlopen(f"{self.url}/api/health", timeout=5).close()
            except (OSError, urllib.error.HTTPError):
                time.sleep(0.05)
                continue
            self.write_state()
            return
        raise RuntimeError(f"the system did not come up; see {self._plan.data / 'logs'}")


def _answers(url: str) -> bool:
    """Whether a server is there; what it says is another matter."""
    try:
        urllib.request.urlopen(url, timeout=1).close()
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False
    return True
