"""The interactive documentation: Swagger UI, served from here, so that it works without the internet."""

from functools import cache
from html import escape
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from app.core.about import NAME
from app.core.errors import NotFound

# Swagger UI styles its own elements; everything else comes from this host.
CONTENT_SECURITY_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)

# Its links are relative, so that they hold behind a proxy that adds a prefix.
PAGE: Final = f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{escape(NAME)}</title>
<link rel="stylesheet" href="docs/swagger-ui.css">
<link rel="icon" href="data:,">
</head>
<body>
<div id="swagger-ui"></div>
<script src="docs/swagger-ui-bundle.js"></script>
<script src="docs/start.js"></script>
</body>
</html>
"""


def is_documentation(path: str) -> bool:
    """Return whether `path` leads to the document, or to the page that shows it."""
    return path in {"/openapi.json", "/docs"} or path.startswith("/docs/")


_START: Final = """SwaggerUIBundle({
  url: new URL("openapi.json", location).href,
  dom_id: "#swagger-ui",
  deepLinking: true,
  persistAuthorization: false,
  validatorUrl: null
});
"""

_MEDIA_TYPES: Final = {
    "swagger-ui.css": "text/css; charset=utf-8",
    "swagger-ui-bundle.js": "text/javascript; charset=utf-8",
}


@cache
def asset(name: str, package: str, folder: str) -> tuple[bytes, str]:
    """Return the content and media type of the file `name` of the page: ours, or one in a `folder` of `package`.

    Raises:
        NotFound: the documentation has no such file.
    """
    if name == "start.js":
        return _START.encode(), "text/javascript; charset=utf-8"
    if name not in _MEDIA_TYPES:
        raise NotFound
    spec = find_spec(package)
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError(name=package)
    return (Path(spec.origin).parent / folder / name).read_bytes(), _MEDIA_TYPES[name]
