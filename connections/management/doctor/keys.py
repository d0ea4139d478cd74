"""The keys to what is stored, who has wrapped them, and what proves the audit trail."""

from collections.abc import Iterator

from django.conf import settings

from connections.access.held_keks import check_service
from connections.access.key_checks import foreign_keks, newest_open
from connections.access.secrets import keyring
from connections.database.clock import database_now
from connections.journal.verify import foreign_keys
from connections.lifecycle.keys.agreement import disagreement, followers
from connections.lifecycle.keys.uses import audit_uses, fernet_uses, kek_uses
from connections.management.doctor.findings import Finding, fault, fine, warning
from connections.models import Connection
from connections.models.data_key import SHREDDED, DataKey
from providers.custodians.asking import CustodianAway, CustodianRefuses
from providers.custodians.openbao import token_life


def keys() -> Iterator[Finding]:
    """Look whether the keys open what is stored, and whether all that are needed are there. A few queries."""
    found = []
    known = {entry.partition(":")[0] for entry in settings.KEK_KEYS}
    used = set(DataKey.objects.exclude(wrapped=SHREDDED).order_by().values_list("kek_id", flat=True).distinct())
    if missing := sorted(used - known):
        found.append(
            fault(
                "keys",
                f"Data keys are wrapped under {', '.join(missing)}, which KEK_KEYS does not have.",
                "Put the old keys back, after the new one.",
            )
        )
    if foreign := foreign_keks():
        found.append(
            fault(
                "keys",
                f"KEK_KEYS has another key than was used under {', '.join(foreign)}: data keys under it do not open.",
                "Put the key of your copy back under that id; a new key wants a new id.",
            )
        )
    if unopened := sum(use.rows for use in fernet_uses(is_exact=False) if use.key == ""):
        found.append(
            fault(
                "keys",
                f"Some {unopened} stored values open under no key of FERNET_KEYS.",
                "Put the missing old key back, after the new one (`keys status` and `keys rewrap` say when it may go).",
            )
        )
    if not found and not newest_open():
        found.append(
            fault(
                "keys",
                "What was stored last does not open.",
                "Compare KEK_KEYS and FERNET_KEYS with your copies: an id with another key, or a missing old key.",
            )
        )
    settings.KEY_FILES.look()
    if problem := settings.KEY_FILES.problem:
        found.append(
            fault(
                "keys",
                f"A file of keys is not in force: {problem}",
                "Mend it; the keys before stay in force until then.",
            )
        )
    if count := Connection.objects.filter(undecryptable_at__isnull=False).count():
        found.append(
            fault(
                "keys",
                f"The stored credentials of {count} connections do not open.",
                "Put the missing key back; they recover by themselves within minutes. Else the end users connect anew.",
            )
        )
    now = database_now()
    found += [
        warning(
            "keys",
            f"{use.setting} {use.key} has been in use for {(now - use.since).days} days.",
            "Put a newer key in front (OPERATIONS.md, Keys).",
        )
        for use in (*kek_uses(), *audit_uses())
        if use.since is not None and use.is_old(now=now)
    ]
    found += _of_the_trail()
    if says := disagreement(followers()):
        found.append(
            warning(
                "keys",
                f"{says}.",
                "If that stays so, put back what the lists of this command lack: those processes keep a key that is"
                " needed, and what begins anew does not have it.",
            )
        )
    yield from found or [fine("keys", f"{len(used)} of {len(known)} KEK_KEYS are in use. What was stored last opens.")]


def _of_the_trail() -> Iterator[Finding]:
    if missing := [use.key for use in audit_uses() if use.place is None]:
        yield fault(
            "keys",
            f"Seals of the audit trail are made with {', '.join(missing)}, which AUDIT_KEYS does not have.",
            "Put the old key back, or its public half.",
        )
    if foreign := foreign_keys():
        yield fault(
            "keys",
            f"AUDIT_KEYS has another key than was used under {', '.join(foreign)}: seals under it cannot be verified.",
            "Put the key of your copy back under that id at once, and give the newer key an id of its own: what is"
            " sealed until then stays unproven.",
        )


def key_services() -> Iterator[Finding]:
    """Ask each service that has wrapped a key of ``KEK_KEYS`` for that key, and to wrap another. Takes seconds."""
    is_well = True
    for kek in keyring().wrapped():
        named = f"{kek.service} ({kek.name})"
        try:
            check_service(kek)
        except CustodianRefuses as error:
            is_well = False
            yield fault(
                "key services",
                f"{named} does not unwrap the KEK {kek.id}: {error}",
                "Enable or restore the key there, before these processes begin anew (OPERATIONS.md, Key services).",
            )
        except CustodianAway as error:
            is_well = False
            yield fault(
                "key services",
                f"{named} cannot be asked for the KEK {kek.id}: {error}",
                "Mend that: those that run go on for a day, but none that begins anew gets its keys.",
            )
        else:
            yield fine("key services", f"{named} unwraps the KEK {kek.id}, and wraps others.")
    if is_well:
        yield from _vault_token()


def _vault_token() -> Iterator[Finding]:
    """Ask Vault how long the token of the settings lives, where there is one."""
    try:
        life = token_life()
    except CustodianAway as error:
        yield warning("key services", str(error), "Look whether VAULT_TOKEN is still good, and allow lookup-self.")
        return
    if life is None:
        return
    left = "lives for ever" if not life.seconds else f"lives for {life.seconds / 3600:.1f} hours"
    if life.is_renewable or not life.seconds:
        yield fine("key services", f"VAULT_TOKEN {left}{', and is renewed' if life.is_renewable else ''}.")
        return
    yield warning(
        "key services",
        f"VAULT_TOKEN {left} and cannot be renewed for ever: no process that begins later gets its keys.",
        "Give a periodic token, a role (VAULT_ROLE_ID), or VAULT_TOKEN_FILE, which an agent of Vault writes anew.",
    )
