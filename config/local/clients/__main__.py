"""``make clients``: write the generated modules. ``ARGS=--check`` writes nothing, and exits with 1 if one is stale."""

import argparse
import subprocess
import sys
from functools import cache
from pathlib import Path

import django

from config.local.clients.python import python_module
from config.local.clients.reading import read
from config.local.clients.typescript import typescript_module
from config.local.supervisor.state import PROJECT_ROOT

FOLDER = PROJECT_ROOT / "static" / "clients"
HINT = "The generated clients differ from the OpenAPI document: run `make clients`, and commit what it writes."


def main(arguments: list[str] | None = None) -> int:
    """Write the modules, or compare them; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m config.local.clients", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing, and fail if a file is out of date")
    is_check = parser.parse_args(arguments).check
    django.setup()
    stale = [path for path, text in modules().items() if not path.exists() or path.read_text(encoding="utf-8") != text]
    for path in stale:
        print(f"{'out of date' if is_check else 'written'}: {path.relative_to(PROJECT_ROOT)}")
        if not is_check:
            path.write_text(modules()[path], encoding="utf-8")
    if stale and is_check:
        print(HINT, file=sys.stderr)
    return 1 if stale and is_check else 0


@cache
def modules() -> dict[Path, str]:
    """Return what each generated file has to hold."""
    from connections.api.urls import api  # noqa: PLC0415 (the models can be imported only after `setup`)

    described = read(api.get_openapi_schema(path_prefix="/api/v1/"))
    return {
        FOLDER / "python" / "latchkey_client" / "api.py": _formatted(python_module(described)),
        FOLDER / "typescript" / "api.ts": typescript_module(described),
    }


def _formatted(text: str) -> str:
    ruff = [sys.executable, "-m", "ruff", "format", "--config", str(PROJECT_ROOT / "pyproject.toml"), "-"]
    return subprocess.run(ruff, input=text, capture_output=True, text=True, check=True).stdout


if __name__ == "__main__":
    sys.exit(main())
