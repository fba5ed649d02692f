"""The compiled node: what is compiled passes the tests that it passes as Python, of its rules and in real connections."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from media_node import native

RULES = (
    "earshot gain gain_vectors gather house house_voice inbox onset outbox rewrite rounds rtcp rtp share slots source "
    "speaker srtp voice voice_packets voice_pages"
)
CONNECTIONS = "bad_networks connecting ends hostile reading voice voice_hostile voice_room"
REPLACING = "overheard"
"""It puts a function of its own into the node, which only Python lets it do."""


@pytest.fixture(scope="module")
def compiled() -> dict[str, str]:
    """The environment in which the compiled node is the one that is imported."""
    if reason := native.unavailable():
        pytest.skip(reason)
    subprocess.run([sys.executable, "-m", "media_node.native"], cwd=native.ROOT, check=True, capture_output=True)
    folder = native.built()
    assert folder is not None
    return {**os.environ, "PYTHONPATH": os.pathsep.join((str(folder), str(native.ROOT)))}


def python(compiled: dict[str, str], *arguments: str) -> str:
    """What it says. Nothing else of this checkout is before what is compiled."""
    done = subprocess.run(
        [sys.executable, "-P", *arguments], cwd=native.ROOT, env=compiled, check=False, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
    return done.stdout


def test_all_that_is_to_be_compiled_is_what_is_imported(compiled: dict[str, str]) -> None:
    names = [f"media_node.{name}" for name in native.HOT]
    said = python(compiled, "-c", f"import importlib\nfor n in {names}: print(importlib.import_module(n).__file__)")
    files = said.split()
    assert len(files) == len(names)
    assert {Path(each).suffix for each in files} == {".so"}


@pytest.mark.timeout(300)
def test_it_passes_what_python_passes(compiled: dict[str, str]) -> None:
    files = [f"tests/unit/media_node/test_{name}.py" for name in RULES.split()]
    files += [f"tests/node/test_{name}.py" for name in CONNECTIONS.split()]
    options = ["-o", "addopts=", "-o", "pythonpath=", "--import-mode=append", "-p", "no:cacheprovider", "-n", "3"]
    said = python(compiled, "-m", "pytest", *options, "-q", "-k", f"not {REPLACING}", "--show-capture=no", *files)
    assert re.search(r"^[2-9]\d\d passed", said, re.MULTILINE), said[-400:]
