"""Cognito's refusals, as its API documents them, become our codes. A real HTTP server speaks its protocol."""

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from chalicelib.users.cognito import CODES, CognitoAccounts
from chalicelib.wire.codes import Code
from chalicelib.wire.errors import AppError


class Stub:
    """Answers every call alike, and keeps what it was asked."""

    def __init__(self) -> None:
        self.status = 400
        self.answer: dict[str, Any] = {}
        self.requests: list[tuple[str, dict[str, Any], dict[str, str]]] = []
        self.endpoint = ""

    def refuse(self, name: str, message: str = "internal words", status: int = 400) -> None:
        """Cognito's error."""
        self.status, self.answer = status, {"__type": name, "message": message}

    def accounts(self) -> CognitoAccounts:
        """A client of it."""
        return CognitoAccounts("client", region="us-east-1", endpoint=self.endpoint)


@pytest.fixture
def stub() -> Iterator[Stub]:
    """At a real address."""
    it = Stub()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            sent = self.rfile.read(int(self.headers["Content-Length"]))
            it.requests.append((self.headers["X-Amz-Target"], json.loads(sent), dict(self.headers)))
            body = json.dumps(it.answer).encode()
            self.send_response(it.status)
            self.send_header("Content-Type", "application/x-amz-json-1.1")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            """Silent."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    it.endpoint = f"http://127.0.0.1:{server.server_address[1]}"
    yield it
    server.shutdown()
    server.server_close()
    thread.join()


CALLS: dict[str, Callable[[CognitoAccounts], object]] = {
    "sign_up": lambda a: a.sign_up("a@b.co", "Passw0rdly", "Ada"),
    "confirm": lambda a: a.confirm("a@b.co", "123456"),
    "log_in": lambda a: a.log_in("a@b.co", "Passw0rdly"),
    "refresh": lambda a: a.refresh("token"),
}


def refusal(stub: Stub, call: str) -> AppError:
    with pytest.raises(AppError) as refused:
        CALLS[call](stub.accounts())
    return refused.value


@pytest.mark.parametrize(
    ("call", "name", "code"),
    [
        ("sign_up", "UsernameExistsException", Code.ACCOUNT_EXISTS),
        ("sign_up", "InvalidPasswordException", Code.PASSWORD_WEAK),
        ("sign_up", "InvalidParameterException", Code.BODY_INVALID),
        ("sign_up", "TooManyRequestsException", Code.RATE_LIMITED),
        ("sign_up", "CodeDeliveryFailureException", Code.UPSTREAM_UNAVAILABLE),
        ("confirm", "CodeMismatchException", Code.CONFIRMATION_WRONG),
        ("confirm", "ExpiredCodeException", Code.CONFIRMATION_WRONG),
        ("confirm", "UserNotFoundException", Code.CONFIRMATION_WRONG),
        ("confirm", "NotAuthorizedException", Code.CONFIRMATION_WRONG),
        ("confirm", "AliasExistsException", Code.ACCOUNT_EXISTS),
        ("confirm", "TooManyFailedAttemptsException", Code.RATE_LIMITED),
        ("confirm", "LimitExceededException", Code.RATE_LIMITED),
        ("log_in", "NotAuthorizedException", Code.CREDENTIALS_WRONG),
        ("log_in", "UserNotFoundException", Code.CREDENTIALS_WRONG),
        ("log_in", "PasswordResetRequiredException", Code.CREDENTIALS_WRONG),
        ("log_in", "UserNotConfirmedException", Code.ACCOUNT_UNCONFIRMED),
        ("log_in", "ResourceNotFoundException", Code.UPSTREAM_UNAVAILABLE),
        ("refresh", "NotAuthorizedException", Code.TOKEN_INVALID),
        ("refresh", "UserNotFoundException", Code.TOKEN_INVALID),
        ("refresh", "UserNotConfirmedException", Code.TOKEN_INVALID),
        ("refresh", "InvalidParameterException", Code.TOKEN_INVALID),
        ("refresh", "TooManyRequestsException", Code.RATE_LIMITED),
    ],
)
def test_a_refusal_has_our_code(stub: Stub, call: str, name: str, code: Code) -> None:
    """And nothing of Cognito's words."""
    stub.refuse(name)
    error = refusal(stub, call)
    assert error.code is code
    assert "internal words" not in error.message
    assert (error.retry_after_ms is not None) is (code is Code.RATE_LIMITED)


