"""The media table, declared; docs/webrtc.md has its rows. It carries no traffic: the stores have the lean client for that."""

from pynamodb.attributes import NumberAttribute, UnicodeAttribute
from pynamodb.models import Model


class MediaModel(Model):
    """The shape of the media table."""

    class Meta:
        """Bound to a deployment by wiring."""

        table_name = "media"
        billing_mode = "PAY_PER_REQUEST"

    pk = UnicodeAttribute(hash_key=True)
    sk = UnicodeAttribute(range_key=True)
    expires_at = NumberAttribute(null=True)
