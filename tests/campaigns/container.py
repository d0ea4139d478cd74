"""``make container``: build the image by its own steps, and run it as it is meant to run, without a container runtime.

Buildah builds it in a chroot. The root file system is then mounted read-only, and migrations, web, worker and beat run
in it as the image's user, with PostgreSQL, Valkey and the sandbox provider of a local stack. Needs root, and Debian's
``buildah``. Where no registry can be reached, ``--debian`` makes a base with ``mmdebstrap`` instead of the pinned one.
"""

import argparse
import gzip
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import requests

from config.local.demo.stack import LocalStack
from config.local.services.ports import any_free_port
from config.local.supervisor.state import PROJECT_ROOT
from providers.sandbox.waiting import until
from tests.campaigns.stacks import QUICK, control, database, populate
from tests.config.deploy.files import settings, worker_check, worker_command

IMAGE, BASE = "localhost/latchkey", "localhost/latchkey-base"
# Of the machine that builds: whom pip trusts, and where it looks first.
_LENT = ("/etc/ssl/certs", "/opt/wheels")
_DEBIAN = "bookworm"
_DUE = "UPDATE connections_connection SET refresh_due_at = now(), access_expires_at = now() + interval '1 minute'"


def main() -> int:
    """Build, run, print what was seen; 1 if something is not as it should be."""
    parser = argparse.ArgumentParser(prog="make container", description=__doc__)
    parser.add_argument("--debian", action="store_true", help="make a base from Debian's packages")
    chosen = parser.parse_args()
    if os.geteuid() or not shutil.which("buildah"):
        print("This has to run as root, with Debian's package buildah installed.")
        return 1
    _build(_debian_base() if chosen.debian else None)
    with ExitStack() as cleanup:
        root = cleanup.enter_context(_mounted())
        folder = Path(cleanup.enter_context(tempfile.TemporaryDirectory(prefix="latchkey-container-")))
        report = _sizes() | _run(Container(root, folder), folder)
    print(json.dumps(report))
    return 0 if report["ok"] else 1


class Container:
    """Processes in ``root``, as the image's user and in its environment. ``folder`` holds what they write."""

    def __init__(self, root: Path, folder: Path) -> None:
        self.root = root
        told = json.loads(_buildah("inspect", "--type", "image", IMAGE))
        self.config: dict[str, Any] = told["Docker"]["config"]
        self.environment: dict[str, str] = dict(line.split("=", 1) for line in self.config["Env"])
        self._folder = folder

    def start(self, name: str, *command: str) -> "subprocess.Popen[bytes]":
        """Start a process; its output goes to a file of this name."""
        log = (self._folder / f"{name}.log").open("ab")
        words = ("chroot", f"--userspec={self.config['User']}", str(self.root), *command)
        return subprocess.Popen(words, env=self.environment, stdout=log, stderr=log, start_new_session=True, cwd="/")

    def start_in_app(self, name: str, command: str) -> "subprocess.Popen[bytes]":
        """Start a process in the image's working directory."""
        return self.start(name, "sh", "-c", f"cd {self.config['WorkingDir']} && exec {command}")

    def run(self, name: str, *command: str) -> bool:
        """Run a command to its end, a minute at most. Return whether it succeeded."""
        return self.start(name, *command).wait(timeout=60) == 0

    def log(self, name: str) -> str:
        """Return what a process has written."""
        return (self._folder / f"{name}.log").read_text(errors="replace")


def _run(container: Container, folder: Path) -> dict[str, Any]:
    with LocalStack(
        state_dir=folder / "stack", processes=("sandbox",), seed=False, migrate=False, overrides=QUICK
    ) as stack:
        port = str(any_free_port())
        ours = {name: value for name, value in stack.environment.items() if name in settings()}
        written = {"LATCHKEY_SPOOL_DIR", "LATCHKEY_CATALOG_DIR", "STATIC_ROOT"}  # the image says where
        web = f"http://127.0.0.1:{port}"
        container.environment |= {name: value for name, value in ours.items() if name not in written}
        container.environment |= {"PUBLIC_URL": web, "GRANIAN_HOST": "127.0.0.1", "GRANIAN_PORT": port}
        stack.urls["web"] = web
        found: dict[str, Any] = {"migrates": _in_app(container, "migrate", "python manage.py migrate --noinput")}
        started = [
            container.start("web", "sh", "-c", "cd /app && exec " + " ".join(container.config["Cmd"])),
            container.start("worker", "sh", "-c", "cd /app && exec " + _worker()),
            container.start(
                "beat", "sh", "-c", "cd /app && exec celery -A config beat -S celery.beat:Scheduler --pidfile="
            ),
        ]
        try:
            found |= _look(container, stack, web, port)
        finally:
            for process in started:
                os.killpg(process.pid, signal.SIGTERM)
            found["ends"] = [process.wait(timeout=60) for process in started]
    found["ok"] = all(found[name] for name in found if name != "ends")
    if not found["ok"]:
        print(*(container.log(name)[-3000:] for name in ("migrate", "web", "worker", "beat")), sep="\n----\n")
    return found


