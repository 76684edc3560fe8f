"""The shape of every failure."""

from pydantic import Field

from app.schemas.base import Schema


class ErrorDetail(Schema):
    """One thing that is wrong with a request."""

    field: str = Field(description="Where: a field like `items.0.sku`, a parameter, or `body`.")
    code: str = Field(description="A stable code for programs.")
    message: str = Field(description="A sentence for people.")


class Error(Schema):
    """What every failure answers."""

    code: str = Field(description="A stable code for programs; docs/errors.md lists all.", examples=["not_found"])
    message: str = Field(description="A sentence for people.", examples=["There is nothing here."])
    details: list[ErrorDetail] = Field(default_factory=list, description="Each finding, where there is more to say.")
    trace_id: str = Field(
        description="The trace id of the request, also in the log.", examples=["4bf92f3577b34da6a3ce929d0e0e4736"]
    )
