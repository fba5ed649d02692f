"""The presence and connections tables, declared. They carry no traffic: `presence.store` has the lean client for that."""

from pynamodb.attributes import NumberAttribute, UnicodeAttribute
from pynamodb.models import Model


class PresenceModel(Model):
    """The shape of the presence table."""

    class Meta:
        """Bound to a deployment by wiring."""

        table_name = "presence"
        billing_mode = "PAY_PER_REQUEST"

    session_id = UnicodeAttribute(hash_key=True)
    sk = UnicodeAttribute(range_key=True)
    expires_at = NumberAttribute(null=True)


class ConnectionModel(Model):
    """The shape of the connections table."""

    class Meta:
        """Bound to a deployment by wiring."""

        table_name = "connections"
        billing_mode = "PAY_PER_REQUEST"

    connection_id = UnicodeAttribute(hash_key=True)
    expires_at = NumberAttribute(null=True)
