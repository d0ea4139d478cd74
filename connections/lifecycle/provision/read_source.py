"""Read a client secret from where an operator keeps it, before any transaction begins."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.conf import settings

from connections.database.pool import release_database
from connections.refusals import InvalidRequest
from providers.custodians.asking import CustodianError
from providers.custodians.reading import read_secret
from providers.custodians.references import BadReferenceError, parse_reference

FIELD = "client_secret_from"
OF_FILES = "file:"  # what references to files begin with


@dataclass(frozen=True, slots=True)
class SourceRead:
    """What a reference led to."""

    reference: str
    secret: str = field(repr=False)


def read_source(text: str) -> SourceRead:
    """Return the client secret to which the reference ``text`` leads. Reads a file, or asks a service (HTTP).

    Raises ``InvalidRequest``, which says what to do.
    """
    try:
        reference = parse_reference(text)
    except BadReferenceError as error:
        raise InvalidRequest(str(error), field=FIELD) from None
    release_database()
    try:
        secret = read_secret(reference)
    except CustodianError as error:
        raise InvalidRequest(f"The client secret cannot be read from there. {error}", field=FIELD) from None
    return SourceRead(str(reference), secret.get_secret_value())


def next_look(reference: str, *, now: datetime) -> datetime:
    """Return when a source is read again, by ``LATCHKEY_SECRET_LOOK_SECONDS``. No I/O."""
    for_files, for_services = settings.SECRET_LOOK_SECONDS
    return now + timedelta(seconds=for_files if reference.startswith(OF_FILES) else for_services)
