"""What a trace has of an order: one statement of the database after the other, and nothing that clients sent."""

from app.core.scopes import SCOPES
from app.core.settings import Settings
from app.db.database import Database
from tests.callers import headers_for
from tests.client import open_client
from tests.orders import order_content
from tests.receiver import CLIENT, ERROR, SERVER, Receiver, attributes
from tests.requests import Caller

_NOTE = "Vq3Zt8Lw1Xr6Mb9K"


def create_twice(traced: Settings, headers: dict[str, str]) -> list[int]:
    """Create an order, and another with the same reference, each in a trace; return the statuses."""
    with open_client(traced) as client:
        caller = Caller(client, headers)
        return [caller.post("/v1/orders", json=order_content(note=_NOTE)).status_code for _ in range(2)]


def test_each_statement_of_a_request_is_below_its_span(
    traced: Settings, database: Database, receiver: Receiver
) -> None:
    assert create_twice(traced, headers_for(database, "alice", list(SCOPES))) == [201, 409]

    created, refused = (span for span in receiver.spans(SERVER) if span.name == "POST /v1/orders")
    below = [span for span in receiver.spans(CLIENT) if span.parent_span_id == created.span_id]
    assert {span.trace_id for span in below} == {created.trace_id}
    assert [span.name for span in below if span.name.startswith("INSERT")] == ["INSERT orders", "INSERT order_items"]
    assert all(created.start_time_unix_nano <= span.start_time_unix_nano for span in below)
    (failed,) = [span for span in receiver.spans(CLIENT) if span.status.code == ERROR]
    assert (failed.name, failed.parent_span_id) == ("INSERT orders", refused.span_id)
    assert attributes(failed)["error.type"] in {"IntegrityError", "UniqueViolation"}
    # A refusal is the client's.
    assert refused.status.code == 0


def test_nothing_that_was_sent_is_in_it(traced: Settings, database: Database, receiver: Receiver) -> None:
    headers = headers_for(database, "alice", list(SCOPES))
    create_twice(traced, headers)

    sent = b"".join(each.SerializeToString() for each in receiver.requests)
    assert b"INSERT INTO orders" in sent
    assert [each for each in (_NOTE, *headers.values()) if each.encode() in sent] == []
