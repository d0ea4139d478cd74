"""The bundle's file: opened by whom it is for, believed from whom one knows, and nothing in between goes unnoticed."""

import base64
import zlib
from collections.abc import Iterator
from typing import Any

import pyrage
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from connections.access.installation_key import public_text
from connections.lifecycle.port import bundle_file
from connections.lifecycle.port.bundle_file import Locks, read_bundle, write_bundle
from connections.refusals import BundleRefused, InvalidRequest

SIGNER = Ed25519PrivateKey.generate()
KNOWN = [public_text(SIGNER)]
OURS = pyrage.x25519.Identity.generate()
IDENTITY = [str(OURS)]
DOCUMENT = {"id": "x", "words": ["ü"] * 500}
PASSPHRASE = "correct horse battery staple"


def written(**changes: Any) -> bytes:
    wanted: dict[str, Any] = {"signer": SIGNER, "locks": Locks(recipients=[str(OURS.to_public())]), **changes}
    return write_bundle(DOCUMENT, **wanted)


def reason(content: bytes, **changes: Any) -> str:
    """Return why ``content`` is refused."""
    wanted: dict[str, Any] = {"signers": KNOWN, "identities": IDENTITY, **changes}
    with pytest.raises(BundleRefused) as refused:
        read_bundle(content, **wanted)
    assert refused.value.detail.endswith(".")
    return str(refused.value.extra["reason"])


def test_who_has_the_identity_and_knows_the_signer_reads_it() -> None:
    assert read_bundle(written(), signers=KNOWN, identities=IDENTITY) == (DOCUMENT, KNOWN[0])


def test_a_passphrase_does_too() -> None:
    content = written(locks=Locks(passphrase=PASSPHRASE))
    assert read_bundle(content, signers=KNOWN, passphrase=PASSPHRASE)[0] == DOCUMENT
    assert reason(content, identities=(), passphrase="a wrong one") == "wrong_key"
    assert reason(content) == "locked_otherwise"


def test_every_part_that_is_changed_is_noticed() -> None:
    content = written()
    header = content.index(b"\n", content.index(b"\n--- ") + 1) + 1  # what is before says for whom the file is
    for position in range(0, len(content), 7):
        changed = content[:position] + bytes([content[position] ^ 1]) + content[position + 1 :]
        told = reason(changed)
        assert told == "changed" or (position < header and told in ("wrong_key", "no_bundle", "locked_otherwise"))


@pytest.mark.parametrize("length", [0, 10, 30, 150, -400, -1])
def test_what_is_cut_off_is_told(length: int) -> None:
    assert reason(written()[:length]) in ("changed", "no_bundle")


def test_it_is_for_somebody_else() -> None:
    assert reason(written(), identities=[str(pyrage.x25519.Identity.generate())]) == "wrong_key"
    assert reason(written(), identities=["nonsense"]) == "wrong_key"
    assert reason(written(), identities=(), passphrase=PASSPHRASE) == "locked_otherwise"


def test_an_unknown_signer_is_named_and_not_believed() -> None:
    other = Ed25519PrivateKey.generate()
    content = written(signer=other)
    assert reason(content) == "unknown_signer"
    assert reason(content, signers=()) == "unknown_signer"


def test_who_may_open_it_may_not_sign_it_anew_under_a_known_name() -> None:
    opened = pyrage.decrypt(written(), [OURS])
    for forged in (opened[:-1] + b"x", opened.replace(b"latchkey-bundle 1", b"latchkey-bundle 0")):
        assert reason(pyrage.encrypt(forged, [OURS.to_public()])) == "changed"


def test_a_newer_version_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bundle_file, "VERSION", 2)
    content = written()
    monkeypatch.undo()
    assert reason(content) == "newer_version"


def test_what_is_no_bundle_is_told() -> None:
    assert reason(b"PK\x03\x04") == "no_bundle"
    assert reason(pyrage.encrypt(b"a letter", [OURS.to_public()])) == "no_bundle"


@pytest.mark.parametrize(
    "locks",
    [Locks(), Locks(passphrase="short"), Locks(recipients=["age1bad"]), Locks(passphrase=PASSPHRASE, recipients=["x"])],
)
def test_locks_that_lock_nothing_are_refused(locks: Locks) -> None:
    with pytest.raises(InvalidRequest):
        written(locks=locks)


def signed(first: bytes, body: bytes) -> bytes:
    """A file by a trusted signer, of whatever content."""
    signature = base64.b64encode(SIGNER.sign(first + b"\n" + body))
    content = b"\n".join((first, KNOWN[0].encode(), signature, body))
    return bytes(pyrage.encrypt(content, [OURS.to_public()]))


@pytest.mark.parametrize(
    ("first", "body"),
    [
        (b"latchkey-bundle 1", b"no deflate"),
        (b"latchkey-bundle 1", zlib.compress(b"{}")[:-2]),
        (b"latchkey-bundle 1", zlib.compress(b"no json")),
        (b"latchkey-bundle 1", zlib.compress(b"[]")),
        (b"latchkey-bundle 1", zlib.compress(b"\xff{}")),
        (b"latchkey-bundle 1", zlib.compress(b"[" * 200_000)),
        (b"latchkey-bundle 1", zlib.compress(b'{"a": ' + b"9" * 5000 + b"}")),
        (b"latchkey-bundle " + b"9" * 5000, zlib.compress(b"{}")),
        (b"latchkey-bundle 0", zlib.compress(b"{}")),
        (b"latchkey-bundle \xd9\xa1", zlib.compress(b"{}")),
    ],
)
def test_what_a_trusted_signer_has_signed_may_still_be_no_bundle(first: bytes, body: bytes) -> None:
    assert reason(signed(first, body)) == "no_bundle"


def test_a_document_that_unpacks_to_too_much_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bundle_file, "LARGEST", 1_000_000)
    bomb = zlib.compress(b'{"a": "' + b"x" * 10_000_000 + b'"}')
    assert reason(signed(b"latchkey-bundle 1", bomb)) == "no_bundle"


def test_a_list_that_comes_one_by_one_is_written_as_any_other() -> None:
    lists: dict[str, Any] = {"none": iter(()), "one": iter([{"a": 1}]), "more": (number for number in range(3))}
    content = write_bundle({"id": "ü", **lists}, signer=SIGNER, locks=Locks(recipients=[str(OURS.to_public())]))
    read = read_bundle(content, signers=KNOWN, identities=IDENTITY)[0]
    assert read == {"id": "ü", "none": [], "one": [{"a": 1}], "more": [0, 1, 2]}


def test_what_does_not_fit_is_refused_as_soon_as_that_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bundle_file, "LARGEST", 10_000)
    taken = []

    def rows() -> Iterator[str]:
        for number in range(1000):
            taken.append(number)
            yield "x" * 1000

    with pytest.raises(InvalidRequest, match="does not fit"):
        write_bundle({"rows": rows()}, signer=SIGNER, locks=Locks(recipients=[str(OURS.to_public())]))
    assert len(taken) == 10
