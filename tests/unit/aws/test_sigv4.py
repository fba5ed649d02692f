"""Our signer signs what botocore signs."""

import hashlib

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials as BotoCredentials
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.aws.sigv4 import Credentials, sign

HOST = "abc123.execute-api.eu-west-1.amazonaws.com"


def theirs(method: str, path: str, headers: dict[str, str], token: str | None, service: str) -> str:
    """botocore's Authorization header for the same request at the same moment."""
    request = AWSRequest(method=method, url=f"https://{HOST}{path}", headers={**headers, "host": HOST})
    auth = SigV4Auth(BotoCredentials("AKID", "secret", token), service, "eu-west-1")
    request.context["timestamp"] = headers["x-amz-date"]
    canonical = auth.canonical_request(request)
    to_sign = auth.string_to_sign(request, canonical)
    signature = auth.signature(to_sign, request)
    names = auth.signed_headers(auth.headers_to_sign(request))
    return f"AWS4-HMAC-SHA256 Credential={auth.scope(request)}, SignedHeaders={names}, Signature={signature}"


@pytest.mark.parametrize("token", [None, "session/token+with=signs"])
@pytest.mark.parametrize("target", [None, "DynamoDB_20120810.UpdateItem"])
@pytest.mark.parametrize("path", ["/", "/api/@connections/L0SM9cOFvHcCIhw%3D", "/api/%40connections/a%2Bb%2F"])
def test_same_signature_as_botocore(path: str, target: str | None, token: str | None) -> None:
    """Path encoding, session token and target are signed as AWS expects."""
    digest = hashlib.sha256(b"body").hexdigest()
    mine = sign(
        "POST",
        HOST,
        path,
        digest,
        Credentials("AKID", "secret", token),
        region="eu-west-1",
        service="execute-api",
        amz_date="20260102T030405Z",
        target=target,
    )
    signed = {k: v for k, v in mine.items() if k not in {"authorization", "host"}}
    assert mine["authorization"] == theirs("POST", path, signed, token, "execute-api")


@given(st.from_regex(r"[A-Za-z0-9+/]{11,20}=?", fullmatch=True))
def test_any_connection_id(connection_id: str) -> None:
    """Connection ids are base64; every one of them signs as botocore would."""
    from urllib.parse import quote  # noqa: PLC0415

    path = f"/api/@connections/{quote(connection_id, safe='')}"
    digest = hashlib.sha256(b"").hexdigest()
    mine = sign(
        "DELETE",
        HOST,
        path,
        digest,
        Credentials("AKID", "secret"),
        region="eu-west-1",
        service="execute-api",
        amz_date="20260102T030405Z",
    )
    signed = {k: v for k, v in mine.items() if k not in {"authorization", "host"}}
    assert mine["authorization"] == theirs("DELETE", path, signed, None, "execute-api")
