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


def most_open() -> bool:
    """Whether ``KEK_KEYS`` opens half or more of the data keys that are tried, and ``FERNET_KEYS`` of the columns.

    So a damaged row takes no process out of service, and a list that lacks the key in use does. Tries the newest ten
    data keys and the newest of each KEK; of columns ten client secrets and ten credentials. What is under a key that
    its service does not give now is not judged while anything else is there. True on an empty database. Four queries.
    """
    living = DataKeyRow.objects.exclude(wrapped=SHREDDED)
    rows = {row.pk: row for row in chain(living.order_by("-created_at")[:_TRIED], _newest_of_each_kek())}
    apps = ProviderApp.objects.filter(secrets__isnull=False).order_by("-updated_at").values_list("secrets", flat=True)
    versions = CredentialVersion.objects.order_by().values_list("secrets", flat=True)
    columns = (stored for stored in chain(apps[:_TRIED], versions[:_TRIED]) if stored is not None)
    return _most_open(partial(unwrap, row) for row in rows.values()) and _most_open(
        stored.open_outer for stored in columns
    )


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
    return all(_opens(one) is not False for one in tries)


def foreign_keks() -> list[str]:
    """Return the ids of ``KEK_KEYS`` under which data keys are wrapped that do not open: those of another key.

    Tries the newest data key of each id; one that a service does not give now is not judged. One query.
    """
    rows = [row for row in _newest_of_each_kek() if keyring().has(row.kek_id)]
    return [row.kek_id for row in rows if _opens(partial(unwrap, row)) is False]


def _newest_of_each_kek() -> Iterable[DataKeyRow]:
    living = DataKeyRow.objects.exclude(wrapped=SHREDDED)
    return living.order_by("kek_id", "-created_at").distinct("kek_id")


def _most_open(tries: Iterable[Callable[[], object]]) -> bool:
    """Whether at least half of what can be judged opens, or there is nothing at all."""
    found = [_opens(one) for one in tries]
    judged = [is_open for is_open in found if is_open is not None]
    return 2 * sum(judged) >= len(judged) if judged else not found


def _opens(one: Callable[[], object]) -> bool | None:
    """Whether it opens; None if the service that has wrapped its key does not answer."""
    try:
        one()
    except KeyAway:
        return None
    except Unreadable:
        return False
    return True
