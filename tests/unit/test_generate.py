"""Generated files follow from the wire definitions, and a stale one is told."""

from pathlib import Path

import msgspec
import pytest

from chalicelib.wire import bodies, codes, messages, types
from local.generate import OUTPUTS, ROOT, main, stale
from local.typescript import typescript


def test_every_generated_file_in_the_repository_is_fresh() -> None:
    """What is committed is what the definitions give."""
    assert stale(ROOT, OUTPUTS) == []


def test_the_same_definitions_give_the_same_text() -> None:
    """Generation is deterministic."""
    assert typescript() == typescript()


def test_check_fails_for_an_absent_and_for_a_changed_file_and_writes_nothing(tmp_path: Path) -> None:
    """`--check` only looks."""
    outputs = (("deep/a.ts", lambda: "a\n"),)
    assert main(["--check"], tmp_path, outputs) == 1
    assert not (tmp_path / "deep").exists()
    assert main([], tmp_path, outputs) == 0
    assert main(["--check"], tmp_path, outputs) == 0
    (tmp_path / "deep/a.ts").write_text("b\n")
    assert main(["--check"], tmp_path, outputs) == 1


@pytest.mark.parametrize("union", ["ClientMessage", "ServerMessage"])
def test_every_message_is_an_interface_told_apart_by_its_type(union: str) -> None:
    """The unions are discriminated by the tag."""
    text = typescript()
    for message in getattr(messages, union).__args__:
        assert f'export interface {message.__name__} {{\n  type: "{message.__struct_config__.tag}";\n' in text


def test_every_body_is_an_interface_with_every_field() -> None:
    """No field of the wire is left out."""
    text = typescript()
    for name, body in vars(bodies).items():
        if isinstance(body, type) and issubclass(body, msgspec.Struct) and body.__module__ == bodies.__name__:
            block = text.split(f"export interface {name} {{\n")[1].split("\n}")[0]
            for field in msgspec.structs.fields(body):
                assert f"  {field.encode_name}{'' if field.required else '?'}: " in block


def test_every_code_has_its_status() -> None:
    """The table of codes is whole."""
    rows = " ".join(typescript().split("export const CODES")[1].split()).replace('"', "")
    for code in codes.Code:
        assert f" {code.value}: {{ status: {codes.STATUS[code]}, message: {codes.MESSAGE[code]}" in rows


def test_the_aliases_of_the_small_types_are_used() -> None:
    """A field says `PeerId`, not `string`."""
    text = typescript()
    assert types.PeerId is not str
    assert "peer_id: PeerId;" in text
    assert "position: Vec3;" in text
