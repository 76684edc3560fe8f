"""Find every route of an application and check its contract before its view runs.

Write them as Flask's documentation does, and put `@requires(...)` or `@public` on each view, or around a blueprint.
What is on a `Router` is documented and validated, too.
"""

import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import cached_property
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, TypeVar

from flask import Blueprint, Flask, current_app, request
from werkzeug import exceptions
from werkzeug.middleware.dispatcher import DispatcherMiddleware
from werkzeug.routing import MapAdapter, RequestRedirect, Rule

from app.api.deps import checked_before, get_settings, identify_caller
from app.api.operation import Answer, Operation
from app.auth import scheme
from app.auth.identify import identify
from app.auth.policy import Access, declared_access
from app.auth.principal import Credentials
from app.core.errors import AppError, MethodNotAllowed, NotFound, RouteError
from app.http.contract import Contract, Contracts
from app.http.limited import require_rates
from app.http.middleware import allow

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

__all__ = ["Answer", "Router"]

View = TypeVar("View", bound=Callable[..., Any])

_VARIABLE = re.compile(r"<(?:[^<>]*:)?(\w+)>")


class Router(Blueprint):
    """A blueprint whose views are documented by their annotations, and get what these say; see `Operation`.

    Beside Flask's own, the options of a route are the `status` of success and `responses`, the documentation of others.
    """

    def __init__(self, name: str, import_name: str = __name__, **options: Any) -> None:  # noqa: ANN401 - as in the base class
        super().__init__(name, import_name, **options)
        self._operations: dict[tuple[int, str], Operation] = {}

    def route(self, rule: str, **options: Any) -> Callable[[View], View]:  # noqa: ANN401 - as in the base class
        status, responses = options.pop("status", HTTPStatus.OK), options.pop("responses", {})
        name = options.pop("endpoint", None)

        def register(view: View) -> View:
            # One view may have several rules.
            key = (id(view), f"{status} {responses}")
            operation = self._operations.setdefault(
                key, Operation(view, tag=self.name, status=status, responses=responses)
            )
            self.add_url_rule(rule, name or operation.name, operation, **options)
            return view

        return register

    # Flask's own do the same, but their types do not allow a view to return a model.

    def get(self, rule: str, **options: Any) -> Callable[[View], View]:  # noqa: ANN401 - as in the base class
        return self.route(rule, methods=["GET"], **options)

    def post(self, rule: str, **options: Any) -> Callable[[View], View]:  # noqa: ANN401 - as in the base class
        return self.route(rule, methods=["POST"], **options)

    def put(self, rule: str, **options: Any) -> Callable[[View], View]:  # noqa: ANN401 - as in the base class
        return self.route(rule, methods=["PUT"], **options)

    def patch(self, rule: str, **options: Any) -> Callable[[View], View]:  # noqa: ANN401 - as in the base class
        return self.route(rule, methods=["PATCH"], **options)

    def delete(self, rule: str, **options: Any) -> Callable[[View], View]:  # noqa: ANN401 - as in the base class
        return self.route(rule, methods=["DELETE"], **options)


