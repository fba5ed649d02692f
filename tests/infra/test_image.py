"""The media node's image without Docker: its steps are tried here; and its way into ECR, by a Docker that plays along."""

import base64
import importlib.metadata
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto import mock_aws

from infra.image import DOCKERFILE, ROOT, Image, publish
from infra.media import NODE_PORT
from media_node.native import content_hash, sources

REPOSITORY = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/holodeck-media"
PINNED = re.compile(r"^([A-Za-z0-9._-]+)==([A-Za-z0-9.]+)( ;.*)?$")
_IMPORT_ALL = """
import sys
sys.path[:0] = sys.argv[1:]
import importlib, pkgutil, media_node
for module in pkgutil.walk_packages(media_node.__path__, "media_node."):
    importlib.import_module(module.name)
"""


def instructions() -> list[tuple[str, str]]:
    """The Dockerfile's."""
    text = re.sub(r"\\\n", " ", (ROOT / DOCKERFILE).read_text())
    lines = [line.strip() for line in text.splitlines() if line.strip() and not line.startswith("#")]
    return [(name, rest) for name, _, rest in (line.partition(" ") for line in lines)]


def given(name: str) -> list[str]:
    """What an instruction is given, each time it is there."""
    return [rest for found, rest in instructions() if found == name]


def copied() -> list[tuple[str, str]]:
    """Sources and targets, of the repository."""
    return [(source, target) for source, target in (rest.split() for rest in given("COPY") if "--from" not in rest)]


def requirements(name: str = "requirements.txt") -> dict[str, str]:
    """What is installed, and which version."""
    found = [PINNED.match(line) for line in (ROOT / "media_node" / name).read_text().splitlines()]
    assert all(found), "a requirement is not pinned"
    return {match[1]: match[2] for match in found if match}


def test_what_is_copied_is_there() -> None:
    """Code of the functions that the node shares, the node, and its requirements; nothing else of the repository."""
    assert {source for source, _ in copied()} == {"media_node/requirements.txt", "chalicelib/", "media_node/"}
    assert all((ROOT / source).exists() for source, _ in copied())
    assert not given("ADD")
    ignored = (ROOT / f"{DOCKERFILE}.dockerignore").read_text().splitlines()
    assert ignored == ["*", "!chalicelib", "!media_node", "**/__pycache__"]


def test_what_is_installed_is_what_was_tested() -> None:
    """Each requirement is pinned, to the version that the tests run with."""
    pins = (ROOT / "requirements-dev.txt").read_text().splitlines()
    tested = {match[1]: match[2] for line in pins if (match := PINNED.match(line))}
    for what in (requirements(), requirements("requirements-native.txt")):
        assert {name: tested.get(name) for name in what} == what


def test_nothing_that_is_needed_is_missing_from_the_list() -> None:
    """pip installs what is named and nothing else (`--no-deps`): so everything that those need is named too."""
    installs = [step for step in given("RUN") if "pip install" in step]
    assert len(installs) == 2
    assert all("--no-deps" in step and "--only-binary=:all:" in step for step in installs)
    both = requirements() | requirements("requirements-native.txt")
    listed = {name.lower().replace("_", "-") for name in both}
    for name in both:
        for needed in importlib.metadata.requires(name) or []:
            what = re.match(r"[A-Za-z0-9._-]+", needed)
            assert what is not None
            if ";" not in needed:
                assert what[0].lower().replace("_", "-") in listed, f"{name} needs {needed}"


def test_it_runs_as_nobody_and_hears_sigterm() -> None:
    """A number that is not root's; the interpreter itself is started, without a shell that would swallow the signal."""
    assert given("USER") == ["10001:10001"]
    assert json.loads(given("ENTRYPOINT")[0]) == ["python", "-m", "media_node"]
    assert given("STOPSIGNAL") == ["SIGTERM"]
    assert given("EXPOSE") == [f"{NODE_PORT}/udp"]


def test_its_python_is_the_one_that_is_tested() -> None:
    """The minor version of the functions'."""
    assert given("FROM")[0] == "python:3.11-slim-bookworm AS base"


def test_what_every_packet_goes_through_is_compiled_and_its_compiler_stays_behind() -> None:
    """A stage of its own compiles; of that only what it made is in the image."""
    assert given("FROM")[1:] == ["base AS native", "base"]
    made = next(step for step in given("RUN") if "media_node.native" in step)
    assert made == "python -m media_node.native /native"
    assert [rest for rest in given("COPY") if "--from" in rest] == ["--from=native /native/ /srv/"]
    steps = instructions()
    last = max(at for at, (name, _) in enumerate(steps) if name == "FROM")
    assert not any("gcc" in rest or "requirements-native" in rest for name, rest in steps[last:] if name == "RUN")


