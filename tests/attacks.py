"""The pytest plugin that prints what became of the attacks: where each was stopped, and what it made us send.

A test that plays an attacker says so: ``@pytest.mark.attack("a link for a victim", stopped_at="the confirmation")``.
What reaches the token endpoints of its providers meanwhile is counted. ``own`` of it belongs to the victim's own
connecting; ``sent`` is what only the provider can refuse. Beyond these there may be nothing.
"""

from collections.abc import Generator
from typing import Any

import pytest

from config.local.demo.stack import LocalStack
from providers.sandbox.client import SandboxControl, SandboxProcess

_PROPERTY = "attack"


def pytest_configure(config: pytest.Config) -> None:
    """Make the marker known."""
    config.addinivalue_line("markers", "attack(name, *, stopped_at, own=0, sent=0): the test plays an attacker")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, Any, Any]:
    """Count what reached the token endpoints, and have the report carry it."""
    marker = item.get_closest_marker("attack")
    if marker is None:
        return (yield)
    before = _token_requests(item)
    result = yield
    made = _token_requests(item) - before - marker.kwargs.get("own", 0)
    assert made == marker.kwargs.get("sent", 0), f"the attack made us send {made} token requests"
    told = {"name": marker.args[0], "stopped_at": marker.kwargs["stopped_at"], "made": made}
    item.user_properties.append((_PROPERTY, told))
    return result


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Print the table."""
    rows: dict[tuple[str, str], list[str]] = {}
    for outcome in ("passed", "failed"):
        for report in terminalreporter.stats.get(outcome, []):
            for key, told in getattr(report, "user_properties", []):
                if key == _PROPERTY and report.when == "call":
                    rows.setdefault((told["name"], told["stopped_at"]), []).append(str(told["made"]))
    if not rows:
        return
    terminalreporter.section("attacks on connecting")
    widths = [max(len(row[column]) for row in [*rows, _HEAD]) for column in (0, 1)]
    for (name, stopped_at), made in [(_HEAD, ["token requests made"]), *sorted(rows.items())]:
        terminalreporter.write_line(f"{name:{widths[0]}}  {stopped_at:{widths[1]}}  {max(made)}")


_HEAD = ("attack", "stopped at")


def _token_requests(item: pytest.Item) -> int:
    """Return how many requests the token endpoints of the test's providers have had."""
    controls: dict[int, SandboxControl] = {}
    for given in getattr(item, "funcargs", {}).values():
        if isinstance(given, SandboxProcess):
            controls[id(given)] = given.control
        elif isinstance(given, LocalStack):
            controls[id(given)] = SandboxControl(given.urls["sandbox"])
    return sum(len(control.log(endpoint="token")) for control in controls.values())
