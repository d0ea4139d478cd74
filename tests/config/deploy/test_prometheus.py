"""The alert rules and the dashboard ask for metrics that there are, with labels that they have."""

import json
import re
import shutil
import subprocess
from typing import Any

import pytest
import yaml

from tests.config.deploy.files import ROOT

FOLDER = ROOT / "config/deploy/prometheus"
_SUFFIX = re.compile(r"_(bucket|count|sum)$")


def expressions() -> list[str]:
    """Return every expression of the rules and of the dashboard."""
    rules = yaml.safe_load((FOLDER / "alerts.yaml").read_text())
    dashboard: dict[str, Any] = json.loads((FOLDER / "dashboard.json").read_text())
    alerts = [rule["expr"] for group in rules["groups"] for rule in group["rules"]]
    return alerts + [target["expr"] for panel in dashboard["panels"] for target in panel["targets"]]


def known() -> set[str]:
    """Return the names of all metrics, as they stand in the code."""
    gauges = (ROOT / "connections/api/metrics.py").read_text()
    meters = (ROOT / "connections/journal/meters.py").read_text()
    histograms = {f"latchkey_{name}_seconds" for name in re.findall(r'histogram\(\s*"(\w+)"', meters)}
    counters = {f"{name}_total" for name in re.findall(r'Counter\(\s*"(\w+)"', meters)}
    return set(re.findall(r'"(latchkey_\w+)"', gauges)) | histograms | counters


def test_each_expression_asks_for_metrics_that_there_are() -> None:
    assert len(known()) > 12
    for expression in expressions():
        asked = {_SUFFIX.sub("", name) for name in re.findall(r"latchkey_\w+", expression)}
        assert asked, expression
        assert asked <= known(), expression


def test_each_metric_is_drawn_or_watched() -> None:
    asked = {_SUFFIX.sub("", name) for name in re.findall(r"latchkey_\w+", " ".join(expressions()))}
    assert known() - asked == {"latchkey_provider_connections"}  # only where providers are named


def test_each_alert_says_what_to_read() -> None:
    for group in yaml.safe_load((FOLDER / "alerts.yaml").read_text())["groups"]:
        for rule in group["rules"]:
            assert rule["labels"]["severity"] in ("warning", "critical")
            assert set(rule["annotations"]) == {"summary", "runbook"}
            assert f"### {rule['annotations']['runbook']}\n" in (ROOT / "OPERATIONS.md").read_text()


@pytest.mark.skipif(not shutil.which("promtool"), reason="needs promtool")
def test_prometheus_takes_the_rules() -> None:
    checked = subprocess.run(
        ["promtool", "check", "rules", str(FOLDER / "alerts.yaml")], capture_output=True, text=True, check=False
    )
    assert checked.returncode == 0, checked.stderr
