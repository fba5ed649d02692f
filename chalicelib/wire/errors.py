"""The one error: a code from the table, said in a way that is safe for a client to read."""

from chalicelib.wire.codes import MESSAGE, STATUS, Code


class AppError(Exception):
    """A broken rule with a code from `wire.codes`. Rooms raise it (or a subclass); the edge maps it once.

    `detail` says which field or limit, for a developer; it never carries internals, tokens or personal data.
    `retry_after_ms` is how long to wait before trying again, where waiting helps.
    """

    def __init__(self, code: Code, detail: str = "", *, retry_after_ms: int | None = None) -> None:
        self.code = code
        self.detail = detail
        self.retry_after_ms = retry_after_ms
        super().__init__(f"{code}: {self.message}")

    @property
    def status(self) -> int:
        """The HTTP status (RFC 9110 section 15)."""
        return STATUS[self.code]

    @property
    def message(self) -> str:
        """One sentence for a person, with the detail where there is one."""
        return f"{MESSAGE[self.code]} ({self.detail})" if self.detail else MESSAGE[self.code]
