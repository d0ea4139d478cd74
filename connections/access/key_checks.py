"""Key checks: whether the keys in force open what is stored. ``lifecycle.keys.uses`` counts what each of them opens."""

from collections.abc import Callable, Iterable
from functools import partial
from itertools import chain

from connections.access.secrets import keyring, open_client_secrets, unwrap
from connections.models import CredentialVersion, ProviderApp
from connections.models.data_key import SHREDDED
from connections.models.data_key import DataKey as DataKeyRow
from connections.vault.sealing import KeyAway, Unreadable

_TRIED = 10


def open_anything() -> bool:
    """Whether ``KEK_KEYS`` opens any of the stored data keys, and ``FERNET_KEYS`` any of the stored columns.

    So a few rows that are damaged, or under a key that is missing or that its service does not give now, take no
    process out of service. Tries the newest ten data keys, and else the newest of each KEK; of columns ten client
    secrets and ten credentials. True on an empty database. Two to four queries.
    """
    living = DataKeyRow.objects.exclude(wrapped=SHREDDED)
    rows = chain(living.order_by("-created_at")[:_TRIED], _newest_of_each_kek())
    apps = ProviderApp.objects.filter(secrets__isnull=False).order_by("-updated_at").values_list("secrets", flat=True)
    versions = CredentialVersion.objects.order_by().values_list("secrets", flat=True)
    columns = (stored for stored in chain(apps[:_TRIED], versions[:_TRIED]) if stored is not None)
    return _any_opens(partial(unwrap, row) for row in rows) and _any_opens(stored.open_outer for stored in columns)


def newest_open() -> bool:
    """Whether what was stored last opens: three data keys, the client secrets of an app, and one credential.

    What is under a key that its service does not give now is not judged. True on an empty database. Three queries.
    """
    apps = ProviderApp.objects.filter(secrets__isnull=False).order_by("-updated_at")
    tries: Iterable[Callable[[], object]] = chain(
        (partial(unwrap, row) for row in DataKeyRow.objects.exclude(wrapped=SHREDDED).order_by("-created_at")[:3]),
        (partial(open_client_secrets, app) for app in apps[:1]),
        (one.secrets.open_outer for one in CredentialVersion.objects.order_by()[:1] if one.secrets is not None),
    )
    return all(_opens(one, if_away=True) for one in tries)


def foreign_keks() -> list[str]:
    """Return the ids of ``KEK_KEYS`` under which data keys are wrapped that do not open: those of another key.

    Tries the newest data key of each id; one that a service does not give now is not judged. One query.
    """
    rows = [row for row in _newest_of_each_kek() if keyring().has(row.kek_id)]
    return [row.kek_id for row in rows if not _opens(partial(unwrap, row), if_away=True)]


def _newest_of_each_kek() -> Iterable[DataKeyRow]:
    living = DataKeyRow.objects.exclude(wrapped=SHREDDED)
    return living.order_by("kek_id", "-created_at").distinct("kek_id")


def _any_opens(tries: Iterable[Callable[[], object]]) -> bool:
    """Whether one of them opens, or there is none."""
    found = (_opens(one, if_away=False) for one in tries)
    return next(found, True) or any(found)


def _opens(one: Callable[[], object], *, if_away: bool) -> bool:
    try:
        one()
    except KeyAway:
        return if_away
    except Unreadable:
        return False
    return True
