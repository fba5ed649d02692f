"""The keys that sign our tokens: a file on one machine, an SSM SecureString in AWS. Read once a container; never logged.

{"keys": [{"kid": "...", "pem": "-----BEGIN PRIVATE KEY-----..."}]}, EC P-256, PKCS#8: the first signs, all verify. To rotate
while containers with the old list live: append the new key, deploy; put it first, deploy; drop the old one when its last
token (GUEST_REFRESH_TTL_S) has expired.
"""

from pathlib import Path

import msgspec
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from chalicelib.aws.settings import Settings
from chalicelib.wire.tokens import SigningKey


class _Key(msgspec.Struct):
    kid: str
    pem: str


class _Keys(msgspec.Struct):
    keys: list[_Key]


def load(settings: Settings) -> tuple[SigningKey, ...]:
    """The keys, the signing one first. RuntimeError if there are none, or they are not what they must be."""
    found = _load(settings.token_keys_file, settings.token_keys_parameter)
    if not found:
        raise RuntimeError("set TOKEN_KEYS_FILE or TOKEN_KEYS_PARAMETER")
    return found


def load_nodes(settings: Settings) -> tuple[SigningKey, ...]:
    """The media nodes' own keys, which sign nothing else; none where there are no nodes."""
    return _load(settings.node_keys_file, settings.node_keys_parameter)


def _load(file: str | None, parameter: str | None) -> tuple[SigningKey, ...]:
    if file:
        return parse(Path(file).read_bytes())
    if not parameter:
        return ()
    from aws_lambda_powertools.utilities import parameters  # noqa: PLC0415 - brings boto3; only in AWS

    return parse(str(parameters.get_parameter(parameter, decrypt=True)).encode())


def parse(raw: bytes) -> tuple[SigningKey, ...]:
    """The keys of such a document. RuntimeError, whose text holds nothing of it."""
    try:
        keys = msgspec.json.decode(raw, type=_Keys).keys
    except msgspec.DecodeError:
        raise RuntimeError("the token keys are not the JSON that they must be") from None
    if not keys or len({k.kid for k in keys}) != len(keys):
        raise RuntimeError("there must be token keys, each with its own kid")
    if not all(_is_p256(k.pem) for k in keys):
        raise RuntimeError("a token key is not an EC P-256 private key in PEM")
    return tuple(SigningKey(k.kid, k.pem) for k in keys)


def _is_p256(pem: str) -> bool:
    try:
        key = load_pem_private_key(pem.encode("ascii"), password=None)
    except (ValueError, TypeError):
        return False
    return isinstance(key, EllipticCurvePrivateKey) and isinstance(key.curve, SECP256R1)
