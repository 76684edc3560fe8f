import time
import uuid

from app.core.ids import new_id


class TestNewId:
    def test_it_is_a_uuid7_of_the_standard_library(self) -> None:
        made = new_id()

        assert type(made) is uuid.UUID
        assert made.version == 7
        assert made.variant == uuid.RFC_4122

    def test_later_ones_are_greater(self) -> None:
        made = [new_id() for _ in range(2000)]

        assert made == sorted(made)
        assert len(made) == len(set(made))

    def test_it_begins_with_the_time(self) -> None:
        before = time.time_ns() // 1_000_000
        milliseconds = new_id().int >> 80
        after = time.time_ns() // 1_000_000

        assert before <= milliseconds <= after + 1
