"""Texts that only we may know."""

from pathlib import Path

from chalicelib.aws.secret import read


def test_a_secret_is_read_from_a_file(tmp_path: Path) -> None:
    """As it is."""
    path = tmp_path / "secret"
    path.write_text("hush\nnow\n")
    assert read(str(path), "/ignored") == "hush\nnow\n"


def test_where_nothing_is_set_there_is_none() -> None:
    """Whether that may be is for who asks."""
    assert read(None, None) is None
