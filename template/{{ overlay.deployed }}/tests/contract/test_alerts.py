"""Alerts, their runbook and the dashboard agree with each other and with the metrics."""

import re
from pathlib import Path
from typing import Final

import httpx2
import pytest

_PROJECT: Final = Path(__file__).parents[2]
_RULES: Final = (_PROJECT / "deploy/monitoring/rules.yaml").read_text("utf-8")
_DASHBOARD: Final = (_PROJECT / "deploy/monitoring/dashboard.json").read_text("utf-8")
_PAGE: Final = (_PROJECT / "docs/operations.md").read_text("utf-8")
# Prometheus makes these itself.
_PROMETHEUS: Final = {"up"}


@pytest.fixture
def shown(client: httpx2.Client) -> str:
    client.get("/healthz")
    return client.get("/metrics").text


def test_each_alert_has_a_section_and_each_section_an_alert() -> None:
    sections = re.findall(r"^### (\S+)$", _PAGE.partition("\n## Alerts\n")[2], re.MULTILINE)

    assert re.findall(r"- alert: (\S+)", _RULES) == sections
    assert re.findall(r"runbook: docs/operations\.md#(\S+)", _RULES) == [each.lower() for each in sections]


@pytest.mark.parametrize("text", [_RULES, _DASHBOARD], ids=["rules", "dashboard"])
def test_what_they_ask_for_is_measured(shown: str, text: str) -> None:
    asked = {re.sub(r"_(bucket|count|sum)$", "", name) for name in re.findall(r"\b(\w+)\{", text)}
    recorded = {name.rpartition(":")[2] for name in re.findall(r"record: (\S+)", _RULES)}

    assert asked - recorded - _PROMETHEUS <= set(re.findall(r"^# TYPE (\S+)", shown, re.MULTILINE))


def test_what_is_late_is_a_bucket(shown: str) -> None:
    (late,) = re.findall(r'le="([^"]+)"', _RULES)

    assert f'le="{late}"' in shown
