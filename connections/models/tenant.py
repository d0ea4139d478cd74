"""A customer of the operator, with its name and brand for the widget. Data is isolated by tenant."""

import uuid

from django.contrib.postgres.fields import ArrayField
from django.core.validators import RegexValidator
from django.db import models

SLUG = RegexValidator(r"^[a-z0-9]+(-[a-z0-9]+)*\Z", "Use lower-case letters, digits and single hyphens.")
COLOR = RegexValidator(r"^#[0-9a-fA-F]{6}\Z", "Give a colour as #rrggbb.")


class Tenant(models.Model):
    """One tenant. ``suspended_at`` is its kill switch: effective on the next vend.

    ``shred_at`` is when its data keys are destroyed at the latest (null: it is not being deleted).
    ``events_gone_to`` is the id of the newest of its events that housekeeping has deleted.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    slug = models.SlugField(max_length=64, unique=True, validators=[SLUG])
    name = models.CharField(max_length=120)
    brand_color = models.CharField(max_length=7, default="#2f5bea", validators=[COLOR])
    logo = models.BinaryField(default=bytes, blank=True)
    logo_media_type = models.CharField(max_length=40, default="", blank=True)
    allowed_origins = ArrayField(models.CharField(max_length=255), default=list, blank=True)
    return_urls = ArrayField(models.CharField(max_length=1000), default=list, blank=True)
    reconnect_url = models.CharField(max_length=1000, default="", blank=True)
    suspended_at = models.DateTimeField(null=True, blank=True)
    shred_at = models.DateTimeField(null=True, blank=True, editable=False)
    events_gone_to = models.BigIntegerField(default=0, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["slug"]

    def __str__(self) -> str:
        return self.slug


def text_on(color: str) -> str:
    """Return black or white, whichever reads better on ``color`` (#rrggbb; WCAG 2.2, relative luminance)."""
    channels = [int(color[start : start + 2], 16) / 255 for start in (1, 3, 5)]
    linear = [value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4 for value in channels]
    luminance = 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
    return "#000000" if (luminance + 0.05) / 0.05 > 1.05 / (luminance + 0.05) else "#ffffff"
