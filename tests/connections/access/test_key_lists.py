"""The mark of the lists of keys: another one for other keys or another order, and nothing of a key in it."""

from pytest_django import Settings

from connections.access.key_lists import mark


def test_it_tells_keys_and_their_order(settings: Settings) -> None:
    fernet = [*settings.FERNET_KEYS, "a-further-key-of-some-forty-characters-x"]
    kek = [*settings.KEK_KEYS, "further:" + "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVoxMjM0NTY="]
    marks = {mark(): 0}
    for fernet_keys, kek_keys in ((fernet, kek), (fernet[::-1], kek), (fernet, kek[::-1]), (fernet[1:], kek)):
        settings.FERNET_KEYS, settings.KEK_KEYS = fernet_keys, kek_keys
        marks[mark()] = len(marks)
        assert mark() == mark()
    assert len(marks) == 5
    assert all(len(one) == 12 for one in marks)
