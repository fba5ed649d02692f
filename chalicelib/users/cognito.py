"""Accounts at Amazon Cognito. All four calls are unauthenticated client calls: they need no IAM and no secret.

The bearer token that a page sends is Cognito's ID token: made for our client (`aud`), and it carries the person's
name, which an access token does not, so that no call is needed to show who somebody is.

An unknown address is answered like a wrong password or a wrong code, whatever the pool's setting; only signing up tells
that an address is taken, as it must. botocore alone is used, without boto3's import on top.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeVar, cast

import botocore.session
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, ParamValidationError

from chalicelib.aws import log
from chalicelib.wire.codes import Code
from chalicelib.wire.errors import AppError

if TYPE_CHECKING:
    from mypy_boto3_cognito_idp import CognitoIdentityProviderClient

T = TypeVar("T")

CODES: Final = {
    "UsernameExistsException": Code.ACCOUNT_EXISTS,
    "AliasExistsException": Code.ACCOUNT_EXISTS,
    "InvalidPasswordException": Code.PASSWORD_WEAK,
    "NotAuthorizedException": Code.CREDENTIALS_WRONG,
    "UserNotFoundException": Code.CREDENTIALS_WRONG,
    "PasswordResetRequiredException": Code.CREDENTIALS_WRONG,
    "UserNotConfirmedException": Code.ACCOUNT_UNCONFIRMED,
    "CodeMismatchException": Code.CONFIRMATION_WRONG,
    "ExpiredCodeException": Code.CONFIRMATION_WRONG,
    "InvalidParameterException": Code.BODY_INVALID,
    "TooManyRequestsException": Code.RATE_LIMITED,
    "TooManyFailedAttemptsException": Code.RATE_LIMITED,
    "LimitExceededException": Code.RATE_LIMITED,
}
_LOCKED_OUT: Final = "Password attempts exceeded"
_WAIT_MS: Final = 5000
# One retry, for a connection that died while the container was frozen. Were it the answer to a sign-up that got lost, the
# person would be told ACCOUNT_EXISTS, and could log in.
_CONFIG: Final = Config(
    signature_version=UNSIGNED,
    connect_timeout=2,
    read_timeout=5,
    retries={"total_max_attempts": 2, "mode": "standard"},
)


@dataclass(frozen=True, slots=True)
class CognitoTokens:
    """What Cognito gave: the ID token to send as bearer, and how to get the next."""

    token: str
    refresh_token: str | None


class CognitoAccounts:
    """One user pool's app client: without a secret, with USER_PASSWORD_AUTH and REFRESH_TOKEN_AUTH, that may read `name`."""

    def __init__(self, client_id: str, *, region: str, endpoint: str | None) -> None:
        self._client_id = client_id
        self._region = region
        self._endpoint = endpoint
        self._made: CognitoIdentityProviderClient | None = None
        self._making = threading.Lock()

    def sign_up(self, email: str, password: str, name: str) -> tuple[str, bool]:
        """The new user's id, and whether it needs no confirmation. ACCOUNT_EXISTS, PASSWORD_WEAK."""
        made = self._call(
            lambda: self._client().sign_up(
                ClientId=self._client_id,
                Username=email,
                Password=password,
                UserAttributes=[{"Name": "email", "Value": email}, {"Name": "name", "Value": name}],
            )
        )
        return made["UserSub"], made["UserConfirmed"]

    def confirm(self, email: str, code: str) -> None:
        """Uses up the code from the e-mail. CONFIRMATION_WRONG, also for an unknown or a confirmed address."""
        self._call(
            lambda: self._client().confirm_sign_up(ClientId=self._client_id, Username=email, ConfirmationCode=code),
            {Code.CREDENTIALS_WRONG: Code.CONFIRMATION_WRONG},
        )

    def log_in(self, email: str, password: str) -> CognitoTokens:
        """Tokens for a password. CREDENTIALS_WRONG, also for an unknown address; ACCOUNT_UNCONFIRMED."""
        return self._authenticate("USER_PASSWORD_AUTH", {"USERNAME": email, "PASSWORD": password})

    def refresh(self, refresh_token: str) -> CognitoTokens:
        """Tokens for a refresh token, which stays good. TOKEN_INVALID."""
        invalid = dict.fromkeys(
            (Code.CREDENTIALS_WRONG, Code.ACCOUNT_UNCONFIRMED, Code.BODY_INVALID), Code.TOKEN_INVALID
        )
        given = self._authenticate("REFRESH_TOKEN_AUTH", {"REFRESH_TOKEN": refresh_token}, invalid)
        return CognitoTokens(given.token, given.refresh_token or refresh_token)

    def _authenticate(
        self, flow: Any, parameters: dict[str, str], renamed: dict[Code, Code] | None = None
    ) -> CognitoTokens:
        answer = self._call(
            lambda: self._client().initiate_auth(ClientId=self._client_id, AuthFlow=flow, AuthParameters=parameters),
            renamed,
        )
        result = answer.get("AuthenticationResult")
        if not result:  # a challenge (a second factor, a forced new password) that this page cannot meet
            log.warning("cognito.challenge_unsupported", challenge=str(answer.get("ChallengeName")))
            raise AppError((renamed or {}).get(Code.CREDENTIALS_WRONG, Code.CREDENTIALS_WRONG))
        return CognitoTokens(result["IdToken"], result.get("RefreshToken"))

    def _client(self) -> "CognitoIdentityProviderClient":
        with self._making:
            if self._made is None:
                made = botocore.session.get_session().create_client(
                    "cognito-idp", region_name=self._region, endpoint_url=self._endpoint, config=_CONFIG
                )
                self._made = cast("CognitoIdentityProviderClient", made)
        return self._made

    def _call(self, work: Callable[[], T], renamed: dict[Code, Code] | None = None) -> T:
        try:
            return work()
        except ClientError as exc:
            code = _code(exc)
            code = (renamed or {}).get(code, code)
            raise AppError(code, retry_after_ms=_WAIT_MS if code is Code.RATE_LIMITED else None) from exc
        except ParamValidationError as exc:
            raise AppError((renamed or {}).get(Code.BODY_INVALID, Code.BODY_INVALID)) from exc
        except BotoCoreError as exc:
            log.warning("cognito.unavailable", reason=type(exc).__name__)
            raise AppError(Code.UPSTREAM_UNAVAILABLE, retry_after_ms=_WAIT_MS) from exc


def _code(exc: ClientError) -> Code:
    error = exc.response.get("Error", {})
    name = error.get("Code", "")
    if name == "NotAuthorizedException" and _LOCKED_OUT in error.get("Message", ""):
        return Code.RATE_LIMITED
    if name not in CODES:
        log.warning("cognito.unexpected", reason=name)
    return CODES.get(name, Code.UPSTREAM_UNAVAILABLE)
