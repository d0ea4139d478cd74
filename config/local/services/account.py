"""The user that PostgreSQL runs as, and a place on disk which that user can reach.

PostgreSQL refuses to run as root. Then it runs as ``postgres`` or ``nobody``, who can enter neither a clone nor a
virtual environment below a folder that only root may enter; such data goes to a folder of its own in ``/var/tmp``.
"""

import contextlib
import hashlib
import os
import pwd
import shutil
import stat
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from config.local.supervisor.state import LocalStackError

_UNPRIVILEGED = ("postgres", "nobody")
_ENVIRONMENT = {"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"}


@dataclass(frozen=True, slots=True)
class Account:
    """The identity of the server's processes: the caller's own, or for root (``drops``) an unprivileged one."""

    uid: int
    gid: int
    drops: bool

    def popen(self, argv: Sequence[str | Path], **options: Any) -> "subprocess.Popen[bytes]":
        """Start ``argv`` as this account, in a session of its own, with a minimal environment and no secret in it."""
        if self.drops:
            options |= {"user": self.uid, "group": self.gid, "extra_groups": []}
        return subprocess.Popen(
            [str(part) for part in argv],
            stdin=subprocess.DEVNULL,
            cwd="/",
            env=_ENVIRONMENT,
            start_new_session=True,
            umask=0o077,
            **options,
        )

    def run(self, argv: Sequence[str | Path], *, seconds: float = 120) -> "subprocess.CompletedProcess[str]":
        """Run ``argv`` to its end and return its exit code with both output streams as one text."""
        with self.popen(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as process:
            try:
                output, _ = process.communicate(timeout=seconds)
            except BaseException:
                process.kill()
                raise
        return subprocess.CompletedProcess(process.args, process.returncode, output.decode(errors="replace"))

    def can_enter(self, folder: Path) -> bool:
        """Return whether this account can enter it. Raises ``LocalStackError`` if it can run nothing."""
        try:
            return self.run(["/bin/sh", "-c", 'cd -- "$1"', "sh", folder]).returncode == 0
        except OSError as error:
            raise LocalStackError(
                f"PostgreSQL cannot be run as the unprivileged user {self.uid} ({error.strerror}): "
                "start as an ordinary user, or set DATABASE_URL."
            ) from None

    def own(self, path: Path) -> None:
        """Give ``path`` to this account."""
        if self.drops:
            os.chown(path, self.uid, self.gid)


def server_account(data: Path) -> Account:
    """Return the account that PostgreSQL runs as, given the data folder (which may not exist yet).

    For root, the owner of existing data serves it. Raises ``LocalStackError`` if root finds no usable account.
    """
    if os.geteuid() != 0:
        return Account(os.geteuid(), os.getegid(), drops=False)
    with contextlib.suppress(OSError):
        found = data.lstat()
        if stat.S_ISDIR(found.st_mode) and found.st_uid != 0:
            return Account(found.st_uid, found.st_gid, drops=True)
    for name in _UNPRIVILEGED:
        with contextlib.suppress(KeyError):
            entry = pwd.getpwnam(name)
            return Account(entry.pw_uid, entry.pw_gid, drops=True)
    raise LocalStackError(
        "PostgreSQL refuses to run as root and there is no user `postgres` or `nobody`: set DATABASE_URL."
    )


def reachable_place(home: Path, account: Account) -> Path:
    """Return a folder for the server's files that ``account`` can enter and only the caller can change.

    That is ``home`` itself, or else a new folder in ``/var/tmp`` with a random name, remembered as the symbolic link
    ``home/place``. A folder that somebody else made is never used: the link lies where only the caller writes, and what
    it leads to must be the caller's own.
    """
    link = home / "place"
    if link.is_symlink():
        place = link.readlink()
        if _is_own_folder(place) and account.can_enter(place):
            return place
        link.unlink()
    if account.can_enter(home):
        return home
    clone = hashlib.sha256(str(home).encode()).hexdigest()[:10]
    for base in dict.fromkeys(("/var/tmp", tempfile.gettempdir(), "/tmp")):
        # If somebody deleted the state folder, and with it the keys, nothing can decrypt the data that is left here.
        for older in Path(base).glob(f"latchkey-{clone}-*"):
            if _is_own_folder(older) and not (older / "data" / "postmaster.pid").exists():
                shutil.rmtree(older, ignore_errors=True)
        with contextlib.suppress(OSError):
            place = Path(tempfile.mkdtemp(prefix=f"latchkey-{clone}-", dir=base))
            place.chmod(0o711)
            if account.can_enter(place):
                link.symlink_to(place)
                return place
            place.rmdir()
    raise LocalStackError(f"PostgreSQL can reach neither {home} nor /var/tmp: set DATABASE_URL.")


def remove_place(home: Path) -> None:
    """Remove ``home`` and, if the server's files lie elsewhere, that folder too."""
    link = home / "place"
    if link.is_symlink() and _is_own_folder(link.readlink()):
        shutil.rmtree(link.readlink(), ignore_errors=True)
    shutil.rmtree(home, ignore_errors=True)


def _is_own_folder(folder: Path) -> bool:
    try:
        found = folder.lstat()
    except OSError:
        return False
    return stat.S_ISDIR(found.st_mode) and found.st_uid == os.geteuid() and not found.st_mode & 0o022
