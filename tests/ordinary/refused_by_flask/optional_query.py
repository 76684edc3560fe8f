"""optional_query | `query` | write its type alone"""

from pydantic import BaseModel

from app.api.routing import Router
from app.auth.policy import public

router = Router("planted", url_prefix="/v1/planted")


class Filters(BaseModel):
    name: str | None = None


@router.get("/query")
@public
def optional_query(query: Filters | None = None) -> str: ...
