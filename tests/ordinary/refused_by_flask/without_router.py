"""app.api.routes.ordinary has no `router` | Blueprint(...)"""

PREFIX = "/v1/planted"
