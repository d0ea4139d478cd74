"""The file: who can open it, what it says to others, and that it is never held as a whole."""

import io
import tracemalloc

import pyrage
import pytest
from django.core.management.base import CommandError

from connections.management.backups import envelope

CONTENTS = envelope.Contents("2026-01-01T00:00:00+00:00", 15, "0056_x", {"KEK_KEYS": ["one"]})
PASSPHRASE = "correct horse battery staple"


def opened(file: io.BytesIO, **keys: object) -> bytes:
    sink = io.BytesIO()
    envelope.open_into(file, sink, **{"passphrase": "", "identities": [], **keys})
    return sink.getvalue()


def test_a_passphrase_or_a_recipient_opens_it_and_nobody_else() -> None:
    identity, stranger = pyrage.x25519.Identity.generate(), pyrage.x25519.Identity.generate()
    for keys, opens in (
        ({"passphrase": PASSPHRASE, "recipients": []}, {"passphrase": PASSPHRASE}),
        ({"passphrase": "", "recipients": [str(identity.to_public())]}, {"identities": [str(identity)]}),
    ):
        file = io.BytesIO()
        envelope.write(file, io.BytesIO(b"the dump" * 100_000), CONTENTS, **keys)
        assert envelope.check(file) == CONTENTS
        assert opened(file, **opens) == b"the dump" * 100_000
        for wrong in ({"identities": [str(stranger)]}, {"passphrase": "another passphrase"}, {"identities": ["x"]}):
            with pytest.raises(CommandError):
                opened(file, **wrong)


@pytest.mark.parametrize(
    ("keys", "says"),
    [
        ({"passphrase": "", "recipients": []}, "say one of them"),
        ({"passphrase": PASSPHRASE, "recipients": ["age1x"]}, "say one of them"),
        ({"passphrase": "short", "recipients": []}, "too short"),
        ({"passphrase": "", "recipients": ["ssh-ed25519 AAAA"]}, "no age public key"),
    ],
)
def test_what_locks_nothing_is_refused(keys: dict[str, object], says: str) -> None:
    with pytest.raises(CommandError, match=says):
        envelope.write(io.BytesIO(), io.BytesIO(), CONTENTS, **keys)


def test_a_newer_format_says_to_update() -> None:
    with pytest.raises(CommandError, match="update it first"):
        envelope.check(io.BytesIO(b"latchkey-backup 2\n{}\n"))


class _Zeros:
    """A dump of 64 MB that nobody holds."""

    def __init__(self) -> None:
        self.left = 64 * 1024**2

    def read(self, size: int = -1) -> bytes:
        part = bytes(min(self.left, 65_536 if size < 0 else size))
        self.left -= len(part)
        return part


class _Counted(io.RawIOBase):
    """Takes everything, and keeps nothing."""

    size = 0

    def write(self, part: bytes) -> int:  # type: ignore[override]
        self.size += len(part)
        return len(part)


def test_what_is_written_is_never_held_as_a_whole() -> None:
    sink = _Counted()
    tracemalloc.start()
    envelope.write(sink, _Zeros(), CONTENTS, passphrase=PASSPHRASE, recipients=[])  # type: ignore[arg-type]
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert (sink.size > 64 * 1024**2, most < 8 * 1024**2) == (True, True)
