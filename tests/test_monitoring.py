"""Alerts fire when they should, and what the dashboard asks for is there: in Prometheus, which reads a service."""

import json
import math
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
import yaml

from tests.conftest import Install, NewDatabase, Render
from tests.containers import Engine
from tests.kubernetes import kustomized, manifests, of_kind
from tests.processes import completed
from tests.prometheus import Prometheus, program, prometheus
from tests.rendering import combinations
from tests.servers import execute, free_port
from tests.service import Service
from tests.test_boot import PASSWORD, SETTINGS
from tests.test_deploy import configured
from tests.wire.samples import an_order, unique

FOLDER = "deploy/monitoring"
COMPONENT = "components:\n  - ../../../monitoring\n"
FAILURES = 40
BOTH = {"framework": "fastapi", "database": "postgresql", "auth": "jwt", "deploy": ["compose", "kubernetes"]}
MINUTES = {f"{minutes}m" for minutes in range(61)}
PLANTED = {'status=~"5.."': 'status=~"500"', "vector(10)": "vector(1)", "> 0.8": "> 0.6", " == 1) * 0": " == 2) * 0"}
WATCHING = {"prometheus", "grafana", "traces"}


def read(project: Path, name: str) -> dict[str, Any]:
    """Return what a YAML or JSON file of the monitoring holds."""
    return yaml.safe_load((project / FOLDER / name).read_text("utf-8"))


def alerts(project: Path) -> set[str]:
    """Return the names of all alerts."""
    rules = (rule for group in read(project, "rules.yaml")["groups"] for rule in group["rules"])
    return {rule["alert"] for rule in rules if "alert" in rule}


def queries(project: Path) -> Iterator[str]:
    """Yield each query of the dashboard, as Grafana sends it."""
    for panel in read(project, "dashboard.json")["panels"]:
        for target in panel.get("targets", []):
            yield target["expr"].replace("$__rate_interval", "5m").replace("$job", ".*my-service")


def test_rules_pass_their_own_tests(render: Render, tmp_path: Path) -> None:
    folder, promtool = render(project_slug="a-b-1") / FOLDER, program("promtool", tmp_path)
    completed([promtool, "check", "rules", str(folder / "rules.yaml")])
    completed([promtool, "test", "rules", str(folder / "rules.test.yaml")])


def test_a_planted_mistake_is_found(render: Render, tmp_path: Path) -> None:
    project, promtool = render(), program("promtool", tmp_path)
    rules, short = project / FOLDER / "rules.yaml", project / FOLDER / "short.yaml"
    text, told = rules.read_text("utf-8"), read(project, "rules.test.yaml")
    told["tests"] = [test for test in told["tests"] if test["promql_expr_test"][0]["eval_time"] in MINUTES]
    short.write_text(yaml.safe_dump(told), "utf-8")
    completed([promtool, "test", "rules", str(short)])
    for sound, planted in PLANTED.items():
        assert sound in text
        rules.write_text(text.replace(sound, planted), "utf-8")
        completed([promtool, "test", "rules", str(short)], status=1)


def test_each_alert_is_seen_firing_and_silent(render: Render) -> None:
    project = render()
    seen = [
        {each["labels"].partition('"')[2].rstrip('"}') for each in expected["exp_samples"]}
        for test in read(project, "rules.test.yaml")["tests"]
        for expected in test["promql_expr_test"]
    ]
    assert alerts(project) == set().union(*seen)
    assert set() in seen


class TestCompose:
    @pytest.mark.parametrize("answers", combinations("database"), ids=str)
    def test_it_is_off_unless_it_is_asked_for(self, render: Render, answers: dict[str, Any]) -> None:
        service = Service(render(**answers, deploy=["compose"]))
        environment = service.directory / "deploy/compose/.env.example"
        before = json.loads(configured(service))
        text = environment.read_text("utf-8")
        environment.write_text(re.sub("# (COMPOSE_PROFILES|OTEL_)", r"\1", text), "utf-8")
        after = json.loads(configured(service))

        assert set() == before["services"].keys() & WATCHING
        assert WATCHING == after["services"].keys() - before["services"].keys()
        added = [after["services"][name] for name in WATCHING]
        assert {"127.0.0.1"} == {port["host_ip"] for each in added for port in each["ports"]}
        assert all(each["read_only"] and each["cap_drop"] == ["ALL"] and each["mem_limit"] for each in added)
        assert all(int(each["user"].partition(":")[0]) and "@sha256:" in each["image"] for each in added)
        assert "http://traces:4318" == after["services"]["api"]["environment"]["OTEL_EXPORTER_OTLP_ENDPOINT"]
        assert after["services"]["api"]["networks"].keys() & after["services"]["traces"]["networks"].keys()
        assert "monitoring" not in after["services"]["api"]["networks"]

    def test_what_is_mounted_is_there(self, render: Render) -> None:
        project = render(deploy=["compose"])
        compose = project / "deploy/compose"
        config = yaml.safe_load((compose / "monitoring/prometheus.yaml").read_text("utf-8"))
        (provider,) = yaml.safe_load((compose / "monitoring/grafana/dashboards/files.yaml").read_text("utf-8"))[
            "providers"
        ]

        assert ["/etc/monitoring/rules.yaml"] == config["rule_files"]
        assert "/etc/monitoring" == provider["options"]["path"]
        assert "../monitoring:/etc/monitoring:ro" in (compose / "compose.yaml").read_text("utf-8")
        assert ["my-service"] == [each["job_name"] for each in config["scrape_configs"]]


