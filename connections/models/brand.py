"""How a tenant's pages look, and in the one row without a tenant, how the operator's do where a tenant says nothing.

Every value is empty where it is not set. ``connections.brand`` says what the values mean, which are allowed, and what
stands in for an empty one; ``lifecycle.provision.brands`` checks and writes them.
"""

import uuid

from django.core.validators import MaxValueValidator, RegexValidator
from django.db import models

from connections.models.tenant import Tenant

COLOR = RegexValidator(r"^#[0-9a-fA-F]{6}\Z", "Give a colour as #rrggbb.")
OPERATORS = uuid.UUID(int=0)
WIDEST_RADIUS = 24
_ROLES = ("accent", "background", "surface", "text")
_COLORS = (*_ROLES, *(f"dark_{role}" for role in _ROLES))


def _color() -> "models.CharField[str, str]":
    return models.CharField(max_length=7, default="", blank=True, validators=[COLOR])


class Brand(models.Model):
    """One brand. The operator's has no tenant and the id ``OPERATORS``, so that there is one of them.

    - ``name``: of the operator alone; a tenant has a name of its own
    - ``texts``: own words by language and place (``connections.brand.texts``)
    - ``locale``: the language of a page if neither the session nor a wish of the browser decides; "" for none
    - ``logo`` and ``favicon``: drawn anew by ``connections.brand.pictures``
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    tenant = models.OneToOneField(Tenant, null=True, blank=True, on_delete=models.CASCADE, related_name="brand")
    name = models.CharField(max_length=120, default="", blank=True)
    accent = _color()
    background = _color()
    surface = _color()
    text = _color()
    dark_accent = _color()
    dark_background = _color()
    dark_surface = _color()
    dark_text = _color()
    radius = models.PositiveSmallIntegerField(null=True, blank=True, validators=[MaxValueValidator(WIDEST_RADIUS)])
    font = models.CharField(max_length=20, default="", blank=True)
    texts = models.JSONField(default=dict, blank=True)
    support_url = models.CharField(max_length=1000, default="", blank=True)
    privacy_url = models.CharField(max_length=1000, default="", blank=True)
    locale = models.CharField(max_length=10, default="", blank=True)
    logo = models.BinaryField(default=bytes, blank=True)
    logo_media_type = models.CharField(max_length=40, default="", blank=True)
    favicon = models.BinaryField(default=bytes, blank=True)
    favicon_media_type = models.CharField(max_length=40, default="", blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(tenant__isnull=True, id=OPERATORS) | models.Q(tenant__isnull=False),
                name="brand_of_the_operator_is_one",
            ),
            models.CheckConstraint(
                condition=models.Q(tenant__isnull=True) | models.Q(name=""), name="brand_of_a_tenant_has_no_name"
            ),
            models.CheckConstraint(
                condition=models.Q.create([(f"{name}__regex", r"^(#[0-9a-fA-F]{6})?$") for name in _COLORS]),
                name="brand_has_colors_as_rrggbb",
            ),
        ]

    def __str__(self) -> str:
        return self.tenant.slug if self.tenant is not None else "The operator"

    def colors(self, *, is_dark: bool) -> dict[str, str]:
        """Return the colours that are set, by role."""
        prefix = "dark_" if is_dark else ""
        return {role: getattr(self, prefix + role) for role in _ROLES}
