"""Used tickets in DynamoDB: the one conditional write that makes a ticket single-use.

Table `tickets`: PK jti. A row means "used"; TTL `expires_at` removes it long after the ticket's own expiry.
"""

from pynamodb.attributes import NumberAttribute, UnicodeAttribute
from pynamodb.exceptions import PutError
from pynamodb.models import Model

from chalicelib.aws.tables import condition_failed, reaching


class TicketModel(Model):
    """The shape of the tickets table."""

    class Meta:
        """Bound to a deployment by wiring."""

        table_name = "tickets"
        billing_mode = "PAY_PER_REQUEST"

    jti = UnicodeAttribute(hash_key=True)
    expires_at = NumberAttribute()


class TicketStore:
    """Burns tickets."""

    def __init__(self, model: type[TicketModel]) -> None:
        self._model = model

    def burn(self, jti: str, expires_at_s: int) -> bool:
        """True the first time, False ever after. UPSTREAM_UNAVAILABLE if the table does not answer."""
        with reaching("ticket.burn"):
            try:
                self._model(jti, expires_at=expires_at_s).save(condition=self._model.jti.does_not_exist())
            except PutError as exc:
                if condition_failed(exc):
                    return False
                raise
        return True
