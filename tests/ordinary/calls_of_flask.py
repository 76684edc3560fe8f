"""What only Flask's routes answer; runs in a rendered service."""

from typing import Any

import httpx2
from flask import request

from app.api.routes.ordinary_plain import CustomError
from app.api.routing import Router
from app.auth.policy import public
from app.main import create_app, create_asgi_app
from tests.asgi import client_of
from tests.callers import headers_for
from tests.contract.test_ordinary import PATH, answered, client  # noqa: F401 - a fixture
from tests.requests import assert_failed


def test_what_runs_before(client: httpx2.Client) -> None:  # noqa: F811
    assert client.get(f"{PATH}/before").text == "before"


def test_handlers_of_a_blueprint(client: httpx2.Client) -> None:  # noqa: F811
    assert answered(client.get(f"{PATH}/custom"), 418) == {"handled": "here"}


def test_headers_beside_a_model(client: httpx2.Client) -> None:  # noqa: F811
    assert client.post(f"{PATH}/both-parts", json={"name": "x"}).headers["x-extra"] == "1"


def test_a_caller_that_must_be_there(client: httpx2.Client) -> None:  # noqa: F811
    assert_failed(client.get(f"{PATH}/caller-of-nobody"), 401, "unauthenticated")


def test_commands(settings: Any) -> None:
    assert "hello from plain" in create_app(settings).test_cli_runner().invoke(args=["plain", "greet"]).output


class TestWhatABlueprintDeclares:
    def test_holds_for_what_is_in_it(self, client: httpx2.Client, database: Any) -> None:  # noqa: F811
        for path in ("inherits", "static/ordinary.py"):
            assert_failed(client.get(f"{PATH}/guarded/{path}"), 401, "unauthenticated")
            response = client.get(f"{PATH}/guarded/{path}", headers=headers_for(database, "ada"))
            assert response.status_code == 200

    def test_holds_for_other_servers_too(self, settings: Any) -> None:
        other = create_app(settings).test_client()
        assert other.get(f"{PATH}/guarded/inherits").status_code == 401
        assert other.get(f"{PATH}/closed").status_code == 401


def test_cookies_links_decorators_and_context(client: httpx2.Client) -> None:
    response = client.get(f"{PATH}/cookie")
    assert (response.cookies["seen"], response.headers["x-after"]) == ("yes", "after")
    assert answered(client.get(f"{PATH}/links")) == {"page": f"{PATH}/page", "inner": f"{PATH}/outer/inner/7"}
    assert client.get(f"{PATH}/twice").text == "abab"
    assert client.get(f"{PATH}/dozen").text == "cdcd"
    assert client.get(f"{PATH}/context").text == f"{PATH}/context"


def test_what_is_added_to_the_application(settings: Any) -> None:
    app = create_app(settings)

    @app.before_request
    def before() -> None:
        request.marked = "yes"

    @app.errorhandler(CustomError)
    def on_custom(_error: CustomError) -> tuple[dict[str, str], int]:
        return {"handled": "by the application"}, 418

    @app.get("/late")
    @public
    def late() -> str:
        return request.marked

    with client_of(create_asgi_app(app)) as changed:
        assert changed.get("/late").text == "yes"
        assert answered(changed.get(f"{PATH}/custom"), 418) == {"handled": "here"}


class TestWhatAnAttackFound:
    def test_links_and_redirects_lead_to_the_host_that_was_called(self, client: httpx2.Client) -> None:
        headers = {"Host": "api.example.org"}
        redirected = client.get(f"{PATH}/slash", headers=headers)
        assert (redirected.status_code, redirected.headers["location"]) == (308, f"http://api.example.org{PATH}/slash/")
        assert answered(client.get(f"{PATH}/slash/", headers=headers)) == {
            "outside": f"http://api.example.org{PATH}/page"
        }

    def test_a_method_of_a_class_declares_its_own(self, client: httpx2.Client) -> None:
        assert client.get(f"{PATH}/guarded-class").text == "open"
        assert_failed(client.delete(f"{PATH}/guarded-class"), 401, "unauthenticated")

    def test_a_view_may_have_several_rules(self, client: httpx2.Client) -> None:
        assert answered(client.get(f"{PATH}/hello/")) == {"hello": "you"}
        assert answered(client.get(f"{PATH}/hello/ada")) == {"hello": "ada"}

    def test_annotations_may_be_missing_or_flasks(self, client: httpx2.Client) -> None:
        assert answered(client.get(f"{PATH}/number/7")) == {"number": 7}
        assert answered(client.get(f"{PATH}/typed")) == {"typed": True}

    def test_an_answer_beside_the_annotated_one(self, client: httpx2.Client) -> None:
        assert answered(client.get(f"{PATH}/or-error?wrong=true"), 409) == {"error": "x"}
        assert answered(client.get(f"{PATH}/or-error"))["name"] == "tea"

    def test_other_servers_answer_options(self, settings: Any) -> None:
        assert create_app(settings).test_client().options("/healthz").status_code == 200

    def test_a_decorator_may_be_used_twice(self) -> None:
        router = Router("twice")
        create = router.post("/things", status=201)
        for view in (lambda: None, lambda: None):
            create(public(view))
        assert [operation.status for operation in router._operations.values()] == [201, 201]  # noqa: SLF001
