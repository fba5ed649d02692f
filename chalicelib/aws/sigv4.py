"""AWS Signature Version 4, only what is needed here: signed headers fixed, a query as its caller has put it in order.

botocore signs any request of any service and costs 0.3-0.5 ms of CPU for it; this costs a tenth. Pure: the clock is an
argument. Source: "Create a signed AWS API request" (AWS Identity and Access Management user guide).
"""

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Final
from urllib.parse import quote

EMPTY_SHA256: Final = hashlib.sha256(b"").hexdigest()


@dataclass(frozen=True, slots=True)
class Credentials:
    """An access key; in a function it comes with a session token, which is signed too."""

    access_key: str
    secret_key: str
    session_token: str | None = None


@lru_cache(maxsize=16)
def signing_key(secret: str, date: str, region: str, service: str) -> bytes:
    """The key of one day, region and service."""
    key = f"AWS4{secret}".encode()
    for part in (date, region, service, "aws4_request"):
        key = hmac.digest(key, part.encode(), "sha256")
    return key


@lru_cache(maxsize=4096)
def canonical_path(path: str) -> str:
    """A path, as it goes on the wire, encoded once more."""
    return quote(path, safe="/~")


def sign(
    method: str,
    host: str,
    path: str,
    payload_sha256: str,
    credentials: Credentials,
    *,
    region: str,
    service: str,
    amz_date: str,
    target: str | None = None,
    query: str = "",
) -> dict[str, str]:
    """The headers that make a request a signed one.

    `path` is as it goes on the wire, already percent-encoded; the canonical request encodes it once more (every service
    but S3 does). `amz_date` is `YYYYMMDDTHHMMSSZ`. `target` is DynamoDB's operation. `query` is made by `query_of`.
    """
    signed: list[tuple[str, str]] = [("host", host), ("x-amz-content-sha256", payload_sha256), ("x-amz-date", amz_date)]
    if credentials.session_token:
        signed.append(("x-amz-security-token", credentials.session_token))
    if target:
        signed.append(("x-amz-target", target))
    names = ";".join(name for name, _ in signed)
    lines = "".join(f"{name}:{value}\n" for name, value in signed)
    request = f"{method}\n{canonical_path(path)}\n{query}\n{lines}\n{names}\n{payload_sha256}"
    scope = f"{amz_date[:8]}/{region}/{service}/aws4_request"
    signature = _signature(request, credentials, scope, amz_date)
    headers = dict(signed)
    headers["authorization"] = (
        f"AWS4-HMAC-SHA256 Credential={credentials.access_key}/{scope}, SignedHeaders={names}, Signature={signature}"
    )
    return headers


def presigned(
    host: str,
    path: str,
    credentials: Credentials,
    *,
    region: str,
    amz_date: str,
    ttl_s: int,
    parameters: Mapping[str, str],
) -> str:
    """The path and query by which whoever has them reads an object of S3 for `ttl_s` seconds from `amz_date` on.

    `path` needs no percent-encoding, as ours do not. `parameters` are S3's, as `response-content-disposition`.
    """
    scope = f"{amz_date[:8]}/{region}/s3/aws4_request"
    given = {
        "X-Amz-Algorithm": "AWS4-HMAC-SHA256",
        "X-Amz-Credential": f"{credentials.access_key}/{scope}",
        "X-Amz-Date": amz_date,
        "X-Amz-Expires": str(ttl_s),
        "X-Amz-SignedHeaders": "host",
        **parameters,
    }
    if credentials.session_token:
        given["X-Amz-Security-Token"] = credentials.session_token
    query = query_of(given)
    request = f"GET\n{path}\n{query}\nhost:{host}\n\nhost\nUNSIGNED-PAYLOAD"
    return f"{path}?{query}&X-Amz-Signature={_signature(request, credentials, scope, amz_date)}"


def query_of(parameters: Mapping[str, str]) -> str:
    """A query in the one order and encoding that is signed."""
    pairs = sorted((quote(name, safe="~"), quote(value, safe="~")) for name, value in parameters.items())
    return "&".join(f"{name}={value}" for name, value in pairs)


def _signature(request: str, credentials: Credentials, scope: str, amz_date: str) -> str:
    _, region, service, _ = scope.split("/")
    digest = hashlib.sha256(request.encode()).hexdigest()
    key = signing_key(credentials.secret_key, amz_date[:8], region, service)
    return hmac.new(key, f"AWS4-HMAC-SHA256\n{amz_date}\n{scope}\n{digest}".encode(), "sha256").hexdigest()
