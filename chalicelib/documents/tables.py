"""The documents' tables, declared. They carry no traffic: the stores have the lean client for that."""

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


class QueueModel(Model):
    """The shape of the queue table."""

    class Meta:
        """Bound to a deployment by wiring."""

        table_name = "queue"
        billing_mode = "PAY_PER_REQUEST"

    document_id = UnicodeAttribute(hash_key=True)
    sk = UnicodeAttribute(range_key=True)
    expires_at = NumberAttribute(null=True)


class DocumentModel(Model):
    """The shape of the documents table."""

    class Meta:
        """Bound to a deployment by wiring."""

        table_name = "documents"
        billing_mode = "PAY_PER_REQUEST"

    pk = UnicodeAttribute(hash_key=True)
    sk = UnicodeAttribute(range_key=True)