class ServiceRoutes:
    """The routes of `app`, collected on first use."""

    def __init__(self, app: Flask) -> None:
        self.app = app

    @cached_property
    def _adapter(self) -> MapAdapter:
        return self.app.url_map.bind("localhost")

    @cached_property
    def all(self) -> dict[tuple[str, str, str], Contract]:
        """All contracts by method, rule and name of the view.

        Raises:
            RouteError: a route does not say who may call it, or cannot be served.
        """
        return {
            (contract.method, rule.rule, rule.endpoint): contract
            for rule in self.app.url_map.iter_rules()
            if not rule.build_only
            for contract in self._contracts(rule)
        }

    @cached_property
    def documented(self) -> Contracts:
        """The contracts by method and path."""
        return {(contract.method, contract.path): contract for contract in self.all.values()}

    def check(self) -> None:
        """Check that every route declares who may call it and can be served.

        Raises:
            RouteError: one does not say who may call it, has a limit that is no rate, or cannot be served.
        """
        for contract in self.all.values():
            require_rates(contract, contract.limits, self.app.extensions["settings"])
        application: Any = self.app.wsgi_app
        while not isinstance(application, DispatcherMiddleware) and hasattr(application, "app"):
            application = application.app
        if isinstance(application, DispatcherMiddleware):
            raise RouteError("DispatcherMiddleware mounts applications whose callers are not checked. Use a blueprint.")

    def of(self, rule: Rule, method: str) -> Contract:
        """Return the contract of the route that Flask has chosen.

        Raises:
            RouteError: it was added later, and does not say who may call it.
        """
        method = "GET" if method == "HEAD" else method
        found = self.all.get((method, rule.rule, rule.endpoint))
        found = found or next((each for each in self._contracts(rule) if each.method == method), None)
        if found is None:
            raise MethodNotAllowed
        return found

    def refusal(self, environ: "WSGIEnvironment") -> AppError | None:
        """Return why a request is refused by its head alone, or None.

        `check_contract` goes by what was found here, so that nothing is checked or logged twice.
        """
        sent = self.app.request_class(environ)
        adapter = self.app.create_url_adapter(sent)
        try:
            rule, _ = adapter.match(return_rule=True) if adapter else (None, None)
            if rule is None:
                return None
            contract = self.of(rule, sent.method)
            contract.check_media_types(sent.headers, has_body=contract.body is not None)
            if not contract.access.public:
                credentials = Credentials.sent(sent.headers.getlist(scheme.HEADER))
                caller = identify(self.app.extensions["database"], credentials)
                checked_before.set(caller)
                contract.access.check(caller)
        except exceptions.HTTPException:
            return NotFound()
        except AppError as error:
            checked_before.set(error)
            return error
        return None

    @cached_property
    def _special(self) -> tuple[str, ...]:
        """Prefixes of paths with a body limit or a bulkhead: their contract is needed before a thread is taken."""
        contracts = [each for each in self.all.values() if each.room or each.max_body_bytes is not None]
        return tuple({each.path.partition("{")[0] for each in contracts})

    def match(self, method: str, path: str) -> Contract | None:
        if not path.startswith(self._special):
            # Flask looks for it anyway, in its thread.
            return None
        try:
            rule, _ = self._adapter.match(path, method, return_rule=True)
        except RequestRedirect:
            return None
        except exceptions.MethodNotAllowed as error:
            raise MethodNotAllowed(headers=allow(set(error.valid_methods or ()))) from None
        except exceptions.NotFound:
            raise NotFound from None
        return self.of(rule, method)

    def methods(self, path: str) -> set[str]:
        found = set(self._adapter.allowed_methods(path)) - {"OPTIONS"}
        with suppress(exceptions.HTTPException):
            rule, _ = self._adapter.match(path, "OPTIONS", return_rule=True)
            found |= {"OPTIONS"} & {*methods_of(rule)}
        return found

    def _contracts(self, rule: Rule) -> Iterator[Contract]:
        view = self.app.view_functions[rule.endpoint]
        path = template(rule)
        for method in methods_of(rule):
            inherited = self._access_around(rule.endpoint)
            if isinstance(view, Operation):
                yield view.contract(method, path, rule.arguments, inherited)
                continue
            # A class-based view. What a method declares wins over what the class declares.
            function = getattr(getattr(view, "view_class", None), method.lower(), None)
            yield Contract(method, path, function if declared_access(function) else view, inherited=inherited)

    def _access_around(self, endpoint: str) -> Access | None:
        """Return what the innermost blueprint around a view declares, if one does."""
        names = endpoint.split(".")[:-1]
        blueprints = [self.app.blueprints.get(".".join(names[:end])) for end in range(len(names), 0, -1)]
        return next(filter(None, map(declared_access, blueprints)), None)


def methods_of(rule: Rule) -> list[str]:
    """Return the methods that the view of `rule` answers, and not Flask for it."""
    of_flask = {"HEAD", "OPTIONS"} if getattr(rule, "provide_automatic_options", True) else {"HEAD"}
    return sorted((rule.methods or set()) - of_flask)


def template(rule: Rule) -> str:
    """Return the path of `rule` as OpenAPI writes it."""
    return _VARIABLE.sub(r"{\1}", rule.rule)


def _has_body() -> bool:
    return bool(request.content_length) or "transfer-encoding" in request.headers


def check_contract() -> None:
    """Check what must hold before the view of the current request runs: media types, caller, limits.

    Raises:
        AppError: a check failed; the first one in this order decides.
    """
    rule = request.url_rule
    if rule is None or (request.method == "OPTIONS" and "OPTIONS" not in methods_of(rule)):
        # Flask answers this itself: 404, 405, or the list of methods.
        return
    routes: ServiceRoutes = current_app.extensions["routes"]
    contract, settings = routes.of(rule, request.method), get_settings()
    contract.enter()
    before = checked_before.get()
    if isinstance(before, AppError):
        raise before
    contract.check_media_types(request.headers, has_body=contract.body is not None and _has_body())
    if not contract.access.public:
        contract.access.check(identify_caller())
    contract.check_limits(request.method, settings)
    request.max_content_length = request.max_form_memory_size = contract.max_body(settings)
    contract.check_head(request.headers, settings)