def test_a_lockout_is_told_from_a_wrong_password(stub: Stub) -> None:
    """Cognito says it only in words."""
    stub.refuse("NotAuthorizedException", "Password attempts exceeded")
    assert refusal(stub, "log_in").code is Code.RATE_LIMITED


@pytest.mark.parametrize(("call", "code"), [("log_in", Code.CREDENTIALS_WRONG), ("refresh", Code.TOKEN_INVALID)])
def test_a_challenge_that_we_cannot_meet_lets_nobody_in(stub: Stub, call: str, code: Code) -> None:
    """A second factor, a forced new password."""
    stub.status, stub.answer = 200, {"ChallengeName": "SOFTWARE_TOKEN_MFA", "Session": "s"}
    assert refusal(stub, call).code is code


@pytest.mark.parametrize("call", CALLS)
def test_a_failing_cognito_is_unavailable(stub: Stub, call: str) -> None:
    """After one retry."""
    stub.refuse("InternalErrorException", status=500)
    assert refusal(stub, call).code is Code.UPSTREAM_UNAVAILABLE
    assert len(stub.requests) == 2


def test_a_cognito_that_nobody_can_reach_is_unavailable() -> None:
    """Try again later."""
    accounts = CognitoAccounts("client", region="us-east-1", endpoint="http://127.0.0.1:9")
    with pytest.raises(AppError) as refused:
        accounts.log_in("a@b.co", "Passw0rdly")
    assert refused.value.code is Code.UPSTREAM_UNAVAILABLE
    assert refused.value.retry_after_ms


def test_what_the_client_itself_refuses_is_an_invalid_body() -> None:
    """Before anything is sent."""
    accounts = CognitoAccounts("client", region="us-east-1", endpoint="http://127.0.0.1:9")
    with pytest.raises(AppError) as refused:
        accounts.confirm("", "123456")
    assert refused.value.code is Code.BODY_INVALID


def test_the_calls_are_unsigned_and_name_our_client(stub: Stub) -> None:
    """They need no IAM; the name goes to the attribute `name`."""
    stub.status, stub.answer = 200, {"UserSub": "sub-1", "UserConfirmed": True}
    assert stub.accounts().sign_up("a@b.co", "Passw0rdly", "Ada") == ("sub-1", True)
    target, sent, headers = stub.requests[0]
    assert target == "AWSCognitoIdentityProviderService.SignUp"
    assert "Authorization" not in headers
    assert (sent["ClientId"], sent["Username"]) == ("client", "a@b.co")
    assert {"Name": "name", "Value": "Ada"} in sent["UserAttributes"]


def test_a_login_gives_the_id_token(stub: Stub) -> None:
    """Not the access token, which has no name."""
    result = {"IdToken": "id", "AccessToken": "access", "ExpiresIn": 60}
    stub.status, stub.answer = 200, {"AuthenticationResult": {**result, "RefreshToken": "refresh"}}
    given = stub.accounts().log_in("a@b.co", "Passw0rdly")
    assert (given.token, given.refresh_token) == ("id", "refresh")
    stub.answer = {"AuthenticationResult": result}
    assert stub.accounts().refresh("kept").refresh_token == "kept"
    assert stub.accounts().log_in("a@b.co", "Passw0rdly").refresh_token is None


def test_every_mapped_code_is_one_that_the_routes_declare() -> None:
    """BODY_INVALID, RATE_LIMITED and UPSTREAM_UNAVAILABLE are every route's."""
    declared = {Code.ACCOUNT_EXISTS, Code.PASSWORD_WEAK, Code.CREDENTIALS_WRONG, Code.ACCOUNT_UNCONFIRMED}
    assert set(CODES.values()) <= declared | {Code.CONFIRMATION_WRONG, Code.BODY_INVALID, Code.RATE_LIMITED}