def _look(container: Container, stack: LocalStack, web: str, port: str) -> dict[str, Any]:
    until(lambda: _is_ready(web), "a web process that is ready")
    check = [word.replace("8000", port) for word in container.config["Healthcheck"]["Test"][1:]]
    populated = populate(stack, 3)
    headers = {"Authorization": f"Bearer {populated['key']}"}
    url = f"{web}/api/v1/connections/{populated['connections'][0]}/credential"
    vended = requests.post(url, json={"end_user": "user-0"}, headers=headers, timeout=10)
    with database(stack) as connected:
        connected.execute(_DUE)
    control(stack).clear_log()
    until(lambda: len(control(stack).log(grant_type="refresh_token")) == 3, "the worker's refreshes")
    style = requests.get(f"{web}/admin/login/", timeout=10).text.split('href="/static/', 1)[1].split('"', 1)[0]
    return {
        "healthy": container.run("health", *check),
        "worker_is_healthy": container.run("worker-health", *worker_check()),
        "vends": vended.status_code == 200,
        "serves_static_files": requests.get(f"{web}/static/{style}", timeout=10).status_code == 200,
        "makes_first_operator": _in_app(container, "operator", "python manage.py operators first"),
        "writes_spool": _in_app(container, "spool", "touch /var/lib/latchkey/spool/x && rm /var/lib/latchkey/spool/x"),
        "is_read_only": not _in_app(container, "root", "touch /app/x || touch /etc/x || touch /opt/venv/x"),
        "has_no_rights": _in_app(container, "rights", 'test "$(id -u)" = 10001 && ! test -w /app/manage.py'),
    }


def _is_ready(web: str) -> bool:
    try:
        return requests.get(f"{web}/readyz", timeout=5).status_code == 200
    except requests.ConnectionError:
        return False


def _in_app(container: Container, name: str, command: str) -> bool:
    return container.run(name, "sh", "-c", f"cd /app && {command}")


def _worker() -> str:
    return " ".join(worker_command((PROJECT_ROOT / "README.md").read_text()))


def _build(base: str | None) -> None:
    lent = [f"--volume={folder}:{folder}:ro" for folder in _LENT if Path(folder).is_dir()]
    replaced = [f"--build-arg=BASE={base}"] if base else []
    _buildah("bud", "--format", "docker", "--layers", *lent, *replaced, "--tag", IMAGE, str(PROJECT_ROOT))


def _sizes() -> dict[str, Any]:
    """Return how large the image's own layers are, packed as a registry keeps them and unpacked, in megabytes."""
    with tempfile.TemporaryDirectory() as folder:
        _buildah("push", "--quiet", IMAGE, f"oci:{folder}:image")
        blobs = Path(folder, "blobs/sha256")
        index = json.loads(Path(folder, "index.json").read_text())
        manifest = json.loads((blobs / index["manifests"][0]["digest"].removeprefix("sha256:")).read_text())
        base, *ours = [blobs / layer["digest"].removeprefix("sha256:") for layer in manifest["layers"]]
        unpacked = 0
        for layer in ours:
            with gzip.open(layer) as packed:
                while block := packed.read(1 << 20):
                    unpacked += len(block)
        packed_bytes = sum(layer.stat().st_size for layer in ours)
        return {
            "base_packed_mb": round(base.stat().st_size / 1e6),
            "ours_packed_mb": round(packed_bytes / 1e6),
            "ours_unpacked_mb": round(unpacked / 1e6),
        }


def _debian_base() -> str:
    """Make a base like the pinned one from Debian's packages, if there is none yet."""
    if (
        subprocess.run(["buildah", "inspect", "--type", "image", BASE], capture_output=True, check=False).returncode
        == 0
    ):
        return BASE
    with tempfile.TemporaryDirectory() as folder:
        without = [f"--dpkgopt=path-exclude=/usr/share/{name}/*" for name in ("man", "doc", "locale")]
        packages = "--include=python3,python3-venv,python3-pip,ca-certificates"
        command = ["mmdebstrap", "--quiet", "--variant=minbase", packages, *without, _DEBIAN, f"{folder}/base.tar"]
        subprocess.run(command, check=True)
        Path(folder, "Dockerfile").write_text("FROM scratch\nADD base.tar /\nRUN ln -s python3 /usr/bin/python\n")
        _buildah("bud", "--tag", BASE, folder)
    return BASE


@contextmanager
def _mounted() -> Iterator[Path]:
    """Mount the image read-only, with a place for what it may write, and take all of that away again."""
    container = _buildah("from", IMAGE).strip()
    try:
        root = Path(_buildah("mount", container).strip())
        with ExitStack() as mounts:
            for command in (
                ["--bind", str(root), str(root)],
                ["-o", "remount,bind,ro", str(root), str(root)],
                ["-t", "tmpfs", "-o", "mode=1777", "tmpfs", f"{root}/tmp"],
                ["-t", "tmpfs", "-o", "mode=0700,uid=10001,gid=10001", "tmpfs", f"{root}/var/lib/latchkey"],
                ["-t", "proc", "proc", f"{root}/proc"],
                ["--bind", "/dev", f"{root}/dev"],
            ):
                subprocess.run(["mount", *command], check=True)
                if "remount,bind,ro" not in command:
                    mounts.callback(subprocess.run, ["umount", command[-1]], check=True)
            spool = root / "var/lib/latchkey/spool"
            spool.mkdir(0o700)
            os.chown(spool, 10001, 10001)
            yield root
    finally:
        _buildah("rm", container)


def _buildah(*arguments: str) -> str:
    environment = os.environ | {
        "BUILDAH_ISOLATION": "chroot",
        "STORAGE_DRIVER": os.environ.get("STORAGE_DRIVER", "vfs"),
    }
    return subprocess.run(
        ["buildah", *arguments], env=environment, check=True, stdout=subprocess.PIPE, text=True
    ).stdout


if __name__ == "__main__":
    sys.exit(main())
