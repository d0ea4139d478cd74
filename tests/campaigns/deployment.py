"""``make deployment``: lint the Dockerfile, and hold ``compose.yaml`` and what the chart makes against their schemas.

The linters come from a lock of their own and are kept apart from the environment: with the schemas of Kubernetes they
weigh more than Latchkey.
"""

import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import yaml

from tests.config.deploy.files import ROOT, manifests, renderer
from tests.config.deploy.test_chart import EVERYTHING

_OLDEST_AND_NEWEST = ("1.27", "1.37")
_TOOLS = (sys.executable, "-m", "uv", "run", "--quiet", "--no-project", "--isolated", "--with-requirements")


def main() -> int:
    """Run each linter and return 1 if one found something, or if the chart could not be rendered."""
    if renderer() is None:
        print("The chart is not looked at: install helm, or golang-go and golang-github-masterminds-sprig-dev.")
        return 1
    found = [
        _passes("hadolint", "Dockerfile"),
        _passes("check-jsonschema", "--builtin-schema", "vendor.compose-spec", "compose.yaml"),
    ]
    varieties: tuple[dict[str, Any], ...] = ({}, EVERYTHING)
    with tempfile.TemporaryDirectory() as folder:
        for number, values in enumerate(varieties):
            file = Path(folder) / f"manifests-{number}.yaml"
            file.write_text(yaml.safe_dump_all(manifests(**values)))
            found += [
                _passes("kubernetes-validate", "--quiet", "--strict", "-k", version, str(file))
                for version in _OLDEST_AND_NEWEST
            ]
    return 0 if all(found) else 1


def _passes(*command: str) -> bool:
    lock = str(ROOT / "config/deploy/requirements-lint.lock")
    passed = subprocess.run([*_TOOLS, lock, *command], cwd=ROOT, check=False).returncode == 0
    print(f"{'ok' if passed else 'FAILED'}: {' '.join(command)}")
    return passed


if __name__ == "__main__":
    sys.exit(main())
