"""What only FastAPI's routes answer; runs in a rendered service."""

import json
import time
from typing import Any

import httpx2
import pytest
from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse

from app.api.routes.ordinary import numbers
from app.api.routes.ordinary_answers import TeaError
from app.auth.policy import public, requires
from app.core.settings import Settings
from app.limits import counters
from app.main import create_app
from tests.asgi import client_of
from tests.callers import headers_for
from tests.client import open_client
from tests.contract.test_ordinary import LIMITED, PATH, answered, client  # noqa: F401 - a fixture
from tests.requests import assert_failed


class TestDependencies:
    def test_of_all_kinds(self, client: httpx2.Client) -> None:  # noqa: F811
        expected = {"offset": 2, "number": 6, "resource": "resource"}
        assert answered(client.get(f"{PATH}/depends?offset=2&base=3")) == expected
        assert answered(client.get(f"{PATH}/seen"))[-2:] == ["opened", "closed"]

    def test_parameters_that_none_has(self, client: httpx2.Client) -> None:  # noqa: F811
        assert_failed(client.get(f"{PATH}/depends?limit=2"), 422, "validation_error")

    def test_one_that_refuses(self, client: httpx2.Client) -> None:  # noqa: F811
        response = client.get(f"{PATH}/basic")
        assert_failed(response, 401, "unauthenticated")
        assert response.headers["www-authenticate"].startswith("Basic")


class TestBodies:
    def test_several_parts(self, client: httpx2.Client) -> None:  # noqa: F811
        body = {"item": {"name": "tea"}, "count": 2}
        assert answered(client.post(f"{PATH}/several", json=body)) == {"name": "tea", "count": 2}


class TestTasks:
    def test_one_may_take_longer_than_a_request(self, client: httpx2.Client) -> None:  # noqa: F811
        answered(client.post(f"{PATH}/tasks?seconds=0.7"), 202)
        time.sleep(1)
        assert answered(client.get(f"{PATH}/seen"))[-1] == "task done"

    def test_one_that_fails_is_logged_with_its_request(
        self,
        client: httpx2.Client,
        capfd: pytest.CaptureFixture[str],
    ) -> None:
        answered(client.post(f"{PATH}/tasks?fail=true", headers={"X-Request-ID": "task"}), 202)
        lines = [json.loads(line) for line in capfd.readouterr().out.splitlines()]
        assert [(line["event"], line["request_id"]) for line in lines] == [("request", "task"), ("crash", "task")]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("optional-model", {"name": None}),
        ("optional-model?name=x&tags=a", {"name": "x"}),
        ("models?size=7&place=there&limit=1", {"size": 7, "place": "there", "limit": 1}),
        ("models?size=7", {"size": 7, "place": None, "limit": 3}),
    ],
)
def test_models_of_the_query(client: httpx2.Client, query: str, expected: dict[str, Any]) -> None:  # noqa: F811
    assert answered(client.get(f"{PATH}/{query}")) == expected
    other = f"{query}{'&' if '?' in query else '?'}nme=x"
    assert_failed(client.get(f"{PATH}/{other}"), 422, "validation_error")


def test_a_service_that_ends_with_stop_iteration(client: httpx2.Client) -> None:  # noqa: F811
    assert_failed(client.get(f"{PATH}/first-of-none"), 500, "internal_error")


class TestMounted:
    def test_an_application(self, client: httpx2.Client, database: Any) -> None:  # noqa: F811
        assert answered(client.get(f"{PATH}/mounted/hello?name=ada")) == {"hello": "ada"}
        assert_failed(client.get(f"{PATH}/mounted/closed"), 401, "unauthenticated")
        assert answered(client.get(f"{PATH}/mounted/closed", headers=headers_for(database, "ada")))["caller"]

    def test_its_failures(self, client: httpx2.Client) -> None:  # noqa: F811
        assert_failed(client.get(f"{PATH}/mounted/fails"), 409, "conflict")
        assert_failed(client.get(f"{PATH}/mounted/nothing"), 404, "not_found")
        assert_failed(client.get(f"{PATH}/mounted/hello?name=a&name=b"), 422, "validation_error")

    def test_its_writes_are_limited(self, settings: Settings) -> None:
        counters.forget()
        with open_client(settings.model_copy(update=LIMITED)) as limited:
            seen = [limited.post(f"{PATH}/mounted/hello").status_code for _ in range(4)]
        counters.forget()
        assert seen == [200, 200, 200, 429]

    def test_files(self, client: httpx2.Client) -> None:  # noqa: F811
        assert client.get(f"{PATH}/files-of-app/ordinary.py").status_code == 200
        assert_failed(client.get(f"{PATH}/files-of-app/nothing"), 404, "not_found")


