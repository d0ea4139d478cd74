"""Reads the files of a deployment: what is started, and in which environment."""

import json
import os
import re
import shutil
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[3]
CHART = ROOT / "config/deploy/chart"
# What whoever installs the chart has to say.
SAID: dict[str, Any] = {
    "image": {"repository": "registry.example/latchkey"},
    "publicUrl": "https://connect.example.com",
    "secretName": "latchkey",
}
_GO_SOURCES = Path("/usr/share/gocode")  # of Debian's packages
_RENDERER = Path(__file__).parent / "render.go"


def settings() -> set[str]:
    """Return the names of all variables that the settings read, or a library that a process is started by."""
    text = (ROOT / "config/settings.py").read_text()
    return set(re.findall(r'env(?:\.\w+)?\(\s*"([A-Z_]+)"', text))


def required_settings() -> set[str]:
    """Return the names of the settings that have no default, from the README's table."""
    return set(re.findall(r"^\| \*\*`(\w+)`\*\*", (ROOT / "README.md").read_text(), re.MULTILINE))


def instructions() -> list[tuple[str, str]]:
    """Return the Dockerfile's instructions: each keyword with the rest of its line, continued lines joined."""
    text = re.sub(r"^\s*#.*\n", "", (ROOT / "Dockerfile").read_text(), flags=re.MULTILINE)
    lines = text.replace("\\\n", " ").splitlines()
    return [
        (keyword, re.sub(r"\s+", " ", rest)) for keyword, _, rest in (line.partition(" ") for line in lines if line)
    ]


@cache
def compose() -> dict[str, Any]:
    """Return ``compose.yaml``, with its anchors filled in."""
    loaded: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text())
    return loaded


def worker_check() -> list[str]:
    """Return the command by which Compose asks for a worker's health."""
    kind, command = compose()["services"]["worker"]["healthcheck"]["test"]
    assert kind == "CMD-SHELL"
    return ["sh", "-c", command.replace("$$", "$")]


def worker_health(**environment: str) -> bool:
    """Run what Compose asks for a worker's health, in ``environment``, and return whether it is well."""
    return subprocess.run(worker_check(), env=os.environ | environment, check=False).returncode == 0


def renderer() -> list[str] | None:
    """Return the command that renders a chart, or nothing where there is neither Helm nor Go with Sprig."""
    if shutil.which("helm"):
        return ["helm"]
    sprig = _GO_SOURCES / "src/github.com/Masterminds/sprig"
    return ["go", "run", str(_RENDERER)] if shutil.which("go") and sprig.is_dir() else None


def render(values: dict[str, Any]) -> subprocess.CompletedProcess[str]:
    """Render the chart with ``values`` in place of its own."""
    command = renderer()
    assert command is not None
    if command == ["helm"]:
        command = ["helm", "template", "latchkey", str(CHART), "--values", "-"]
    else:
        command = [*command, str(CHART), json.dumps(values)]
    environment = os.environ | {"GO111MODULE": "off", "GOPATH": str(_GO_SOURCES), "GOFLAGS": ""}
    return subprocess.run(
        command, input=json.dumps(values), env=environment, capture_output=True, text=True, check=False, timeout=300
    )


def manifests(**values: Any) -> list[dict[str, Any]]:
    """Return what the chart makes of ``values`` and what has to be said."""
    rendered = render(SAID | values)
    assert rendered.returncode == 0, rendered.stderr
    return [manifest for manifest in yaml.safe_load_all(rendered.stdout) if manifest]


def worker_command(text: str) -> list[str]:
    """Return the words of the first command in ``text`` that starts a worker, up to its queues."""
    found = re.search(r"celery -A config worker .*-Q [\w,]+", text)
    assert found, text
    return found[0].split()
