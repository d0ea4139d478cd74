"""The pytest plugin that brings the databases up before Django's settings are read.

Loaded by ``-p tests.plugin`` (see pyproject.toml): a conftest would come too late, because pytest-django reads the
settings while pytest still looks for conftests.
"""

import os
import signal
from collections.abc import Generator

import pytest

from tests.services import Services, start_services, worker_environment

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


@pytest.hookimpl(trylast=True)
def pytest_unconfigure() -> None:
    """Stop what this process started."""
    while _running:
        _running.pop().stop()
