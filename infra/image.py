"""The media node's image in ECR: built by Docker where it is not there yet. Its tag is a hash of what is in it.

So the same sources are built once, a machine without Docker can deploy what another one has built, and a change of the code
is a change of the stack. The image is for the processor of the machine that builds it, and the task is given the same.
"""

import base64
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from infra.media_policies import REPOSITORY
from media_node.native import content_hash

ROOT: Final = Path(__file__).parent.parent
DOCKERFILE: Final = "media_node/Dockerfile"
ARCHITECTURES: Final = {"amd64": "X86_64", "arm64": "ARM64"}
"""Docker's names, and ECS's."""
NO_DOCKER: Final = (
    "The media node's image has to be built, and Docker is not there: start it, or deploy from a machine that has it, or go "
    "on with what is deployed by --without-media (NO_MEDIA=1; where nothing is, rooms above the mesh go by WebSocket)."
)
Run = Callable[[list[str], str | None], str]
"""Runs a command with a text to read, and returns what it says. RuntimeError where it is not there or fails."""


@dataclass(frozen=True, slots=True)
class Image:
    """What the stack is told of it."""

    uri: str
    architecture: str


def run(command: list[str], given: str | None = None) -> str:
    """The real one. What a command is given is never shown."""
    try:
        done = subprocess.run(command, input=given, capture_output=True, text=True, check=False, cwd=ROOT)
    except OSError as exc:
        raise RuntimeError(f"{command[0]} is not there") from exc
    if done.returncode:
        raise RuntimeError(f"{' '.join(command[:2])} failed:\n{done.stderr[-2000:]}")
    return done.stdout.strip()


def publish(ecr: Any, say: Callable[[str], None], run_: Run = run) -> Image:
    """The image of these sources in ECR. RuntimeError where it is not there and cannot be built."""
    repository = _repository(ecr, say)
    content = content_hash()
    for docker, task in ARCHITECTURES.items():
        if digest := _digest(ecr, f"{content}-{docker}"):
            return Image(f"{repository}@{digest}", task)
    try:
        docker = run_(["docker", "version", "--format", "{{.Server.Arch}}"], None)
    except RuntimeError as exc:
        raise RuntimeError(NO_DOCKER) from exc
    if docker not in ARCHITECTURES:
        raise RuntimeError(f"Fargate runs amd64 and arm64, not {docker}")
    tag = f"{content}-{docker}"
    build(f"{repository}:{tag}", run_)
    _log_in(ecr, repository, run_)
    run_(["docker", "push", "--quiet", f"{repository}:{tag}"], None)
    say(f"pushed the media node's image ({docker})")
    digest = _digest(ecr, tag)
    if digest is None:
        raise RuntimeError(f"ECR does not know the image {tag} that was pushed")
    return Image(f"{repository}@{digest}", ARCHITECTURES[docker])


def build(name: str, run_: Run = run) -> None:
    """Builds it under a name."""
    version = f"VERSION={content_hash()[:12]}"
    options = ["--quiet", "--pull", "--build-arg", version, "--file", DOCKERFILE, "--tag", name]
    run_(["docker", "build", *options, "."], None)


def _repository(ecr: Any, say: Callable[[str], None]) -> str:
    """Its URI. Made once: an image that is there cannot be changed, and stays for the way back."""
    try:
        (found,) = ecr.describe_repositories(repositoryNames=[REPOSITORY])["repositories"]
    except ecr.exceptions.RepositoryNotFoundException:
        found = ecr.create_repository(
            repositoryName=REPOSITORY,
            imageTagMutability="IMMUTABLE",
            imageScanningConfiguration={"scanOnPush": True},
        )["repository"]
        say(f"made the repository {REPOSITORY}")
    uri: str = found["repositoryUri"]
    return uri


def _digest(ecr: Any, tag: str) -> str | None:
    try:
        found = ecr.describe_images(repositoryName=REPOSITORY, imageIds=[{"imageTag": tag}])["imageDetails"]
    except ecr.exceptions.ImageNotFoundException:
        return None
    digest: str = found[0]["imageDigest"]
    return digest


def _log_in(ecr: Any, repository: str, run_: Run) -> None:
    token = ecr.get_authorization_token()["authorizationData"][0]["authorizationToken"]
    user, _, password = base64.b64decode(token).decode().partition(":")
    run_(["docker", "login", "--username", user, "--password-stdin", repository.partition("/")[0]], password)


if __name__ == "__main__":
    try:
        build("holodeck-media")
    except RuntimeError as failed:
        raise SystemExit(str(failed)) from failed
    print("built holodeck-media")