def test_lines(client: httpx2.Client) -> None:  # noqa: F811
    response = client.get(f"{PATH}/lines", headers={"Accept": "application/jsonl"})
    assert response.json() == {"name": "one", "price": "1.50"}


class TestAnswers:
    def test_with_cookies_and_headers(self, client: httpx2.Client) -> None:
        response = client.get(f"{PATH}/cookie")
        assert (response.headers["x-extra"], response.cookies["seen"]) == ("1", "yes")

    def test_without_what_was_not_set(self, client: httpx2.Client) -> None:
        assert answered(client.get(f"{PATH}/unset")) == {"name": "tea"}

    def test_made_by_hand(self, client: httpx2.Client) -> None:
        assert answered(client.get(f"{PATH}/direct"), 203) == {"direct": True}

    def test_models_of_headers(self, client: httpx2.Client) -> None:
        assert answered(client.get(f"{PATH}/header-model", headers={"X-Token": "t"})) == {"token": "t"}

    def test_dependencies_that_are_objects(self, client: httpx2.Client) -> None:
        assert answered(client.get(f"{PATH}/counter?step=5")) == 15


class TestWhatIsAddedToTheApplication:
    def test_it_works_as_documented(self, settings: Settings) -> None:
        app = create_app(settings)

        @app.middleware("http")
        async def mark(request: Request, call_next: Any) -> Response:
            response = await call_next(request)
            response.headers["X-Marked"] = "yes"
            return response

        @app.exception_handler(TeaError)
        async def on_tea(_request: Request, _error: TeaError) -> JSONResponse:
            return JSONResponse({"tea": True}, status_code=418)

        app.dependency_overrides[numbers] = lambda: 21
        with client_of(app) as changed:
            response = changed.get(f"{PATH}/tea")
            assert answered(response, 418) == {"tea": True}
            assert response.headers["x-marked"] == "yes"
            assert answered(changed.get(f"{PATH}/depends"))["number"] == 42


class TestWhatAnAttackFound:
    @pytest.mark.parametrize(
        ("path", "answer"), [("by-key?key=k", "k"), ("aliased?the-q=x", "x"), ("described", "described")]
    )
    def test_parameters_and_descriptions(self, client: httpx2.Client, path: str, answer: str) -> None:
        assert answered(client.get(f"{PATH}/{path}")) == answer

    def test_an_endpoint_without_annotations_answers_what_it_wants(self, client: httpx2.Client) -> None:
        assert client.get(f"{PATH}/unannotated", headers={"Accept": "text/html"}).status_code == 200

    def test_an_object_is_an_endpoint(self, client: httpx2.Client) -> None:
        assert answered(client.get(f"{PATH}/object")) == {"by": "an object"}

    def test_a_file_may_be_left_out(self, client: httpx2.Client) -> None:
        assert answered(client.post(f"{PATH}/optional-file", data={"note": "n"})) == "n"

    def test_an_endpoint_that_swallows_its_cancellation_still_times_out(self, client: httpx2.Client) -> None:
        assert_failed(client.get(f"{PATH}/stubborn"), 504, "request_timeout")

    def test_a_crash_in_what_is_mounted(self, client: httpx2.Client, capfd: pytest.CaptureFixture[str]) -> None:
        assert_failed(client.get(f"{PATH}/mounted/crash"), 500, "internal_error")
        events = [json.loads(line)["event"] for line in capfd.readouterr().out.splitlines()]
        assert events.count("crash") == 1

    def test_what_is_added_after_the_start_is_not_reached(self, settings: Settings) -> None:
        app, late = create_app(settings), APIRouter(prefix="/late")

        @late.get("/{path:path}")
        @public
        async def anything(path: str) -> str:
            return path

        before = APIRouter(prefix="/late")
        app.include_router(before)
        app.include_router(late)
        with client_of(app) as changed:
            assert answered(changed.get("/late/x")) == "x"

            @before.get("/x")
            @requires(role="admin")
            async def closed() -> str:
                return "secret"

            assert_failed(changed.get("/late/x"), 404, "not_found")
