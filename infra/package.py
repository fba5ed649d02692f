"""`python -m infra.package --stage dev`: the CloudFormation package, offline, by Chalice, merged with `infra.template`.

Chalice reads a project folder, so it is given a copy with exactly what belongs into the zip. boto3 and botocore are in the
Lambda runtime and leave the zip again. The zip is the same bytes for the same sources.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from infra.template import STAGES, template

ROOT: Final = Path(__file__).parent.parent
_IN_RUNTIME: Final = ("boto3/", "botocore/", "s3transfer/", "jmespath/", "dateutil/", "urllib3/", "six.py")
_NOT_NEEDED: Final = ("__pycache__", ".dist-info", "/tests/", ".pyi", "py.typed")
_EPOCH: Final = (1980, 1, 1, 0, 0, 0)
_OFFLINE: Final = {
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_REGION": "us-east-1",
    "AWS_ACCESS_KEY_ID": "offline",
    "AWS_SECRET_ACCESS_KEY": "offline",
    "AWS_EC2_METADATA_DISABLED": "true",
}


@dataclass(frozen=True, slots=True)
class Package:
    """The template, and the zip that all functions share."""

    template: Path
    zip: Path


def build(stage: str, out: Path, *, dependencies: bool = True) -> Package:
    """Packages a stage into `out`. Without `dependencies` the zip lacks them: enough to look at the template."""
    with tempfile.TemporaryDirectory(prefix="holodeck-package-") as folder:
        project = Path(folder)
        _copy(project, dependencies=dependencies)
        merge = project / "merge.json"
        merge.write_text(json.dumps(_partial(stage)))
        _chalice(project, stage, merge)
        out.mkdir(parents=True, exist_ok=True)
        packaged = json.loads((project / "out" / "sam.json").read_text())
        result = Package(out / "template.json", out / "deployment.zip")
        result.template.write_text(json.dumps(packaged, indent=1, sort_keys=True) + "\n")
        _rezip(project / "out" / "deployment.zip", result.zip)
    return result


def _copy(project: Path, *, dependencies: bool) -> None:
    shutil.copy(ROOT / "app.py", project)
    shutil.copytree(ROOT / "chalicelib", project / "chalicelib", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(ROOT / ".chalice", project / ".chalice", ignore=shutil.ignore_patterns("deploy*"))
    requirements = (ROOT / "requirements.txt").read_text() if dependencies else ""
    (project / "requirements.txt").write_text(requirements)


def _partial(stage: str) -> dict[str, Any]:
    """The app is asked for its tables and routes in a process of its own: its settings are the environment's."""
    sys.path.insert(0, str(ROOT))
    os.environ.setdefault("TABLE_PREFIX", f"holodeck-{stage}-")
    import app  # noqa: PLC0415
    from chalicelib import wiring  # noqa: PLC0415

    return template(stage, wiring.models(), {path: list(methods) for path, methods in app.app.routes.items()})


def _chalice(project: Path, stage: str, merge: Path) -> None:
    command = [
        str(Path(sys.executable).with_name("chalice")),
        "package",
        "--stage",
        stage,
        "--merge-template",
        str(merge),
        "out",
    ]
    env = {**os.environ, **_OFFLINE}
    done = subprocess.run(command, cwd=project, env=env, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"chalice package failed:\n{done.stdout}{done.stderr}")


def _rezip(source: Path, target: Path) -> None:
    """Leaves out what the runtime has and what nobody runs; sorted, with one date, so that equal sources are equal bytes."""
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as new:
        for name in sorted(old.namelist()):
            if name.startswith(_IN_RUNTIME) or any(part in name for part in _NOT_NEEDED) or name.endswith("/"):
                continue
            info = zipfile.ZipInfo(name, _EPOCH)
            info.external_attr = 0o644 << 16
            info.compress_type = zipfile.ZIP_DEFLATED
            new.writestr(info, old.read(name))


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(prog="make package", description=__doc__)
    parser.add_argument("--stage", choices=STAGES, default="dev")
    stage = parser.parse_args().stage
    package = build(stage, ROOT / "infra" / "out" / stage)
    size_mb = package.zip.stat().st_size / 1e6
    resources = len(json.loads(package.template.read_text())["Resources"])
    print(f"{package.template.relative_to(ROOT)}: {resources} resources")
    print(f"{package.zip.relative_to(ROOT)}: {size_mb:.1f} MB")


if __name__ == "__main__":
    main()
