"""Programs of Debian that a benchmark needs beside itself."""

import os
import shutil
import subprocess


def need(program: str, package: str) -> None:
    """Installs it by apt, where it is not there and we may. RuntimeError where we may not."""
    if shutil.which(program):
        return
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        raise RuntimeError(f"the package `{package}` is needed: apt-get install {package}")
    print(f"installing {package} ...", flush=True)
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    for command in (["update", "-qq"], ["install", "-y", "-qq", "--no-install-recommends", package]):
        subprocess.run(["apt-get", *command], check=True, env=environment, stdout=subprocess.DEVNULL, timeout=600)