class TestKubernetes:
    def test_it_is_off_unless_an_overlay_names_it(self, engine: Engine, render: Render) -> None:
        project = render(deploy=["kubernetes"])
        before = kustomized(engine, project, "production")
        overlay = project / "deploy/kubernetes/overlays/production/kustomization.yaml"
        overlay.write_text(overlay.read_text("utf-8") + COMPONENT, "utf-8")
        text = kustomized(engine, project, "production")
        added = [each for each in manifests(text) if each not in manifests(before)]
        pods = of_kind(text, "Deployment")["spec"]["template"]
        (rule, monitor) = (of_kind(text, kind)["spec"] for kind in ("PrometheusRule", "PodMonitor"))
        (dashboard,) = (each for each in added if each["kind"] == "ConfigMap")
        (endpoint,) = monitor["podMetricsEndpoints"]

        assert {"PrometheusRule", "PodMonitor", "ConfigMap"} == {each["kind"] for each in added}
        assert {"my-service-production"} == {each["metadata"]["namespace"] for each in added}
        assert COMPONENT in (project / "docs/operations.md").read_text("utf-8")
        assert read(project, "rules.yaml") == rule
        assert monitor["selector"]["matchLabels"].items() <= pods["metadata"]["labels"].items()
        assert endpoint["port"] in [each["name"] for each in pods["spec"]["containers"][0]["ports"]]
        assert {"grafana_dashboard": "1"} == dashboard["metadata"]["labels"]
        assert read(project, "dashboard.json") == json.loads(dashboard["data"]["my-service.json"])


def load(base_url: str, database: str) -> None:
    """Call a service: well, wrongly, and until it fails."""
    user = {"email": "alice@example.com", "password": PASSWORD}
    form = {"username": user["email"], "password": PASSWORD}
    with httpx2.Client(base_url=base_url, timeout=60) as client:
        client.post("/v1/users", json=user).raise_for_status()
        token = client.post("/v1/auth/token", data=form).raise_for_status().json()["access_token"]
        guesses = [client.post("/v1/auth/token", data={**form, "password": "wrong"}) for _ in range(12)]
        assert 429 == guesses[-1].status_code
        client.headers["Authorization"] = f"Bearer {token}"
        for _ in range(FAILURES):
            key = {"Idempotency-Key": unique()}
            client.post("/v1/orders", json=an_order(), headers=key).raise_for_status()
            client.get("/v1/orders").raise_for_status()
        execute(database, "ALTER TABLE orders RENAME TO gone")
        assert [500] * FAILURES == [client.get("/v1/orders").status_code for _ in range(FAILURES)]
        execute(database, "ALTER TABLE gone RENAME TO orders")


def configuration(project: Path, port: int) -> dict[str, Any]:
    """Return the configuration of Compose for a service at `port`, read as in a cluster, too, and much more often."""
    config = yaml.safe_load((project / "deploy/compose/monitoring/prometheus.yaml").read_text("utf-8"))
    (job,) = config["scrape_configs"]
    del job["dns_sd_configs"]
    job["static_configs"] = [{"targets": [f"127.0.0.1:{port}"]}]
    in_cluster = {**job, "job_name": f"my-service-production/{job['job_name']}"}
    return {
        "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
        "rule_files": [str(project / FOLDER / "rules.yaml")],
        "scrape_configs": [job, in_cluster],
    }


def has_numbers(series: list[Any]) -> bool:
    """Return whether at least one of the series has a number."""
    return any(not math.isnan(float(each["value"][1])) for each in series)


def test_a_loaded_service_answers_every_query(install: Install, new_database: NewDatabase, tmp_path: Path) -> None:
    database, port = new_database("postgresql"), free_port()
    settings = {**SETTINGS["jwt"], "RATE_LIMIT_LOGIN": "10/minute", **database, "METRICS_PORT": str(port)}
    service = install({**BOTH, "example": True}).with_settings(settings)
    service.run("uv", "run", "just", "migrate")
    config = configuration(service.directory, port)
    with service.serving() as base_url, prometheus(tmp_path, config) as running:
        # What is counted before Prometheus looks for the first time is the past.
        running.awaited("count(up == 1) == 2")
        running.awaited("count(instance:slo_failed:total) == 2")
        load(base_url, database["DATABASE_URL"])
        fired = running.awaited('ALERTS{alertname="AvailabilityBudgetBurnsFast",alertstate="firing"}')
        running.awaited("count(orders_created_total == 40) == 2")
        check(running, service.directory)

    assert {"my-service", "my-service-production/my-service"} >= {each["metric"]["job"] for each in fired}


def check(running: Prometheus, project: Path) -> None:
    """Ask all that the rules and the dashboard ask for."""
    rules = [rule for group in running.get("rules")["groups"] for rule in group["rules"]]
    records = [rule["name"] for rule in rules if rule["type"] == "recording"]
    firing = {rule["name"] for rule in rules if rule["type"] == "alerting" and rule["state"] == "firing"}
    # Whether it was late as well says something of this machine.
    late = {name for name in firing if name.startswith("Latency")}
    asked = list(queries(project))

    assert {"ok"} == {rule["health"] for rule in rules}
    assert alerts(project) == {rule["name"] for rule in rules if rule["type"] == "alerting"}
    assert {"AvailabilityBudgetBurnsFast", "AvailabilityBudgetBurnsSlowly"} == firing - late
    assert [] == [name for name in records if not has_numbers(running.query(name))]
    assert len(asked) > 20
    assert [] == [query for query in asked if not has_numbers(running.query(query))]
