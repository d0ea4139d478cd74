"""A customer of the operator. Data is isolated by tenant. How its pages look is a ``Brand``."""

import uuid

from django.contrib.postgres.fields import ArrayField
from django.core.validators import RegexValidator
from django.db import models

SLUG = RegexValidator(r"^[a-z0-9]+(-[a-z0-9]+)*\Z", "Use lower-case letters, digits and single hyphens.")


class Tenant(models.Model):
    """One tenant. ``suspended_at`` is its kill switch: effective on the next vend.

    ``shred_at`` is when its data keys are destroyed at the latest (null: it is not being deleted).
    ``events_gone_to`` is the id of the newest of its events that housekeeping has deleted.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    slug = models.SlugField(max_length=64, unique=True, validators=[SLUG])
    name = models.CharField(max_length=120)
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
