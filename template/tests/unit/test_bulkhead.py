import asyncio

from app.core.errors import Unavailable
from app.core.settings import Settings
from app.http.bulkhead import Bulkhead, Bulkheads, Room, bulkhead
from app.http.declared import declared
from tests.metrics import value_of


async def outcomes(room: Room, requests: int) -> tuple[int, list[str]]:
    """Return how many ran at once at the most, and what became of each of so many requests."""
    doors, running, most = Bulkhead(room), 0, 0

    async def request() -> str:
        nonlocal running, most
        try:
            async with doors.turn():
                running += 1
                most = max(most, running)
                await asyncio.sleep(0.01)
                running -= 1
                return "served"
        except Unavailable as refusal:
            return refusal.message

    became = await asyncio.gather(*(request() for _ in range(requests)))
    return most, [*became, await request()]


class TestBulkhead:
    def test_some_run_some_wait_and_the_rest_is_refused(self) -> None:
        most, became = asyncio.run(outcomes(Room(2, 3, "full"), 8))

        # The last one comes when all others have gone.
        assert (most, became) == (2, ["served"] * 5 + ["full"] * 3 + ["served"])

    def test_a_request_that_gives_up_makes_room(self) -> None:
        async def twice() -> str:
            doors = Bulkhead(Room(1, 0, "full"))
            for _ in range(2):
                try:
                    async with asyncio.timeout(0.01), doors.turn():
                        await asyncio.sleep(10)
                except TimeoutError:
                    continue
            return "let in twice"

        assert asyncio.run(twice()) == "let in twice"

    def test_those_that_run_wait_and_are_refused_are_counted(self) -> None:
        async def counted() -> list[float]:
            doors, seen = Bulkhead(Room(1, 1, "full"), "counted"), []

            async def request() -> None:
                async with doors.turn():
                    await asyncio.sleep(0)

            requests = [asyncio.create_task(request()) for _ in range(3)]
            for _ in range(2):
                await asyncio.sleep(0)
                samples = "bulkhead_requests_in_progress", "bulkhead_requests_waiting", "bulkhead_refused_total"
                seen += [value_of(sample, bulkhead="counted") for sample in samples]
                await asyncio.gather(*requests, return_exceptions=True)
            return seen

        assert asyncio.run(counted()) == [1, 1, 1, 0, 0, 1]


class TestDeclarations:
    def test_endpoints_that_name_the_same_room_share_it(self, settings: Settings) -> None:
        def room(_settings: Settings) -> Room:
            return Room(100, 5, "full")

        @bulkhead(room)
        def slow() -> None: ...

        def quick() -> None: ...

        found = Bulkheads(settings)

        assert declared(quick, "room_of") is None
        assert declared(slow, "room_of") is room
        assert found.of(room) is found.of(room)
        assert found.of(room).room == (settings.database_pool_size // 2, 5, "full")
