"""Mounted files: secrets that Kubernetes, Docker or a person puts into a folder.

Kubernetes mounts links into a folder beside them, and changes where these lead all at once. So links are followed, but
not out of the folder that the settings allow.
"""

import os
import stat
import time
from contextlib import suppress

from providers.custodians.asking import CustodianAway, CustodianRefuses
from providers.custodians.custody import current_custody
from providers.custodians.references import is_of_the_system

MOST_BYTES = 65_536
# What has changed more recently may not be whole yet.
_SETTLES_SECONDS = 1.0
_FLAGS = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY


def read_file(path: str, *, within: str) -> str:
    """Return the text of the file at ``path``, which is ``within`` a folder, or is that very file.

    Waits for a second where it has just changed. Raises ``CustodianAway`` where it is not there or not whole, and
    ``CustodianRefuses`` for what is no plain file of text, or is not there in truth.
    """
    folder = os.path.realpath(within.rpartition("/")[0] or "/")
    before = _stamped(path, folder=folder)
    wait = _SETTLES_SECONDS - (time.time() - before[1][0] / 1e9)
    if 0 < wait <= _SETTLES_SECONDS:
        time.sleep(wait)
        before = _stamped(path, folder=folder)
    content, stamp = before
    if len(content) > MOST_BYTES:
        raise CustodianRefuses(f"The file has more than {MOST_BYTES} bytes: it is no client secret.")
    if 0 <= time.time() - stamp[0] / 1e9 < _SETTLES_SECONDS:
        raise CustodianAway("The file is being written: it is read once it stays as it is for a second.")
    with suppress(UnicodeDecodeError):
        return content.decode("utf-8-sig")
    raise CustodianRefuses("The file is not text in UTF-8.")


def _real(path: str) -> str:
    return os.path.realpath(os.path.expanduser(path))  # noqa: PTH111 (Path raises where there is no home)


def _stamped(path: str, *, folder: str) -> tuple[bytes, tuple[int, int, int]]:
    """Return what the file holds, up to a byte too many, and what changes with it."""
    real = os.path.realpath(path)
    if is_of_the_system(real) or os.path.commonpath([real, folder]) != folder:
        raise CustodianRefuses("The file is a link that leads out of the folder that LATCHKEY_SECRET_SOURCES names.")
    if real in map(_real, current_custody().own_files):
        raise CustodianRefuses("Latchkey itself reads this file, as a setting says: no provider gets what is in it.")
    try:
        descriptor = os.open(real, _FLAGS)
    except OSError as error:
        raise CustodianAway(f"The file cannot be read: {error.strerror}.") from None
    try:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode):
            raise CustodianRefuses("It is no plain file.")
        with os.fdopen(descriptor, "rb", closefd=False) as opened:
            content = opened.read(MOST_BYTES + 1)
    except OSError as error:
        raise CustodianAway(f"The file cannot be read: {error.strerror}.") from None
    finally:
        os.close(descriptor)
    return content, (found.st_mtime_ns, found.st_ino, found.st_size)
