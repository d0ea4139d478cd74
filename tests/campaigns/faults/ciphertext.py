"""Flipped bits and swapped rows: what was changed or moved in the database never opens.

Real: the rows, the columns, the functions that the product opens them with. Flips are drawn from all bits of every
stored secret: credential versions, client secrets, what a connect session holds, wrapped data keys. Swaps put each
stored value where another of its kind belongs: another version, connection, tenant, session or column.
"""

import itertools
import random
import uuid
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from django.db import connection as database

from connections.access.secrets import (
    current_data_key,
    open_client_secrets,
    open_credential,
    open_for_session,
    seal_for_session,
    unwrap,
)
from connections.database.clock import database_now
from connections.drills.oracles import Broken, expect, expect_kept
from connections.lifecycle.refresh.claim import Need, Outcome
from connections.lifecycle.refresh.refresh import refresh
from connections.models import (
    Connection,
    ConnectSession,
    CredentialVersion,
    DataKey,
    OwnerKind,
    ProviderApp,
    SessionState,
    Tenant,
)
from connections.vault.sealing import Unreadable
from tests.campaigns.faults.figures import Figure
from tests.campaigns.faults.ground import Ground
from tests.factories import make_caller

_TENANTS = 2
_A_TENANT = 2
_REFRESHED = 10


@dataclass(frozen=True, slots=True)
class _Cell:
    """One stored secret: where it is, and how the product opens it. Only cells of one ``kind`` are swapped."""

    kind: str
    table: str
    column: str
    row: uuid.UUID
    open: Callable[[], object]

    def read(self) -> bytes:
        with database.cursor() as cursor:
            cursor.execute(f"SELECT {self.column} FROM {self.table} WHERE id = %s", [self.row])
            return bytes(cursor.fetchone()[0])

    def write(self, value: bytes) -> None:
        with database.cursor() as cursor:
            cursor.execute(f"UPDATE {self.table} SET {self.column} = %s WHERE id = %s", [value, self.row])

    def told(self) -> str:
        """Return ``noticed``, or what came of opening it."""
        try:
            self.open()
        except Unreadable:
            return "noticed"
        except Exception as error:  # noqa: BLE001 (anything else is a miss, and told)
            return f"raised {type(error).__name__}"
        return "opened"


