"""Files of keys: a change is followed while the process runs; a broken file changes nothing."""

import base64
import os
import secrets
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured

from config import key_files
from config.key_files import KeyFiles
from connections.access.held_keks import new_kek
from connections.vault.keyring import parse_keyring
from providers.custodians.custody import configure_custody, current_custody
from providers.sandbox.waiting import until
from tests.providers.custodians.stand_ins import Bao, serving

AUDIT = f"a:{base64.b64encode(secrets.token_bytes(32)).decode()}"
SECRET_KEY = secrets.token_urlsafe(48)


def kek(key_id: str) -> str:
    return f"{key_id}:{base64.b64encode(secrets.token_bytes(32)).decode()}"


def write(path: Path, *keys: str, between: str = "\n", replaces: bool = True) -> None:
    """Write a file of keys that has settled, in the place of the one that is there or into that."""
    fresh = path.with_suffix(".new") if replaces else path
    fresh.write_text(between.join(keys) + "\n")
    settled = time.time_ns() - 2 * 10**9 + secrets.randbelow(10**9)
    os.utime(fresh, ns=(settled, settled))
    if replaces:
        fresh.replace(path)


class Lists:
    """The three lists of one process, all from files."""

    def __init__(self, folder: Path) -> None:
        self.paths = {name: folder / name for name in ("FERNET_KEYS", "KEK_KEYS", "AUDIT_KEYS")}
        self.first = {"FERNET_KEYS": secrets.token_urlsafe(32), "KEK_KEYS": kek("1"), "AUDIT_KEYS": AUDIT}
        for name, path in self.paths.items():
            write(path, self.first[name])
        self.files = KeyFiles(SECRET_KEY)
        self.now = {name: self.files.keys_of(name, []) for name in self.paths}


@pytest.fixture
def lists(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Lists:
    for name in ("FERNET_KEYS", "KEK_KEYS", "AUDIT_KEYS"):
        monkeypatch.setenv(f"{name}_FILE", str(tmp_path / name))
    return Lists(tmp_path)


@pytest.mark.parametrize("between", ["\n", ",", " ,\n\n"])
@pytest.mark.parametrize("replaces", [True, False], ids=["renamed", "rewritten"])
@pytest.mark.parametrize("name", ["FERNET_KEYS", "KEK_KEYS", "AUDIT_KEYS"])
def test_a_change_is_followed(lists: Lists, name: str, replaces: bool, between: str) -> None:
    newer = secrets.token_urlsafe(32) if name == "FERNET_KEYS" else kek("2")
    assert list(lists.now[name]) == [lists.first[name]]
    write(lists.paths[name], newer, lists.first[name], between=between, replaces=replaces)
    assert lists.files.look()
    assert list(lists.now[name]) == [newer, lists.first[name]]
    assert lists.now[name][0] == newer
    assert not lists.files.look()


@pytest.mark.parametrize("name", ["FERNET_KEYS", "KEK_KEYS", "AUDIT_KEYS"])
def test_a_mark_that_an_editor_puts_before_a_list_makes_no_other_key(lists: Lists, name: str) -> None:
    newer = secrets.token_urlsafe(32) if name == "FERNET_KEYS" else kek("2")
    write(lists.paths[name], f"\ufeff{lists.first[name]}\r", f"{newer}\r")
    assert lists.files.look()
    assert list(lists.now[name]) == [lists.first[name], newer]


@pytest.mark.parametrize("unseen", ["\ufeff", "\u200b", "\u00a0", "\x00", "\t"])
def test_a_key_with_a_character_that_nobody_sees_is_refused(lists: Lists, unseen: str) -> None:
    key = secrets.token_urlsafe(32)
    write(lists.paths["FERNET_KEYS"], lists.first["FERNET_KEYS"], f"{key[:8]}{unseen}{key[8:]}")
    assert not lists.files.look()
    assert "a character that cannot be seen" in lists.files.problem
    assert key not in lists.files.problem


def test_it_is_noticed_by_whoever_uses_the_keys(lists: Lists, monkeypatch: pytest.MonkeyPatch) -> None:
    newer = kek("2")
    write(lists.paths["KEK_KEYS"], newer, lists.first["KEK_KEYS"])
    assert len(lists.now["KEK_KEYS"]) == 1, "it looks at the file at each use"
    later = time.monotonic() + key_files.LOOKS_EVERY_SECONDS
    monkeypatch.setattr(time, "monotonic", lambda: later)
    assert parse_keyring(list(lists.now["KEK_KEYS"])).primary_id == "2"


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("KEK_KEYS", "", "KEK_KEYS is empty"),
        ("KEK_KEYS", "nonsense", "KEK_KEYS entry 1"),
        ("KEK_KEYS", kek("1"), "another key under the id '1'"),
        ("KEK_KEYS", AUDIT, "the roots must differ"),
        ("FERNET_KEYS", "short", "shorter than 32"),
        ("FERNET_KEYS", SECRET_KEY, "the two must differ"),
        ("AUDIT_KEYS", "a:public:nonsense", "AUDIT_KEYS entry 1"),
        ("AUDIT_KEYS", kek("a"), "AUDIT_KEYS has another key under the id 'a'"),
        ("AUDIT_KEYS", None, "AUDIT_KEYS_FILE cannot be read"),
    ],
    ids=[
        "empty",
        "nonsense",
        "another under the id",
        "another root",
        "short",
        "no root",
        "half a key",
        "another signs",
        "no file",
    ],
)
def test_a_broken_file_changes_nothing(lists: Lists, name: str, content: str | None, says: str) -> None:
    if content is None:
        lists.paths[name].unlink()
    else:
        write(lists.paths[name], content)
    other = "FERNET_KEYS" if name != "FERNET_KEYS" else "KEK_KEYS"
    write(lists.paths[other], lists.first[other], secrets.token_urlsafe(32) if other == "FERNET_KEYS" else kek("9"))
    assert not lists.files.look()
    assert says in lists.files.problem
    assert {key: list(value) for key, value in lists.now.items()} == {key: [v] for key, v in lists.first.items()}
    write(lists.paths[name], lists.first[name])
    assert lists.files.look()
    assert (lists.files.problem, len(lists.now[other])) == ("", 2)


