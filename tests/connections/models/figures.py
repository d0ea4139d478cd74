"""The constraints on what is counted: what breaks each, and what comes close."""

import uuid
from datetime import UTC, datetime

from connections.models import ActivityFigures, Connection, ConnectionFigures, FiguresTaken
from connections.models.figures import ALL
from tests.connections.models.issuers import Act


def figures(connection: Connection, app_id: uuid.UUID) -> ConnectionFigures:
    return ConnectionFigures.objects.create(tenant_id=connection.tenant_id, provider_app_id=app_id)


def activity(width: int) -> ActivityFigures:
    return ActivityFigures.objects.create(tenant_id=ALL, width_seconds=width, at=datetime(2026, 1, 1, tzinfo=UTC))


FIGURES: dict[str, tuple[list[Act], list[Act]]] = {
    "figures_once_a_tenant_and_app": (
        [lambda cast: [figures(cast.connection, cast.connection.provider_app_id) for _ in "12"]],
        [lambda cast: [figures(cast.connection, app) for app in (cast.connection.provider_app_id, ALL)]],
    ),
    "activity_once_a_tenant_and_moment": (
        [lambda cast: [activity(60) for _ in "12"]],
        [lambda cast: [activity(width) for width in (60, 3600)]],
    ),
    "figures_are_taken_once": (
        [lambda cast: FiguresTaken.objects.create(id=2, taken_at=cast.connection.created_at)],
        [lambda cast: FiguresTaken.objects.create(taken_at=cast.connection.created_at)],
    ),
}
