"""While the provider is asked for new keys, callers whose keys are known are answered."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor, as_completed
from itertools import islice

from app.core.settings import Settings
from tests.guarded import call, guarded_service
from tests.provider import running_provider

_STRANGERS = 50


def test_callers_with_unknown_keys_hold_nobody_else(settings: Settings) -> None:
    # Whoever waits does so until `goes_on`: what is answered before was not held by the fetch.
    hurried = {"auth_oidc_keys_floor_seconds": 0, "auth_oidc_timeout_seconds": 30}
    waiting = settings.database_pool_size // 2
    with (
        running_provider() as provider,
        guarded_service(settings.model_copy(update=hurried), provider) as client,
        ThreadPoolExecutor(_STRANGERS) as pool,
    ):
        known, unknown = provider.token(), provider.token("unknown")
        assert call(client, known).status_code == 200
        before = provider.fetches
        provider.goes_on.clear()
        strangers = [pool.submit(call, client, unknown) for _ in range(_STRANGERS)]
        refused = [each.result() for each in islice(as_completed(strangers, 9), _STRANGERS - waiting)]
        answers = [call(client, known).status_code for _ in range(10)]
        health = [client.get(path).status_code for path in ("/healthz", "/readyz")]
        still_waiting = sum(not each.done() for each in strangers)
        provider.goes_on.set()
        became = Counter(each.result().status_code for each in strangers)
        fetches = provider.fetches - before

    assert answers == [200] * 10
    assert health == [200, 200]
    assert still_waiting == waiting
    assert {response.headers["retry-after"] for response in refused} == {"5"}
    assert became == {503: _STRANGERS - waiting, 401: waiting}
    assert fetches == 1