def ciphertext(ground: Ground) -> Figure:
    """Count the changes that were not noticed."""
    cells = _cells(ground)
    for cell in cells:
        assert cell.told() == "opened", f"{cell.kind} does not open as it is"
    flips = ground.count(20_000, least=300)
    missed: Counter[str] = Counter()
    flipped: Counter[str] = Counter()
    for cell in cells:
        original = cell.read()
        for position in _positions(len(original) * 8, flips // len(cells) + 1):
            changed = bytearray(original)
            changed[position // 8] ^= 1 << position % 8
            cell.write(bytes(changed))
            flipped[cell.kind] += 1
            if (told := cell.told()) != "noticed":
                missed[f"{cell.kind}: a flip in byte {position // 8} of {len(original)} {told}"] += 1
        cell.write(original)
    swaps = _swap(cells, missed)
    dead = _refresh_damaged(cells)
    changes = flipped.total() + swaps
    noticed = changes - missed.total()
    return Figure(
        row="ciphertext",
        measure="ciphertext bit flips and row swaps",
        measured=f"{noticed / changes:.3%} noticed of {flipped.total():,} flips and {swaps:,} swaps"
        + (f"; {dead} marked dead" if dead else ""),
        target="100 % noticed",
        is_kept=not missed and not dead,
        facts={"flips": dict(flipped), "swaps": swaps, "missed": dict(missed.most_common(20)), "marked_dead": dead},
    )


def _positions(bits: int, count: int) -> list[int]:
    """Return that many bits, with those at both ends always among them."""
    ends = [*range(min(24, bits)), *range(max(0, bits - 24), bits)]
    return [*dict.fromkeys([*ends, *random.sample(range(bits), min(bits, count))])][: max(count, len(ends))]


def _swap(cells: list[_Cell], missed: Counter[str]) -> int:
    """Put every value into every other cell of its kind; return how many swaps that were."""
    count = 0
    for one, other in itertools.combinations(cells, 2):
        if one.kind != other.kind:
            continue
        mine, theirs = one.read(), other.read()
        one.write(theirs)
        other.write(mine)
        for cell in (one, other):
            count += 1
            if (told := cell.told()) != "noticed":
                missed[f"{cell.kind}: a swap {told}"] += 1
        one.write(mine)
        other.write(theirs)
    return count


def _refresh_damaged(cells: list[_Cell]) -> int:
    """Refresh connections whose credential does not open; return how many were not left as they were."""
    dead = 0
    for cell in [cell for cell in cells if cell.kind == "credential"][:_REFRESHED]:
        original = cell.read()
        cell.write(original[:-8] + b"AAAAAAA=")
        connection = Connection.objects.get(current_version_id=cell.row)
        report = refresh(connection.id, trigger="campaign", need=Need(instead_of=cell.row, at_once=True))
        cell.write(original)
        try:
            expect(report.outcome is Outcome.UNREADABLE, f"the outcome is {report.outcome}")
            expect_kept(connection.id, before=cell.row)
        except Broken:
            dead += 1
    return dead


def _cells(ground: Ground) -> list[_Cell]:
    """Make tenants with secrets of every kind, and return where these are stored."""
    found: list[_Cell] = []
    for _ in range(_TENANTS):
        app = ground.make_app()
        assert app.tenant is not None
        found.append(_Cell("client secret", ProviderApp._meta.db_table, "secrets", app.id, _opens_app(app.id)))
        for member in ground.make_members(app, _A_TENANT):
            version = CredentialVersion.objects.get(connection_id=member.id, stage="current")
            found.append(
                _Cell("credential", CredentialVersion._meta.db_table, "secrets", version.id, _opens_version(version.id))
            )
        key = DataKey.objects.get(tenant=app.tenant)
        found.append(_Cell("data key", DataKey._meta.db_table, "wrapped", key.id, _opens_key(key.id)))
        session = _session(app.tenant, app)
        found += [
            _Cell("session", ConnectSession._meta.db_table, column, session.id, _opens_session(session.id, column))
            for column in ("held", "code_verifier")
        ]
    return found


def _session(tenant: Tenant, app: ProviderApp) -> ConnectSession:
    now = database_now()
    session = ConnectSession(
        tenant=tenant,
        api_client=make_caller(tenant).client,
        owner_kind=OwnerKind.END_USER,
        end_user="alice",
        providers=[app.provider],
        provider_app=app,
        return_url="https://app.example/connected",
        state=SessionState.HELD,
        token_hash=uuid.uuid4().bytes,
        expires_at=now + timedelta(hours=1),
    )
    key = current_data_key(session.tenant_id)
    session.held = seal_for_session(session, "held", b'{"code": "a code"}', key=key)
    session.code_verifier = seal_for_session(session, "code_verifier", b"a verifier", key=key)
    session.save()
    return session


def _opens_app(app_id: uuid.UUID) -> Callable[[], object]:
    return lambda: open_client_secrets(ProviderApp.objects.get(id=app_id))


def _opens_version(version_id: uuid.UUID) -> Callable[[], object]:
    def open_version() -> object:
        version = CredentialVersion.objects.select_related("connection").get(id=version_id)
        return open_credential(version.connection, version)

    return open_version


def _opens_key(key_id: uuid.UUID) -> Callable[[], object]:
    return lambda: unwrap(DataKey.objects.get(id=key_id))


def _opens_session(session_id: uuid.UUID, column: str) -> Callable[[], object]:
    return lambda: open_for_session(ConnectSession.objects.get(id=session_id), column)
