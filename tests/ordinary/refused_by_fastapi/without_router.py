"""app.api.routes.ordinary has no `router` | APIRouter(...)"""

PREFIX = "/v1/planted"
