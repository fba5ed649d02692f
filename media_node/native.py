"""The modules that every packet goes through, compiled by mypyc: `python -m media_node.native [FOLDER]`.

The same Python becomes C and costs a quarter less CPU (docs/adr/0012-the-hot-path-is-compiled.md). The package is copied to
FOLDER, and what is compiled lies beside its source, where Python prefers it. Whoever starts a node has FOLDER on the path
before the sources, or not: it runs either way. The image is made so; on one machine a node is started so where `built`
says that what is in .cache/native is of the sources as they are.
"""

import hashlib
import os
import shutil
import sys
import sysconfig
from contextlib import chdir
from importlib.metadata import version
from pathlib import Path
from typing import Final

HOT: Final = (
    "earshot",
    "gain",
    "gather",
    "house",
    "inbox",
    "kernel",
    "link",
    "link_media",
    "listener",
    "outbox",
    "party",
    "rewrite",
    "rtcp",
    "rtp",
    "share",
    "slots",
    "source",
    "speaker",
    "srtp",
    "stun",
    "telling",
    "transport",
    "voice",
)
"""What a packet of voice meets, and what chooses who hears it. No more: the rest costs the same, compiled or not."""
PACKAGE: Final = Path(__file__).parent
FOLDER: Final = PACKAGE.parent / ".cache" / "native"
_STAMP: Final = "sources.sha256"


def digest() -> str:
    """Of the package's sources, and of what compiles them for what."""
    made = hashlib.sha256(f"{sys.version}\0{version('mypy')}\0".encode())
    for path in sorted(PACKAGE.glob("*.py")):
        content = path.read_bytes()
        made.update(f"{path.name}\0{len(content)}\0".encode())
        made.update(content)
    return made.hexdigest()


def built(folder: Path = FOLDER) -> Path | None:
    """The folder, where what is in it was compiled of the sources as they are."""
    stamp = folder / _STAMP
    return folder if stamp.exists() and stamp.read_text() == digest() else None


def unavailable() -> str | None:
    """Why nothing can be compiled here; None: it can."""
    if not any(shutil.which(name) for name in ("cc", "gcc", "clang")):
        return "a C compiler is not there (on Debian: apt-get install gcc libc6-dev)"
    if not (Path(sysconfig.get_paths()["include"]) / "Python.h").exists():
        return "Python.h is not there (on Debian: apt-get install python3-dev)"
    return None


def build(folder: Path) -> None:
    """All of it, whole or not at all. Whatever is in the folder is replaced. About 40 seconds."""
    from mypyc.build import mypycify  # noqa: PLC0415 - the node itself does without
    from setuptools import setup  # noqa: PLC0415

    os.environ["MYPYPATH"] = str(PACKAGE.parent)  # what the vocabulary's limits are, is compiled in
    tree = folder.with_name(f"{folder.name}.new")
    shutil.rmtree(tree, ignore_errors=True)
    shutil.copytree(PACKAGE, tree / PACKAGE.name, ignore=shutil.ignore_patterns("__pycache__"))
    with chdir(tree):
        options = ["--config-file=", "--ignore-missing-imports", "--cache-dir=/dev/null"]
        paths = [f"{PACKAGE.name}/{name}.py" for name in HOT]
        modules = mypycify([*options, *paths], opt_level="3", debug_level="0", group_name=PACKAGE.name)
        setup(name=PACKAGE.name, script_args=["-q", "build_ext", "--inplace"], packages=[], ext_modules=modules)
    shutil.rmtree(tree / "build")
    (tree / _STAMP).write_text(digest())
    shutil.rmtree(folder, ignore_errors=True)
    tree.rename(folder)


def main(arguments: list[str]) -> None:
    """The command."""
    folder = Path(arguments[0]).absolute() if arguments else FOLDER
    if built(folder):
        return
    if reason := unavailable():
        raise SystemExit(f"The media node cannot be compiled: {reason}")
    folder.parent.mkdir(parents=True, exist_ok=True)
    build(folder)


if __name__ == "__main__":
    main(sys.argv[1:])
