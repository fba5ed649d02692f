"""The signing keys: read, checked, and never shown."""

import json
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from chalicelib.aws.keys import load, parse
from chalicelib.aws.settings import Settings, from_environment
from tests.fakes.users import KEY, OLD_KEY, pem_of

P384 = pem_of(ec.generate_private_key(ec.SECP384R1()))


def document(*keys: tuple[str, str]) -> bytes:
    return json.dumps({"keys": [{"kid": kid, "pem": pem} for kid, pem in keys]}).encode()


def settings(**environment: str) -> Settings:
    return from_environment(environment)


def test_keys_are_read_from_a_file_in_order(tmp_path: Path) -> None:
    """The first signs."""
    path = tmp_path / "keys.json"
    path.write_bytes(document((KEY.kid, KEY.pem), (OLD_KEY.kid, OLD_KEY.pem)))
    assert load(settings(TOKEN_KEYS_FILE=str(path))) == (KEY, OLD_KEY)


def test_a_deployment_without_keys_says_what_is_missing() -> None:
    """For whoever deploys it."""
    with pytest.raises(RuntimeError, match="TOKEN_KEYS_FILE or TOKEN_KEYS_PARAMETER"):
        load(settings())


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"nonsense",
        b"{}",
        b'{"keys":[]}',
        b'{"keys":[{"kid":"a"}]}',
        document(("a", "secret words")),
        document(("a", "secret wörds")),
        document(("a", P384)),
        document(("a", KEY.pem), ("a", OLD_KEY.pem)),
    ],
    ids=range(9),
)
def test_keys_that_cannot_sign_are_refused_at_once(raw: bytes) -> None:
    """Not at the first token; and nothing of them is in the error."""
    with pytest.raises(RuntimeError) as refused:
        parse(raw)
    assert "secret" not in str(refused.value)
    assert "PRIVATE" not in str(refused.value)
    assert refused.value.__cause__ is None
