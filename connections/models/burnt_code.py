"""One authorization code that came to the wrong browser. Nobody may use it any more."""

from django.db import models

from connections.models.connect_session import ConnectSession
from connections.models.provider_app import ProviderApp


class BurntCode(models.Model):
    """A burnt code, of which only a hash is stored. Only ``session`` may still bring the code; None: no session may."""

    provider_app = models.ForeignKey(ProviderApp, on_delete=models.CASCADE, related_name="+")
    session = models.ForeignKey(ConnectSession, null=True, blank=True, on_delete=models.CASCADE, related_name="+")
    code_hash = models.BinaryField()
    burnt_at = models.DateTimeField(db_index=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["provider_app", "code_hash"], name="a_code_is_burnt_once"),
        ]

    def __str__(self) -> str:
        return str(self.pk)
