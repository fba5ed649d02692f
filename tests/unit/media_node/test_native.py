"""When what was compiled counts, and why nothing can be; what compiles is tried by `tests/node/test_native.py`."""

from pathlib import Path

import pytest

from media_node import native


def test_what_is_compiled_is_there_and_nothing_is_named_twice() -> None:
    assert all((native.PACKAGE / f"{name}.py").exists() for name in native.HOT)
    assert list(native.HOT) == sorted(set(native.HOT))


@pytest.mark.parametrize("source", ["media_node/rtp.py", "chalicelib/wire/limits.py"])
def test_it_counts_while_the_sources_are_what_they_were(tmp_path: Path, source: str) -> None:
    """A word changed in the node, or in the vocabulary, whose numbers are compiled in: it is of other sources."""
    folder, changed = tmp_path / "native", tmp_path / source
    folder.mkdir()
    changed.parent.mkdir(parents=True)
    changed.write_text("A = 1\n")
    assert native.built(folder, tmp_path) is None
    (folder / "compiled.txt").write_text(native.stamp(tmp_path))
    assert native.built(folder, tmp_path) == folder
    changed.write_text("A = 2\n")
    assert native.built(folder, tmp_path) is None


def test_without_a_compiler_or_pythons_headers_it_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And leaves what was there."""
    monkeypatch.setattr("media_node.native.sysconfig.get_paths", lambda: {"include": str(tmp_path)})
    target = tmp_path / "native"
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SystemExit, match="C compiler is not there"):
        native.main([str(target)])
    (tmp_path / "cc").write_text("")
    (tmp_path / "cc").chmod(0o755)
    with pytest.raises(SystemExit, match=r"Python\.h is not there"):
        native.main([str(target)])
    assert not target.exists()
    (tmp_path / "Python.h").write_text("")
    assert native.unavailable() is None


def test_what_is_there_already_is_not_made_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "compiled.txt").write_text(native.stamp())
    monkeypatch.setattr(native, "unavailable", lambda: pytest.fail("compiled again"))
    native.main([str(tmp_path)])
