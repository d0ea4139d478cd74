"""The pytest plugin that prints what the interoperability tests have shown: server, version and the steps taken.

A ``Report`` collects the steps of one test. They travel in the test's report, so that a run over several processes
prints them too, at its end.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

_PROPERTY = "interop"


@dataclass
class Report:
    """What one test has shown of one server."""

    title: str
    steps: list[str] = field(default_factory=list)

    def step(self, text: str) -> None:
        """Note a step that is done and has been checked."""
        self.steps.append(text)
        print(f"{self.title}: {text}")

    def attach(self, node: Any) -> None:
        """Have the report of the test that ``node`` is carry the steps, those to come as well."""
        node.user_properties.append((_PROPERTY, {"title": self.title, "test": node.name, "steps": self.steps}))


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Print each server with the steps that were taken there."""
    shown = sorted(_told(terminalreporter), key=lambda told: (told["title"], -len(told["steps"]), told["test"]))
    if not shown:
        return
    terminalreporter.section("foreign authorization servers")
    for told in shown:
        terminalreporter.write_line(f"{told['title']}: {told['outcome']}: {told['test']}")
        for number, step in enumerate(told["steps"], start=1):
            terminalreporter.write_line(f"  {number:2}. {step}")


def _told(terminalreporter: Any) -> Iterator[dict[str, Any]]:
    for outcome in ("passed", "failed"):
        for report in terminalreporter.stats.get(outcome, []):
            if isinstance(report, pytest.TestReport) and report.when == "call":
                properties: list[tuple[str, Any]] = report.user_properties
                yield from ({**value, "outcome": outcome} for key, value in properties if key == _PROPERTY)
