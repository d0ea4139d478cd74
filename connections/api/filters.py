"""Filters that several lists share: by tag, and by when something was made.

A tag is a member of the metadata, `name:value`. Each tag that is given has to be there. An index finds them among
millions of connections (``connection_metadata``).
"""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any

from django.db.models import Q
from pydantic import Field, StringConstraints

from connections.api.texts import Moment, Text

Tag = Annotated[Text, StringConstraints(max_length=300, pattern=r"^[^:]+:.+$")]
After = Annotated[Moment | None, Field(description="made later than this")]
Before = Annotated[Moment | None, Field(description="made earlier than this")]


def has_tags(tags: Sequence[str]) -> Q:
    """Return what holds for rows whose ``metadata`` has every one of ``tags``."""
    found = Q() if not tags else ~Q(metadata={})  # the index leaves out rows without any
    for tag in tags:
        name, _, value = tag.partition(":")
        meant = Q()
        for one in _meanings(value):
            meant |= Q(metadata__contains={name: one}) | Q(metadata__contains={name: [one]})
        found &= meant
    return found


def made_between(after: datetime | None, before: datetime | None) -> Q:
    """Return what holds for rows that were made after one moment and before another, each None for any."""
    return (Q() if after is None else Q(created_at__gt=after)) & (Q() if before is None else Q(created_at__lt=before))


def _meanings(value: str) -> list[Any]:
    """Return the JSON that ``value`` may stand for: a text, or also a number or a truth value."""
    try:
        scalar = json.loads(value)
    except (ValueError, RecursionError):
        return [value]
    is_finite = isinstance(scalar, bool) or (isinstance(scalar, int | float) and abs(scalar) < float("inf"))
    return [value, scalar] if is_finite else [value]
