"""PostgreSQL's client programs: which are there, and whether they fit the server."""

import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import psycopg
from django.conf import settings
from django.core.management.base import CommandError
from psycopg import pq

from connections.database.pool import direct_parameters
from connections.database.server import server_version
from connections.lifecycle.refresh import presence

_VERSION = re.compile(r"\(PostgreSQL\) (\d+)")
_MOST_WORDS = 2000  # characters of what a program says when it fails


@dataclass(frozen=True, slots=True)
class Program:
    """One program and its major version."""

    path: str
    major: int


def server_major() -> int:
    """Return the major version of the server. One query."""
    return server_version() // 10_000


def find(name: str, *, folder: str, least: int) -> Program:
    """Return the program ``name``, of the folder, or of PATH without one. Raises ``CommandError`` unless it fits.

    A program of an older major than ``least`` reads neither the server nor the file.
    """
    path = str(Path(folder) / name) if folder else shutil.which(name) or name
    try:
        said = subprocess.run([path, "--version"], capture_output=True, text=True, check=False, timeout=30).stdout
    except (OSError, subprocess.TimeoutExpired):
        raise CommandError(
            f"There is no {name} here: install PostgreSQL's client programs of version {least} or later (the package"
            f" postgresql-client-{least}), or name their folder with --programs."
        ) from None
    version = _VERSION.search(said)
    if version is None:
        raise CommandError(f"{path} is not PostgreSQL's {name}: name the folder of the real one with --programs.")
    if int(version[1]) < least:
        raise CommandError(
            f"{path} is of PostgreSQL {version[1]}, and version {least} or later is needed: install"
            f" postgresql-client-{least}, or name its folder with --programs."
        )
    return Program(path, int(version[1]))


def check_way() -> None:
    """Raise ``CommandError`` if ``DATABASE_DIRECT_URL``, where programs go, leads to another database than Django's.

    Opens a session where it is set.
    """
    if not settings.DATABASE_DIRECT:
        return
    try:
        leads_here = presence.leads_here()
    except psycopg.Error as error:
        raise CommandError(
            f"The database cannot be reached at DATABASE_DIRECT_URL ({type(error).__name__}), and PostgreSQL's programs"
            " go there. Correct it, or leave it out if DATABASE_URL leads past no pooler."
        ) from None
    if not leads_here:
        raise CommandError(
            "DATABASE_DIRECT_URL leads to another database than DATABASE_URL, and PostgreSQL's programs go there."
            " Nothing was done. Let both name the same database of the same server, or leave DATABASE_DIRECT_URL out."
        )


def environment() -> dict[str, str]:
    """Return the environment in which a program reaches the database: its password is in no command line. No I/O."""
    variables = {
        option.keyword.decode(): option.envvar.decode() for option in pq.Conninfo.get_defaults() if option.envvar
    }
    parameters = direct_parameters()
    for ours in ("autocommit", "row_factory"):
        parameters.pop(ours, None)
    # How the server proves itself is said for libpq as a whole, so Django's own connections obey it, too.
    clean = {name: value for name, value in os.environ.items() if not name.startswith("PG") or name.startswith("PGSSL")}
    given = {variables[name]: str(value) for name, value in parameters.items() if name in variables and value}
    return clean | given | {"PGAPPNAME": "latchkey backup"}


def start(
    program: Program, *arguments: str, reads: IO[bytes] | int, writes: IO[bytes] | int
) -> "subprocess.Popen[bytes]":
    """Start a program that reaches the database. What it says goes to a pipe, for ``finish``."""
    return subprocess.Popen(
        [program.path, *arguments], stdin=reads, stdout=writes, stderr=subprocess.PIPE, env=environment()
    )


def finish(process: "subprocess.Popen[bytes]", *, doing: str) -> None:
    """Wait for the end of a program. Raises ``CommandError`` with its words if it failed."""
    said = process.stderr.read() if process.stderr else b""
    if process.wait() != 0:
        words = said.decode(errors="replace").strip()[-_MOST_WORDS:]
        raise CommandError(f"{doing} failed: {words or f'exit code {process.returncode}'}")


def end(process: "subprocess.Popen[bytes]") -> None:
    """End a program that may still run, and wait for that."""
    process.kill()
    process.wait()
