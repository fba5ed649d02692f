"""The signing keys come from an SSM SecureString too: moto's, as AWS's."""

import json

import botocore.session
import pytest

from chalicelib.aws.keys import load
from chalicelib.aws.settings import from_environment
from tests.fakes.users import KEY


def test_keys_are_read_from_a_secure_parameter(moto_endpoint: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Decrypted."""
    monkeypatch.setenv("AWS_ENDPOINT_URL_SSM", moto_endpoint)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    document = json.dumps({"keys": [{"kid": KEY.kid, "pem": KEY.pem}]})
    ssm = botocore.session.get_session().create_client("ssm", region_name="us-east-1")
    ssm.put_parameter(Name="/holodeck/keys", Value=document, Type="SecureString")  # type: ignore[attr-defined]
    assert load(from_environment({"TOKEN_KEYS_PARAMETER": "/holodeck/keys"})) == (KEY,)
