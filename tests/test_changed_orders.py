"""The example, changed as a team would: the services speak the domain, and each schema says what its clients see."""

import ast
import json
import shutil
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.rendering import REPOSITORY, render
from tests.service import Service
from tests.wire.samples import an_email, an_item, an_order

FRAMEWORKS = ("fastapi", "flask")
SECOND_VERSION = Path(__file__).parent / "second_version"
SENTENCE = "routes of both versions call the same functions"
# What each line of an order gets, by file: what is there, and what comes after it.
NOTE = {
    "app/db/models/orders.py": [
        (
            "    unit_price: Mapped[Decimal] = mapped_column(Money)\n",
            "    note: Mapped[str | None] = mapped_column(ExactText(500))\n",
        )
    ],
    "app/services/order_content.py": [("    unit_price: Decimal\n", "    note: str | None = None\n")],
    "app/services/orders.py": [
        ("OrderItem.unit_price", ", OrderItem.note"),
        ("unit_price=line.unit_price", ", note=line.note"),
        ("unit_price=item.unit_price", ", note=item.note"),
    ],
    "app/schemas/orders.py": [("    unit_price: Price\n", "    note: Note | None = None\n")],
}


ALLOWED = {
    "accounts: if_address": "no schema, but whether a text has the form of an address",
    "health: Readiness": "whether a process is ready has no other versions",
}


@pytest.fixture(params=FRAMEWORKS)
def changed(request: pytest.FixtureRequest, template: Path, tmp_path: Path) -> tuple[str, Service]:
    """Return a framework, and an installed service of it to change."""
    project = render(template, tmp_path / "service", framework=request.param, database="sqlite", auth="none")
    found = Service(project, {"DATABASE_URL": f"sqlite:///{tmp_path}/orders.db"})
    found.run("uv", "sync", "--quiet")
    return request.param, found


def insert(path: Path, anchor: str, addition: str) -> None:
    text = path.read_text("utf-8")
    assert 1 == text.count(anchor), f"{path}: {anchor}"
    path.write_text(text.replace(anchor, anchor + addition), "utf-8")


def call(client: httpx2.Client, method: str, path: str, **options: dict[str, Any]) -> dict[str, Any]:
    answer = client.request(method, path, json=options.get("json"), params=options.get("params"))
    assert answer.is_success, answer.text
    return answer.json()


def test_orders_and_items_answer_each_their_own_note(changed: tuple[str, Service]) -> None:
    _, found = changed
    found.run("uv", "run", "just", "migrate")
    for name, lines in NOTE.items():
        for anchor, addition in lines:
            insert(found.directory / name, anchor, addition)
    found.run("uv", "run", "just", "migration", "notes of items")
    found.run("uv", "run", "just", "migrate")
    found.run("uv", "run", "ty", "check")

    with found.serving() as url, httpx2.Client(base_url=url, trust_env=False) as client:
        sent = an_order(note="of the order", items=[an_item(note="of an item"), an_item()])
        created = call(client, "POST", "/v1/orders", json=sent)
        shown = call(client, "GET", f"/v1/orders/{created['id']}")

    assert ("of the order", ["of an item", None]) == (shown["note"], [each["note"] for each in shown["items"]])
    assert created == shown


def add_second_version(project: Path, framework: str) -> None:
    shutil.copy(SECOND_VERSION / "schemas.py", project / "app/schemas/orders_v2.py")
    shutil.copy(SECOND_VERSION / f"{framework}.py", project / "app/api/routes/orders_v2.py")


def called(routes: Path) -> set[str]:
    """Return the functions of services that a module of routes names."""
    names = {
        ast.unparse(node) for node in ast.walk(ast.parse(routes.read_text("utf-8"))) if isinstance(node, ast.Attribute)
    }
    return {name for name in names if name.startswith(("orders.", "order_lists.")) and name.split(".")[1].islower()}


def test_both_versions_call_the_same_functions(changed: tuple[str, Service]) -> None:
    framework, found = changed
    assert SENTENCE in " ".join((found.directory / "docs/versioning.md").read_text("utf-8").split())
    add_second_version(found.directory, framework)
    routes = found.directory / "app/api/routes"

    assert {"orders.create", "orders.get", "orders.update", "order_lists.list_orders"} == called(
        routes / "orders_v2.py"
    )
    assert called(routes / "orders_v2.py") <= called(routes / "orders.py")
    found.run("uv", "run", "ty", "check")


def test_each_version_answers_in_its_own_words(changed: tuple[str, Service]) -> None:
    framework, found = changed
    add_second_version(found.directory, framework)
    found.run("uv", "run", "just", "migrate")

    with found.serving() as url, httpx2.Client(base_url=url, trust_env=False) as client:
        old = call(client, "POST", "/v1/orders", json=an_order())
        sent = an_order()
        sent["customer"] = sent.pop("customer_email")
        new = call(client, "POST", "/v2/orders", json=sent)
        moved = call(client, "PATCH", f"/v2/orders/{new['id']}", json={"customer": an_email()})
        firsts = [call(client, "GET", f"/v1/orders/{each['id']}") for each in (old, new)]
        seconds = [call(client, "GET", f"/v2/orders/{each['id']}") for each in (old, new)]
        found_by = call(client, "GET", "/v2/orders", params={"customer": moved["customer"]})
        listed = call(client, "GET", "/v1/orders")["data"]
        refused = [client.post("/v1/orders", json=sent), client.post("/v2/orders", json=an_order())]

    assert (old, moved) == (firsts[0], seconds[1])
    assert [each["customer_email"] for each in firsts] == [each["customer"] for each in seconds]
    assert firsts[0].keys() ^ {"customer", "customer_email"} == seconds[0].keys()
    assert [new["id"]] == [each["id"] for each in found_by["data"]]
    assert moved["customer"] == found_by["data"][0]["customer"]
    assert [new["id"], old["id"]] == [each["id"] for each in listed]
    assert [422, 422] == [answer.status_code for answer in refused]


def test_the_document_of_the_first_version_stays(changed: tuple[str, Service], tmp_path: Path) -> None:
    framework, found = changed
    before = json.loads((found.directory / "openapi.json").read_text("utf-8"))
    add_second_version(found.directory, framework)
    found.run("uv", "run", "app", "openapi", str(tmp_path / "openapi.json"))
    after = json.loads((tmp_path / "openapi.json").read_text("utf-8"))

    assert {"/v2/orders", "/v2/orders/{order_id}"} == after["paths"].keys() - before["paths"].keys()
    assert before["paths"].items() <= after["paths"].items()
    assert before["components"]["schemas"].items() <= after["components"]["schemas"].items()


@pytest.mark.quick
def test_services_know_no_schema_of_the_wire() -> None:
    found = {
        f"{path.stem}: {name.name}"
        for folder in ("services", "auth")
        for path in sorted(REPOSITORY.glob(f"template/**/app/{folder}/*.py"))
        # The command line is an edge, too.
        if path.name != "commands.py"
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("app.schemas")
        for name in node.names
    }
    assert ALLOWED.keys() == found
