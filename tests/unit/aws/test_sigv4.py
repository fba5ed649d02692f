"""Our signer signs what botocore signs."""

import hashlib
from urllib.parse import parse_qsl, quote

import pytest
from botocore.auth import S3SigV4QueryAuth, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials as BotoCredentials
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.aws.sigv4 import Credentials, presigned, query_of, sign

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


@pytest.mark.parametrize("token", [None, "session/token+with=signs"])
def test_a_query_is_signed_as_botocore_signs_it(token: str | None) -> None:
    """In order, and encoded."""
    query = query_of({"uploadId": "a b/+=~", "partNumber": "1", "list-type": "2", "x": ""})
    digest = hashlib.sha256(b"").hexdigest()
    mine = sign(
        "PUT",
        HOST,
        "/key",
        digest,
        Credentials("AKID", "secret", token),
        region="eu-west-1",
        service="s3",
        amz_date="20260102T030405Z",
        query=query,
    )
    signed = {k: v for k, v in mine.items() if k not in {"authorization", "host"}}
    assert mine["authorization"] == theirs("PUT", f"/key?{query}", signed, token, "s3")


@pytest.mark.parametrize("token", [None, "session/token+with=signs"])
def test_an_address_is_signed_as_botocore_signs_it(token: str | None) -> None:
    """For S3: the path once encoded, the payload unsigned, S3's own parameters among ours."""
    said = 'attachment; filename="a b.ogg"'
    mine = presigned(
        HOST,
        "/recordings/ses_1/ada.tab-00~1.ogg",
        Credentials("AKID", "secret", token),
        region="eu-west-1",
        amz_date="20260102T030405Z",
        ttl_s=900,
        parameters={"response-content-disposition": said},
    )
    url = f"https://{HOST}/recordings/ses_1/ada.tab-00~1.ogg?response-content-disposition={quote(said)}"
    request = AWSRequest(method="GET", url=url)
    auth = S3SigV4QueryAuth(BotoCredentials("AKID", "secret", token), "s3", "eu-west-1", expires=900)
    request.context["timestamp"] = "20260102T030405Z"
    auth._modify_request_before_signing(request)  # type: ignore[attr-defined]
    canonical = auth.canonical_request(request)
    signature = auth.signature(auth.string_to_sign(request, canonical), request)
    assert mine.partition("&X-Amz-Signature=")[2] == signature
    assert dict(parse_qsl(mine.partition("?")[2]))["response-content-disposition"] == said
