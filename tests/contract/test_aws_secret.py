"""Secrets come from an SSM SecureString: moto's, as AWS's."""

import botocore.session
import pytest

from chalicelib.aws.secret import read


def test_a_secret_is_read_from_a_secure_parameter(moto_endpoint: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Decrypted."""
    monkeypatch.setenv("AWS_ENDPOINT_URL_SSM", moto_endpoint)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    ssm = botocore.session.get_session().create_client("ssm", region_name="us-east-1")
    ssm.put_parameter(Name="/holodeck/turn", Value="new\nold", Type="SecureString")  # type: ignore[attr-defined]
    assert read(None, "/holodeck/turn") == "new\nold"
