"""A text that only we may know: a file on one machine, an SSM SecureString in AWS. Never logged, nor in an error."""

from pathlib import Path


def read(path: str | None, parameter: str | None) -> str | None:
    """The file's text, or the parameter's; None where neither is set."""
    if path:
        return Path(path).read_text(encoding="utf-8")
    if parameter:
        from aws_lambda_powertools.utilities import parameters  # noqa: PLC0415 - brings boto3; only in AWS

        return str(parameters.get_parameter(parameter, decrypt=True))
    return None
