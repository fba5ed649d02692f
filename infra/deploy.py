"""`python -m infra.deploy --stage dev`: the whole deployment to AWS with one command. `--dry-run` says each step instead.

The steps are in `infra.deployment`; this is what a person types and reads.
"""

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from infra.deployment import Deployment, Target
from infra.image import publish as publish_image
from infra.package import Package, build_checked
from infra.page import DIST, answers, build_page, page_files
from infra.template import STAGES


def plan(target: Target, package: Package, page: Path) -> list[str]:
    """What a deployment does, step by step."""
    given = ", ".join(f"{k}={v}" for k, v in target.parameters.items())
    parameters = f"{given}, and the rest as before" if given else "its parameters as before, or their defaults"
    resources = len(json.loads(package.template.read_text())["Resources"])
    size_mb = package.zip.stat().st_size / 1e6
    return [
        f"make the artifact bucket {target.artifacts}, if it is missing",
        f"make the keys {target.keys_parameter('Token')} and {target.keys_parameter('Node')}, and the secret "
        f"{target.turn_secret_parameter} (SSM SecureStrings), if missing",
        "make the role that lets API Gateway write logs, if the account has none",
        "build the media node's image with Docker and push it to ECR, if ECR has none of these sources",
        f"upload the package ({size_mb:.1f} MB) and its template ({resources} resources)",
        f"create or update the stack {target.stack} in {target.region} with {parameters}",
        f"upload the page ({len(list(page_files(page)))} files, index.html last), invalidate CloudFront",
        "see that the page and /api/health answer, and print the address",
    ]


def parse_parameters(given: list[str]) -> dict[str, str]:
    """NAME=VALUE each. SystemExit for anything else."""
    wrong = [text for text in given if "=" not in text]
    if wrong:
        raise SystemExit(f"a parameter is given as NAME=VALUE, not {wrong[0]}")
    return dict(text.split("=", 1) for text in given)


def rehearse(target: Target, package: Package) -> int:
    """Says the steps, and checks whatever can be checked without AWS. Returns the exit status."""
    known = json.loads(package.template.read_text())["Parameters"]
    for name, value in target.parameters.items():
        if name not in known:
            print(f"there is no parameter {name}; there are {', '.join(sorted(known))}", file=sys.stderr)
            return 2
        allowed = known[name].get("AllowedValues")
        if allowed and value not in allowed:
            print(f"{name} is one of {', '.join(allowed)}, not {value}", file=sys.stderr)
            return 2
    page = DIST if (DIST / "index.html").is_file() else build_page()
    print("\n".join(f"{n}. {step}" for n, step in enumerate(plan(target, package, page), 1)))
    lint = [str(Path(sys.executable).with_name("cfn-lint")), str(package.template)]
    return subprocess.run(lint, check=False).returncode


def main() -> None:
    """The command."""
    arguments = _arguments()
    parameters = parse_parameters(arguments.parameter)
    if arguments.dry_run:
        target = Target(arguments.stage, arguments.region or "us-east-1", "000000000000", parameters)
        raise SystemExit(rehearse(target, build_checked(arguments.stage)))
    session = boto3.Session(region_name=arguments.region or os.environ.get("AWS_REGION"))
    target = Target(arguments.stage, *_whereabouts(session), parameters)
    deployment = Deployment(target, session.client, print)
    try:
        if arguments.remove:
            _remove(deployment, target, arguments.remove)
            return
        own = arguments.without_media or "MediaImage" in parameters
        image = None if own else lambda: publish_image(session.client("ecr"), print)
        url = deployment.deploy(build_checked(arguments.stage), build_page(), image)
    except (RuntimeError, ClientError, BotoCoreError) as exc:
        raise SystemExit(str(exc)) from exc
    if wrong := answers(url):
        raise SystemExit("\n".join(f"{address} answers {status or 'nothing'}" for address, status in wrong.items()))
    print(f"\n  Holodeck is at {url}\n")


def _whereabouts(session: boto3.Session) -> tuple[str, str]:
    """Region and account."""
    if not session.region_name:
        raise SystemExit("Which region? Set AWS_REGION, or give --region.")
    try:
        account: str = session.client("sts").get_caller_identity()["Account"]
    except (ClientError, BotoCoreError) as exc:
        raise SystemExit(f"AWS does not know you: {exc}. Set AWS_PROFILE, or credentials and AWS_REGION.") from exc
    return session.region_name, account


def _remove(deployment: Deployment, target: Target, said: str) -> None:
    if said != target.stack:
        raise SystemExit(f"to remove it, say --remove {target.stack}")
    deployment.remove()


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make deploy", description=__doc__)
    parser.add_argument("--stage", choices=STAGES, default="dev")
    parser.add_argument("--region", default=None, help="default: the profile's")
    parser.add_argument("--parameter", action="append", default=[], metavar="NAME=VALUE")
    parser.add_argument("--without-media", action="store_true", help="build no media node; what is deployed stays")
    parser.add_argument("--dry-run", action="store_true", help="package, check and say what would be done")
    parser.add_argument(
        "--remove", default="", metavar="STACK", help="take the stage away; its stack's name confirms it"
    )
    return parser.parse_args()


if __name__ == "__main__":
    main()
