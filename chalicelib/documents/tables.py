"""The log's table, declared. It carries no traffic: `documents.store` has the lean client for that."""

from pynamodb.attributes import NumberAttribute, UnicodeAttribute
from pynamodb.models import Model


class OpLogModel(Model):
    """The shape of the oplog table."""

    class Meta:
        """Bound to a deployment by wiring."""

        table_name = "oplog"
        billing_mode = "PAY_PER_REQUEST"

    document_id = UnicodeAttribute(hash_key=True)
    revision = NumberAttribute(range_key=True)
