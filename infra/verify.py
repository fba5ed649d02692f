"""Whether a zip will run in Lambda, found out before it is there.

Wheels are chosen for Lambda's system, not for the machine that packages, and what the runtime brings is taken out again. Both
go wrong silently: a library built for a newer glibc, or a package too many taken out, shows only when a function starts.
"""

import os
import platform
import re
import subprocess
import sys
import tempfile
import zipfile
from importlib.util import find_spec
from pathlib import Path
from typing import Final

IN_RUNTIME: Final = ("boto3", "botocore", "s3transfer", "jmespath", "dateutil", "urllib3", "six")
"""What the Python runtimes of Lambda bring."""
OURS: Final = {"app.py", "chalicelib"}
_ELF_X86_64: Final = (b"\x7fELF\x02\x01", b"\x3e\x00")
_GLIBC: Final = (2, 26) if sys.version_info < (3, 12) else (2, 34)
"""Amazon Linux 2 up to Python 3.11, Amazon Linux 2023 after it."""
_IMPORT_ALL: Final = """
import sys
sys.path[:0] = sys.argv[1:]
import importlib, pkgutil, app, chalicelib
for module in pkgutil.walk_packages(chalicelib.__path__, "chalicelib."):
    importlib.import_module(module.name)
import aws_lambda_powertools.utilities.parameters
"""


def problems(package: Path) -> list[str]:
    """What is wrong with the zip; nothing, if all is well."""
    with zipfile.ZipFile(package) as archive, tempfile.TemporaryDirectory(prefix="holodeck-verify-") as folder:
        names = archive.namelist()
        missing = [f"{name} is missing" for name in sorted(OURS - {n.partition("/")[0] for n in names})]
        libraries = [n for n in names if n.endswith(".so") or ".so." in n]
        wrong = [p for n in libraries if (p := library_problem(n, archive.read(n)))]
        if missing or wrong or not _like_lambda():
            return missing + wrong
        archive.extractall(Path(folder) / "task")
        return _import_problem(Path(folder))


def library_problem(name: str, content: bytes) -> str | None:
    """Why Lambda could not load a library, or None."""
    if not content.startswith(_ELF_X86_64[0]) or content[18:20] != _ELF_X86_64[1]:
        return f"{name} is not for 64-bit x86 Linux"
    found = [(int(a), int(b)) for a, b in re.findall(rb"GLIBC_(\d+)\.(\d+)", content)]
    newest = max(found, default=(0, 0))
    return f"{name} needs glibc {newest[0]}.{newest[1]}" if newest > _GLIBC else None


def _like_lambda() -> bool:
    return sys.platform == "linux" and platform.machine() == "x86_64"


def _import_problem(folder: Path) -> list[str]:
    """Imports every module from the zip, with nothing beside it but what the runtime brings."""
    runtime = folder / "runtime"
    runtime.mkdir()
    for name in IN_RUNTIME:
        spec = find_spec(name)
        if spec is None or spec.origin is None:
            return [f"{name} is not installed here, so the zip cannot be tried"]
        origin = Path(spec.origin)
        source = origin.parent if origin.name == "__init__.py" else origin
        (runtime / source.name).symlink_to(source)
    env = {"PATH": os.environ.get("PATH", ""), "TABLE_PREFIX": "verify-", "AWS_REGION": "us-east-1"}
    command = [sys.executable, "-I", "-S", "-c", _IMPORT_ALL, str(folder / "task"), str(runtime)]
    done = subprocess.run(command, env=env, cwd=folder, capture_output=True, text=True, check=False)
    return [f"it does not import:\n{done.stderr}"] if done.returncode else []
