"""Make ``.venv`` match ``requirements-dev.lock``: run by the Makefile before anything else, and a no-op when it does.

Standard library only, because it runs on the system's Python before anything is installed; it must not import the rest
of this package. If the machine lacks something, it prints one line with the package to install, and exits with code 1.
"""

import fcntl
import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
OLDEST = (3, 11)
_LOCK = ROOT / "requirements-dev.lock"
_UV_LOCK = ROOT / "requirements-uv.lock"
# Texts in the output of a failed build, each with the missing Debian packages.
_BUILD_SIGNS = (
    ("Python.h", "python{version}-dev"),
    ("ffi.h", "libffi-dev"),
    ("cargo", "cargo"),
    ("gcc", "build-essential"),
    ("error: command 'cc'", "build-essential"),
    ("c++", "build-essential"),
)
_OFFLINE_SIGNS = ("failed to establish a new connection", "name resolution", "dns error", "error sending request")


class BootstrapError(Exception):
    """The environment cannot be made; the message is one line that says what to do."""


def main() -> int:
    """Create or update the virtual environment; returns the exit code."""
    try:
        check_python(sys.version_info[:2])
        venv = ROOT / ".venv"
        if is_current(venv):
            return 0
        # Two starts at once must not install into each other's half-made environment.
        descriptor = os.open(ROOT, os.O_RDONLY)
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        if not is_current(venv):
            install(venv)
    except BootstrapError as error:
        print(error, file=sys.stderr)
        return 1
    except OSError as error:
        print(f"The environment cannot be made: {error}", file=sys.stderr)
        return 1
    return 0


def check_python(version: tuple[int, ...]) -> None:
    """Raise ``BootstrapError`` unless this Python is new enough."""
    if version < OLDEST:
        found, needed = (".".join(map(str, part)) for part in (version, OLDEST))
        raise BootstrapError(
            f"Latchkey needs Python {needed} or later, {sys.executable} is {found}: "
            f"install python{needed} (`apt-get install python{needed} python{needed}-venv`) or run `make PYTHON=/path`."
        )


def is_current(venv: Path) -> bool:
    """Return whether the environment was made here, from these locks, and its Python still exists."""
    try:
        return (venv / ".latchkey").read_text() == stamp() and (venv / "bin" / "python").exists()
    except OSError:
        return False


def belongs_here(venv: Path) -> bool:
    """Return whether the environment works, has pip, and was made for this path, not moved or copied."""
    try:
        stamped = (venv / ".latchkey").read_text()
    except OSError:
        stamped = ""
    if stamped and stamped.split("\n", 1)[0] != str(ROOT):
        return False
    # Without this file its Python is the system's own, which is not ours to change.
    if not (venv / "pyvenv.cfg").exists():
        return False
    probe = "import sys, pip; sys.exit(sys.version_info < (3, 11))"
    try:
        return subprocess.run([venv / "bin" / "python", "-c", probe], capture_output=True, check=False).returncode == 0
    except OSError:
        return False


def stamp() -> str:
    """Return a stamp of what the environment depends on: the clone's path (scripts hold it) and the locks."""
    digest = hashlib.sha256(_LOCK.read_bytes() + _UV_LOCK.read_bytes())
    return f"{ROOT}\n{digest.hexdigest()}\n"


def install(venv: Path) -> None:
    """Make the environment hold exactly what the lock names. Raises ``BootstrapError``."""
    python = venv / "bin" / "python"
    if not belongs_here(venv):
        _check_venv_module()
        _say("creating .venv")
        _run([str(_base_python()), "-m", "venv", "--clear", str(venv)], "The virtual environment cannot be created")
    (venv / ".latchkey").unlink(missing_ok=True)
    _say("installing packages (once; later starts are quick)")
    pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--require-hashes", "-r"]
    _run([*pip, str(_UV_LOCK)], "uv cannot be installed")
    uv = [str(python), "-m", "uv", "pip", "sync", "--quiet", "--python", str(python)]
    # Compiled once, here: nine processes of the demo would otherwise do it at each start.
    uv += ["--compile-bytecode", "--require-hashes", str(_LOCK)]
    try:
        _run(uv, "The packages cannot be installed")
    except BootstrapError as error:
        if "certificate" not in str(error):
            raise
        # An organisation's own root is known to the system, not to uv.
        _run([*uv, "--system-certs"], "The packages cannot be installed")
    (venv / ".latchkey").write_text(stamp())


def _base_python() -> Path:
    """Return the Python outside any virtual environment: ``.venv`` must not be made from a ``.venv`` being replaced."""
    for name in (f"python{sys.version_info[0]}.{sys.version_info[1]}", "python3"):
        candidate = Path(sys.base_prefix) / "bin" / name
        if candidate.exists():
            return candidate
    return Path(sys.executable)


def _check_venv_module() -> None:
    """Raise ``BootstrapError`` where the distribution has split these modules off, or left an empty package of them."""
    for name in ("venv", "ensurepip"):
        try:
            found = importlib.util.find_spec(name)
        except ValueError:
            found = None
        if found is None or found.origin is None:
            version = f"{sys.version_info[0]}.{sys.version_info[1]}"
            raise BootstrapError(
                f"{sys.executable} lacks the module {name}: `apt-get install python{version}-venv`, then try again."
            )


def _run(argv: list[str], failure: str) -> None:
    environment = os.environ | {"UV_PYTHON_DOWNLOADS": "never", "PIP_REQUIRE_VIRTUALENV": "0"}
    if "PIP_INDEX_URL" in environment:
        environment.setdefault("UV_DEFAULT_INDEX", environment["PIP_INDEX_URL"])
    environment.pop("PYTHONPATH", None)
    result = subprocess.run(
        argv, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
    if result.returncode:
        raise BootstrapError(f"{failure}: {explain(result.stdout)}")


def explain(output: str) -> str:
    """Return one line that says why an installation failed, and which system package mends it if that is known."""
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    failed = [line for line in lines if line.lower().startswith("error")]
    failed = failed or [line for line in lines if "error" in line.lower() or "fail" in line.lower()]
    causes = [line.split(": ", 1)[1] for line in lines if line.startswith(("cause: ", "Caused by: "))]
    reason = ": ".join([*(failed or lines or ["no reason was given"])[-1:], *causes[-1:]])
    version = f"{sys.version_info[0]}.{sys.version_info[1]}"
    for sign, package in _BUILD_SIGNS:
        if sign in output and ("build" in output.lower() or "compil" in output.lower()):
            return f"{reason} (`apt-get install {package.format(version=version)}`, then try again)"
    if "certificate" in output:
        return f"{reason} (its root is not trusted here: set SSL_CERT_FILE)"
    if any(sign in output.lower() for sign in _OFFLINE_SIGNS):
        return f"{reason} (the package registry cannot be reached)"
    if shutil.disk_usage(ROOT).free < 2**29:
        return f"{reason} (the disk is full)"
    return reason


def _say(text: str) -> None:
    print(f"bootstrap: {text}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
