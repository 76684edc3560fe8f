"""A request enters a thread for its units of work, and for nothing else."""

from inspect import iscoroutinefunction

from app.api.docs import all_routes
from app.api.routing import ContractRoute


def test_endpoints_and_what_they_depend_on_are_coroutines() -> None:
    routes = [route for route in all_routes() if isinstance(route, ContractRoute)]
    called = {dependency.call for route in routes for dependency in route.dependant.dependencies}
    blocking = [call for call in called | {route.endpoint for route in routes} if not iscoroutinefunction(call)]

    assert called
    assert not blocking
