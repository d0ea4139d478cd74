"""The scopes of a connection: requested, granted and observed, compared continuously. Its app says which it needs."""

from django.db import models

from connections.models.connection import Connection


class Scope(models.Model):
    """One scope of one connection.

    ``is_observed`` is null until a probe or introspection tells of scopes. Then it says whether the provider named this
    scope, or another that stands for it.
    """

    connection = models.ForeignKey(Connection, on_delete=models.CASCADE, related_name="scopes")
    name = models.CharField(max_length=255)
    is_requested = models.BooleanField(default=False)
    is_granted = models.BooleanField(default=False)
    is_observed = models.BooleanField(null=True, blank=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["name"]
        constraints = [models.UniqueConstraint(fields=["connection", "name"], name="scope_once_a_connection")]

    def __str__(self) -> str:
        return self.name
