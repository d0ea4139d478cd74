"""The TypeScript client, compiled as strictly as it can be, and run by the Node that comes with Playwright.

The compiler is installed once by npm, as ``package-lock.json`` pins it, into a folder beside ``.venv``'s packages.
"""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import playwright
import pytest

from config.local.supervisor.state import PROJECT_ROOT

SOURCES = PROJECT_ROOT / "static" / "clients" / "typescript"
WALK = PROJECT_ROOT / "tests" / "clients" / "walk.ts"
_HOME = Path(sys.prefix) / "typescript"
_PINNED = ("package.json", "package-lock.json")


def node() -> str:
    """Return the path of a Node of version 20 or later."""
    return str(Path(playwright.__file__).parent / "driver" / "node")


def compiler() -> Path:
    """Return the compiler's path, having installed it if need be. Without npm the test is skipped, or fails in CI."""
    found = _HOME / "node_modules" / "typescript" / "bin" / "tsc"
    if found.exists() and all((_HOME / name).read_bytes() == (SOURCES / name).read_bytes() for name in _PINNED):
        return found
    if (npm := shutil.which("npm")) is None:
        if os.environ.get("CI"):
            pytest.fail("There is no npm: apt-get install npm")
        pytest.skip("There is no npm to install the compiler of TypeScript with.")
    shutil.rmtree(_HOME, ignore_errors=True)
    _HOME.mkdir()
    for name in _PINNED:
        shutil.copy(SOURCES / name, _HOME / name)
    subprocess.run([npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--silent"], cwd=_HOME, check=True)
    return found


def compiled(folder: Path) -> Path:
    """Compile the client and the walk into ``folder``; return the walk's script. Fails with what the compiler says."""
    for source in [*SOURCES.glob("*.ts"), WALK]:
        shutil.copy(source, folder)
    project = json.loads((SOURCES / "tsconfig.json").read_text())
    (folder / "tsconfig.json").write_text(json.dumps({**project, "files": ["latchkey.ts", WALK.name]}))
    (folder / "package.json").write_text('{"type": "module"}')
    command = [node(), str(compiler()), "--project", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    return folder / "dist" / WALK.with_suffix(".js").name
