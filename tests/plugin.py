"""The pytest plugin that brings the databases up before Django's settings are read.

Loaded by ``-p tests.plugin`` (see pyproject.toml): a conftest would come too late, because pytest-django reads the
settings while pytest still looks for conftests.
"""

import contextlib
import gc
import importlib
import os
import signal
from collections.abc import Generator
from typing import Any

import pytest
from xdist.scheduler import LoadFileScheduling

from tests.services import Services, start_services, worker_environment

# Python looks for garbage after 700 new objects, and each page makes thousands: 5 % of the time went into that.
_GARBAGE_AFTER = 50_000
# Where the files are that take longest, the longest first: whole stacks, browsers and commands; then single files that
# one worker has for minutes, and folders of pages. What is left are many files of a few seconds.
_LONG = (
    *("browser/widget/", "browser/demo/"),
    *("campaigns/", "processes/", "faults/", "browser/", "config/", "interop/"),
    "connections/management/doctor/",
    "connections/admin/test_single_permissions.py",
    "connections/lifecycle/watch/",
    *("connections/admin/", "connections/api/"),
)
# Folders whose files share a stack, and so a worker. Their fixtures are those of a package.
_SHARED = ("tests/browser/widget/",)

_running: list[Services] = []


@pytest.hookimpl(wrapper=True)
def pytest_load_initial_conftests() -> Generator[None, None, None]:
    """Start the services in the plain process or the controller; a worker takes its share of them."""
    # A run that a shell started in the background has it ignored, and so would everything that the tests start.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    worker = os.environ.get("PYTEST_XDIST_WORKER")
    if worker:
        os.environ.update(worker_environment(os.environ, worker))
    else:
        services = start_services()
        _running.append(services)
        os.environ.update(services.environment)
    return (yield)


@pytest.hookimpl(tryfirst=True, optionalhook=True)
def pytest_xdist_auto_num_workers() -> int | None:
    """Run two workers more than there are processors: on average a worker waits for others half of its time.

    What it waits for is a process, a database, a provider, or a deadline.
    """
    if "PYTEST_XDIST_AUTO_NUM_WORKERS" in os.environ:
        return None
    return (os.cpu_count() or 1) + 2


class _ByFile(LoadFileScheduling):
    """Gives each worker whole files, and all files of a folder that shares a stack."""

    def _split_scope(self, nodeid: str) -> str:
        file = super()._split_scope(nodeid)
        return next((folder for folder in _SHARED if file.startswith(folder)), file)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> LoadFileScheduling | None:
    """Hand out files as ``_ByFile`` does, where files are asked for."""
    return _ByFile(config, log) if config.getoption("dist") == "loadfile" else None


def pytest_configure(config: pytest.Config) -> None:
    """Have files begun in the order of ``pytest_collection_modifyitems``; xdist would begin the longest ones last."""
    config.option.loadscopereorder = False


@pytest.hookimpl(wrapper=True)
def pytest_collection(session: pytest.Session) -> Generator[None, None, None]:
    """Spare the garbage collector what is collected here: all of it stays to the end."""
    gc.disable()
    _import_share(session.config)
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.set_threshold(_GARBAGE_AFTER)
        gc.enable()


def _import_share(config: pytest.Config) -> None:
    """Import this worker's share of the test modules first.

    In a fresh clone pytest rewrites the assertions of each module, for longer than everything else that it collects
    takes. Side by side each worker would do so for all modules; like this it finds those of the others done.
    """
    worker, workers = os.environ.get("PYTEST_XDIST_WORKER"), int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    if worker is None:
        return
    folders = [folder for folder in map(config.invocation_params.dir.joinpath, config.args) if folder.is_dir()]
    files = sorted(file for folder in folders for file in folder.rglob("test_*.py"))
    for file in files[int(worker.removeprefix("gw")) :: workers]:
        # Nothing is lost: what cannot be imported is skipped or reported where it is collected.
        with contextlib.suppress(Exception, pytest.skip.Exception):
            importlib.import_module(".".join(file.relative_to(config.rootpath).with_suffix("").parts))


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin long files first, so that no worker is left alone with one at the end; otherwise the order stays random."""
    items.sort(key=_place)


def _place(item: pytest.Item) -> int:
    path = item.nodeid.removeprefix("tests/")
    return next((place for place, long in enumerate(_LONG) if path.startswith(long)), len(_LONG))


@pytest.hookimpl(trylast=True)
def pytest_unconfigure() -> None:
    """Stop what this process started."""
    while _running:
        _running.pop().stop()
