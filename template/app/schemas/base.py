"""What all schemas share."""

from pydantic import BaseModel, ConfigDict


class Schema(BaseModel):
    """Base of all schemas: unknown fields are refused, and the name in the document is the class's."""

    model_config = ConfigDict(extra="forbid", frozen=True)