def test_a_key_that_is_still_needed_stays_in_force(lists: Lists) -> None:
    """Its file lacks it: the process opens what is under it all the same, and says so until it may go."""
    newer = kek("2")
    write(lists.paths["KEK_KEYS"], newer, lists.first["KEK_KEYS"])
    assert lists.files.look()
    answers = ["KEK_KEYS lacks 1, which wraps 7 data keys", ""]
    asked: list[tuple[Any, Any]] = []

    def still_needed(before: Any, after: Any) -> str:
        asked.append((before["KEK_KEYS"], after["KEK_KEYS"]))
        return answers[min(len(asked), 2) - 1]

    lists.files.ask_before_dropping(still_needed)
    write(lists.paths["KEK_KEYS"], newer)
    assert not lists.files.look(), "it is asked first, in a thread"
    until(lambda: lists.files.look() or lists.files.problem, "an answer")
    assert "which wraps 7 data keys" in lists.files.problem
    assert list(lists.now["KEK_KEYS"]) == [newer, lists.first["KEK_KEYS"]]
    until(lists.files.look, "another answer, which lets it go")
    assert (list(lists.now["KEK_KEYS"]), lists.files.problem) == ([newer], "")
    assert set(asked) == {((newer, lists.first["KEK_KEYS"]), (newer,))}


def test_a_question_that_fails_keeps_the_key(lists: Lists) -> None:
    def still_needed(before: Any, after: Any) -> str:
        raise ConnectionError("nobody answers at secret-address")

    lists.files.ask_before_dropping(still_needed)
    write(lists.paths["FERNET_KEYS"], secrets.token_urlsafe(32))
    until(lambda: lists.files.look() or lists.files.problem, "an answer")
    assert lists.files.problem == "Whether keys may go cannot be asked (ConnectionError)."
    assert list(lists.now["FERNET_KEYS"]) == [lists.first["FERNET_KEYS"]]


