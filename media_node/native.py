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
ROOT: Final = PACKAGE.parent
FOLDER: Final = ROOT / ".cache" / "native"
_STAMP: Final = "compiled.txt"


def sources(root: Path = ROOT) -> list[Path]:
    """What a node is made of; the vocabulary too, whose numbers are compiled in."""
    found = [path for folder in ("chalicelib", "media_node") for path in (root / folder).rglob("*")]
    return sorted(path for path in found if path.is_file() and "__pycache__" not in path.parts)


def content_hash(root: Path = ROOT) -> str:
    """Names and bytes of all of it."""
    digest = hashlib.sha256()
    for path in sources(root):
        digest.update(f"{path.relative_to(root)}\0{path.stat().st_size}\0".encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()[:32]


def stamp(root: Path = ROOT) -> str:
    """Of the sources as they are, what compiles them, and for what."""
    return f"{content_hash(root)} mypy {version('mypy')}, Python {sys.version}"


def built(folder: Path = FOLDER, root: Path = ROOT) -> Path | None:
    """The folder, where what is in it was compiled of the sources as they are."""
    stamped = folder / _STAMP
    return folder if stamped.exists() and stamped.read_text() == stamp(root) else None


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

    os.environ["MYPYPATH"] = str(ROOT)  # what the vocabulary's limits are, is compiled in
    tree = folder.with_name(f"{folder.name}.new")
    shutil.rmtree(tree, ignore_errors=True)
    shutil.copytree(PACKAGE, tree / PACKAGE.name, ignore=shutil.ignore_patterns("__pycache__"))
    with chdir(tree):
        options = ["--config-file=", "--ignore-missing-imports", "--cache-dir=/dev/null"]
        paths = [f"{PACKAGE.name}/{name}.py" for name in HOT]
        modules = mypycify([*options, *paths], opt_level="3", debug_level="0", group_name=PACKAGE.name)
        setup(name=PACKAGE.name, script_args=["-q", "build_ext", "--inplace"], packages=[], ext_modules=modules)
    shutil.rmtree(tree / "build")
    (tree / _STAMP).write_text(stamp())
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