def test_the_copied_tree_imports_with_what_is_installed_alone(tmp_path: Path) -> None:
    """Every module of the node imports from what is copied and what is in its requirements, on a path with nothing else."""
    tree, packages = tmp_path / "srv", tmp_path / "site"
    for source, target in copied():
        if source.endswith("/"):
            shutil.copytree(ROOT / source, tree / target, ignore=shutil.ignore_patterns("__pycache__"))
    packages.mkdir()
    for name in requirements():
        distribution = importlib.metadata.distribution(name)
        for top in {file.parts[0] for file in distribution.files or []} - {"..", "__pycache__"}:
            (packages / top).symlink_to(str(distribution.locate_file(top)))
    command = [sys.executable, "-I", "-S", "-B", "-c", _IMPORT_ALL, str(tree), str(packages)]
    done = subprocess.run(
        command, cwd=tmp_path, env={"TABLE_PREFIX": "t-"}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


class Docker:
    """Answers as Docker does; what it pushes is in moto's ECR."""

    def __init__(self, ecr: Any, architecture: str = "amd64") -> None:
        self.asked: list[list[str]] = []
        self.told: list[str] = []
        self._ecr = ecr
        self._architecture = architecture

    def run(self, command: list[str], given: str | None = None) -> str:
        """One command."""
        self.asked.append(command)
        self.told.append(given or "")
        if command[1] == "version":
            if not self._architecture:
                raise RuntimeError("Cannot connect to the Docker daemon")
            return self._architecture
        if command[1] == "push":
            manifest = json.dumps({"schemaVersion": 2, "config": {"digest": command[-1]}, "layers": []})
            tag = command[-1].rpartition(":")[2]
            kind = "application/vnd.docker.distribution.manifest.v2+json"
            given_ = {"imageManifest": manifest, "imageManifestMediaType": kind, "imageTag": tag}
            self._ecr.put_image(repositoryName="holodeck-media", **given_)
        return ""

    def did(self, what: str) -> bool:
        """Whether it was asked to."""
        return any(command[1] == what for command in self.asked)


@pytest.fixture
def ecr(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """moto's."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    with mock_aws():
        yield boto3.client("ecr", region_name="eu-west-1")


def test_the_image_is_built_and_pushed_once(ecr: Any) -> None:
    """The repository is made; the same sources are not built a second time, and need no Docker then."""
    said: list[str] = []
    docker = Docker(ecr)
    made = publish(ecr, said.append, docker.run)
    assert made.uri.startswith(f"{REPOSITORY}@sha256:")
    assert made.architecture == "X86_64"
    assert [command[1] for command in docker.asked] == ["version", "build", "login", "push"]
    none = Docker(ecr, "")
    assert publish(ecr, said.append, none.run) == made
    assert none.asked == []
    assert said == ["made the repository holodeck-media", "pushed the media node's image (amd64)"]


def test_the_task_is_given_the_processor_of_the_image(ecr: Any) -> None:
    """Built on an arm64 machine it runs on Graviton."""
    assert publish(ecr, lambda _: None, Docker(ecr, "arm64").run).architecture == "ARM64"


def test_without_docker_it_is_refused_with_what_to_do(ecr: Any) -> None:
    """One sentence says why and what else there is."""
    with pytest.raises(RuntimeError, match=r"Docker is not there.*--without-media"):
        publish(ecr, lambda _: None, Docker(ecr, "").run)


def test_the_password_is_given_where_nobody_sees_it(ecr: Any) -> None:
    """By standard input: a command line is for all to read."""
    docker = Docker(ecr)
    publish(ecr, lambda _: None, docker.run)
    token = ecr.get_authorization_token()["authorizationData"][0]["authorizationToken"]
    password = base64.b64decode(token).decode().partition(":")[2]
    assert password in docker.told
    assert not any(password in word for command in docker.asked for word in command)


def test_a_change_of_the_code_is_another_image(tmp_path: Path) -> None:
    """Names and contents count, bytecode does not."""
    for folder in ("chalicelib", "media_node"):
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=shutil.ignore_patterns("__pycache__"))
    before = content_hash(tmp_path)
    assert before == content_hash()
    cache = tmp_path / "media_node/__pycache__"
    cache.mkdir()
    (cache / "x.pyc").write_bytes(b"x")
    assert content_hash(tmp_path) == before
    first = sources(tmp_path)[0]
    first.write_bytes(first.read_bytes() + b"#")
    assert content_hash(tmp_path) != before


def test_an_image_is_named_by_its_digest(ecr: Any) -> None:
    """So that a task never runs another one than the stack says."""
    assert "@sha256:" in publish(ecr, lambda _: None, Docker(ecr).run).uri
    assert Image("a", "b") != Image("a", "c")