def test_each_first_key_of_what_is_stored_is_told_once(lists: Lists) -> None:
    """Also the one with which a process begins; what fails is told again."""
    told: list[str] = []

    def tell(key: str) -> None:
        told.append(key)
        if len(told) == 1:
            raise ConnectionError("the database is away")

    def is_told(*keys: str) -> bool:
        lists.files.look()
        return told == list(keys)

    lists.files.tell_of_first(tell)
    first, newer = lists.first["FERNET_KEYS"], secrets.token_urlsafe(32)
    until(lambda: is_told(first, first), "a second try")
    write(lists.paths["FERNET_KEYS"], first, newer)
    assert lists.files.look()
    write(lists.paths["FERNET_KEYS"], newer, first)
    until(lambda: is_told(first, first, newer), "the other first key")
    write(lists.paths["FERNET_KEYS"], first, newer)
    until(lambda: is_told(first, first, newer, first), "the rollback")


def test_keys_in_another_order_and_further_ones_ask_nobody(lists: Lists) -> None:
    def still_needed(before: Any, after: Any) -> str:
        raise AssertionError("no key is gone")

    lists.files.ask_before_dropping(still_needed)
    newer = kek("2")
    for keys in ([lists.first["KEK_KEYS"], newer], [newer, lists.first["KEK_KEYS"]]):
        write(lists.paths["KEK_KEYS"], *keys)
        assert lists.files.look()


def test_a_file_that_is_being_written_waits(lists: Lists) -> None:
    lists.paths["KEK_KEYS"].write_text(kek("2"))
    assert not lists.files.look()
    assert (list(lists.now["KEK_KEYS"]), lists.files.problem) == ([lists.first["KEK_KEYS"]], "")


def test_a_repr_shows_no_key(lists: Lists) -> None:
    assert repr(lists.now["KEK_KEYS"]) == "KeyList(KEK_KEYS, 1 keys)"


def test_a_list_without_a_file_stays_as_it_was_given(lists: Lists, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KEK_KEYS_FILE")
    files = KeyFiles(SECRET_KEY)
    assert files.keys_of("KEK_KEYS", [" 1:x "]) == ["1:x"]
    assert not files.look()


def test_a_file_that_is_missing_keeps_it_from_starting(lists: Lists) -> None:
    lists.paths["KEK_KEYS"].unlink()
    with pytest.raises(ImproperlyConfigured, match="KEK_KEYS_FILE cannot be read"):
        KeyFiles(SECRET_KEY).keys_of("KEK_KEYS", [])


def test_threads_see_one_list_or_the_other(lists: Lists) -> None:
    newer = [kek("2"), lists.first["KEK_KEYS"]]
    seen: set[tuple[str, ...]] = set()
    stopped = threading.Event()

    def use() -> None:
        while not stopped.is_set():
            lists.files.look()
            seen.add(tuple(lists.now["KEK_KEYS"]))

    threads = [threading.Thread(target=use) for _ in range(4)]
    for thread in threads:
        thread.start()
    for turn in range(50):
        write(lists.paths["KEK_KEYS"], *(newer if turn % 2 else newer[1:]))
    stopped.set()
    for thread in threads:
        thread.join()
    assert seen <= {tuple(newer), tuple(newer[1:])}
    assert lists.files.problem == ""


def test_a_key_that_a_service_has_wrapped_is_followed_once_it_is_unwrapped(lists: Lists) -> None:
    before = current_custody()
    with serving(Bao()) as bao:
        configure_custody(bao.custody())
        entry = new_kek("in-vault", service="vault-transit", name=Bao.NAME).entry()
        bao.is_cut = True
        write(lists.paths["KEK_KEYS"], entry, lists.first["KEK_KEYS"])
        assert not lists.files.look()
        assert "'in-vault', which vault-transit has not unwrapped yet" in lists.files.problem
        assert list(lists.now["KEK_KEYS"]) == [lists.first["KEK_KEYS"]]
        bao.is_cut = False
        until(lists.files.look, "the new list")
        assert list(lists.now["KEK_KEYS"]) == [entry, lists.first["KEK_KEYS"]]
        assert lists.files.problem == ""
    configure_custody(before)
