"""Accounts: a Cognito user pool and the page's client. Free at rest, and up to 10,000 people a month (Essentials tier)."""

from chalicelib.wire import limits
from infra.names import Resources, kept, ref


def identity(stage: str) -> Resources:
    """The pool and its client. A length is the whole password policy (NIST SP 800-63B)."""
    return {
        "UserPool": {
            "Type": "AWS::Cognito::UserPool",
            **kept(stage == "prod"),
            "Properties": {
                "UserPoolName": f"holodeck-{stage}",
                "UsernameAttributes": ["email"],
                "AutoVerifiedAttributes": ["email"],
                "UserAttributeUpdateSettings": {"AttributesRequireVerificationBeforeUpdate": ["email"]},
                "UsernameConfiguration": {"CaseSensitive": False},
                "DeletionProtection": "ACTIVE" if stage == "prod" else "INACTIVE",
                "Policies": {
                    "PasswordPolicy": {
                        "MinimumLength": limits.PASSWORD_CHARS_MIN,
                        "RequireLowercase": False,
                        "RequireUppercase": False,
                        "RequireNumbers": False,
                        "RequireSymbols": False,
                    }
                },
                "AccountRecoverySetting": {"RecoveryMechanisms": [{"Name": "verified_email", "Priority": 1}]},
                "Schema": [{"Name": "name", "AttributeDataType": "String", "Mutable": True, "Required": True}],
            },
        },
        "UserPoolClient": {
            "Type": "AWS::Cognito::UserPoolClient",
            "Properties": {
                "UserPoolId": ref("UserPool"),
                "ClientName": "page",
                "GenerateSecret": False,
                "ExplicitAuthFlows": ["ALLOW_USER_PASSWORD_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"],
                "PreventUserExistenceErrors": "ENABLED",
                "EnableTokenRevocation": True,
                "ReadAttributes": ["email", "name"],
                "WriteAttributes": ["email", "name"],
                "AccessTokenValidity": 1,
                "IdTokenValidity": 1,
                "RefreshTokenValidity": 30,
            },
        },
    }
