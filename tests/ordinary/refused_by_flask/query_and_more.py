"""query_and_more | `query` | all parameters of the query"""

from pydantic import BaseModel

from app.api.routing import Router
from app.auth.policy import public

router = Router("planted", url_prefix="/v1/planted")


class Filters(BaseModel):
    name: str | None = None


@router.get("/query")
@public
def query_and_more(query: Filters, limit: int = 3) -> str: ...
