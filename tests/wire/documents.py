"""Sections 9, 10 and 12: health, readiness, the OpenAPI document and its page."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin

from .registry import check
from .samples import an_order

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .answers import Json
    from .service import Service

REFERENCE = re.compile(r"""(?:src|href|data-url|action)\s*=\s*["']?([^"'\s>]+)""", re.IGNORECASE)
EXTERNAL = re.compile(r"""["'(=\s](?:https?:)?//[a-z0-9]""", re.IGNORECASE)
INLINE = re.compile(r"<script(?P<attributes>[^>]*)>(?P<text>.*?)</script>", re.IGNORECASE | re.DOTALL)
METHODS = ("get", "put", "post", "delete", "patch")
TYPES = {
    ".js": ("text/javascript", "application/javascript"),
    ".css": ("text/css",),
    ".svg": ("image/svg+xml",),
    ".png": ("image/png",),
}
ERROR_MEMBERS = {"code", "message", "trace_id"}
ORDER_OPERATIONS = {
    ("/v1/orders", "post"): {"201", "400", "409", "413", "415", "422"},
    ("/v1/orders", "get"): {"200", "400", "422"},
    ("/v1/orders/{}", "get"): {"200", "304", "404", "422"},
    ("/v1/orders/{}", "put"): {"200", "400", "404", "409", "412", "422"},
    ("/v1/orders/{}", "patch"): {"200", "400", "404", "409", "412", "422"},
    ("/v1/orders/{}", "delete"): {"204", "404", "409"},
    **{(f"/v1/orders/{{}}/{action}", "post"): {"200", "404", "409"} for action in ("submit", "pay", "ship", "cancel")},
}


def document_of(service: Service) -> dict[str, Any]:
    """Return the OpenAPI document."""
    return service.needed(service.get("/openapi.json"), 200)


def operations(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Yield every operation with its path and method."""
    for path, item in document["paths"].items():
        for method in METHODS:
            if method in item:
                yield path, method, item[method]


def resolved(document: dict[str, Any], node: Json) -> Json:
    """Return what a reference within the document leads to; an empty object where it leads nowhere."""
    while isinstance(node, dict) and "$ref" in node:
        target: Json = document
        for part in node["$ref"].removeprefix("#/").split("/"):
            target = target.get(part.replace("~1", "/").replace("~0", "~"), {})
        node = target
    return node


def references(node: Json) -> Iterator[dict[str, Any]]:
    """Yield every object in the document that refers to another."""
    for child in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        yield from references(child)
    if isinstance(node, dict) and isinstance(node.get("$ref"), str):
        yield node


@check(orders=False)
def the_service_is_up_and_ready(service: Service) -> None:
    ready = {"status": "ready", "checks": {"database": "ok", "migrations": "ok"}}
    for target, body in (("/healthz", {"status": "ok"}), ("/readyz", ready)):
        answer = service.get(target)
        service.expect(answer, 200, target)
        service.claim(
            f"{target} says {body}", answer.media_type == "application/json" and answer.json() == body, answer
        )


@check(orders=False)
def the_document_is_openapi_3_1(service: Service) -> None:
    answer = service.get("/openapi.json")
    service.expect(answer, 200)
    service.claim("it is JSON", answer.media_type == "application/json", answer)
    document = answer.json()
    service.claim(f"it is 3.1, not {document.get('openapi')}", str(document.get("openapi")).startswith("3.1."))
    info = document.get("info", {})
    service.claim(f"it has a title and a version: {info}", info.get("title") and info.get("version"))
    service.claim("nothing is left of 3.0", '"nullable"' not in answer.body.decode())
    for reference in {node["$ref"] for node in references(document)}:
        service.claim(f"{reference} leads somewhere", resolved(document, {"$ref": reference}))


@check(orders=False)
def every_operation_is_documented(service: Service) -> None:
    document = document_of(service)
    seen: set[str] = set()
    for path, method, operation in operations(document):
        name = f"{method} {path}"
        service.claim(
            f"{name} has an operationId of its own",
            operation.get("operationId") and operation["operationId"] not in seen,
        )
        seen.add(operation.get("operationId", ""))
        service.claim(f"{name} has a summary", operation.get("summary") or operation.get("description"))
        service.claim(f"{name} has tags", operation.get("tags"))
        service.claim(f"{name} documents a success", any(status[0] in "23" for status in operation["responses"]))
        written = {
            parameter["name"]
            for parameter in (resolved(document, each) for each in operation.get("parameters", []))
            if parameter["in"] == "path"
        }
        service.claim(f"{name} documents its path parameters", written == set(re.findall(r"{(\w+)}", path)))
    service.claim("there are operations", seen)


@check(orders=False)
def every_error_is_documented_in_the_one_shape(service: Service) -> None:
    document = document_of(service)
    for path, method, operation in operations(document):
        for status, response in operation["responses"].items():
            # /readyz says 503 in its own words; that is no error but its answer.
            if status[0] not in "45" or path == "/readyz":
                continue
            content = resolved(document, response).get("content", {})
            schema = resolved(document, content.get("application/json", {}).get("schema", {}))
            known = set(schema.get("properties", {}))
            service.claim(f"{method} {path} {status} is the error, not {sorted(known)}", known >= ERROR_MEMBERS)


@check()
def the_orders_are_documented_with_their_failures(service: Service) -> None:
    document = document_of(service)
    found = {(re.sub(r"{\w+}", "{}", path), method): operation for path, method, operation in operations(document)}
    for key, statuses in ORDER_OPERATIONS.items():
        operation = found.get(key)
        if service.claim(f"{key} is documented", operation) and operation:
            missing = statuses - operation["responses"].keys()
            service.claim(f"{key} documents {sorted(missing)}", not missing)
            failing = {"401", "403"} - operation["responses"].keys() if service.auth != "none" else set()
            service.claim(f"{key} documents {sorted(failing)}", not failing)
    listing = found.get(("/v1/orders", "get"), {})
    names = {
        resolved(document, each)["name"]
        for each in listing.get("parameters", [])
        if resolved(document, each)["in"] == "query"
    }
    filters = {
        "status",
        "reference",
        "customer_email",
        "currency",
        "created_after",
        "created_before",
        "min_total",
        "max_total",
    }
    service.claim(f"the list takes its parameters, not {sorted(names)}", names == {"limit", "cursor", "sort"} | filters)


@check()
def an_order_has_the_members_that_are_documented(service: Service) -> None:
    document = document_of(service)
    made = service.create()
    operation = document["paths"]["/v1/orders"]["post"]
    success = resolved(document, operation["responses"]["201"])["content"]["application/json"]["schema"]
    written = set(resolved(document, success).get("properties", {}))
    service.claim(f"documented {sorted(written)}, answered {sorted(made)}", written == set(made))
    request = resolved(document, resolved(document, operation["requestBody"])["content"]["application/json"]["schema"])
    service.claim("what can be sent is documented", set(request["properties"]) == {*an_order(), "note"})
    service.claim("unknown fields are documented as refused", request.get("additionalProperties") is False)


@check(orders=False, auth="api_key")
def the_key_is_documented(service: Service) -> None:
    document = document_of(service)
    schemes = {
        name: (each.get("type"), each.get("in"), each.get("name", "").lower())
        for name, each in document["components"].get("securitySchemes", {}).items()
    }
    service.claim(
        f"a scheme is X-API-Key in the header: {schemes}", ("apiKey", "header", "x-api-key") in schemes.values()
    )
    for path, method, operation in operations(document):
        if path.startswith("/v1/"):
            needs = operation.get("security", document.get("security", []))
            service.claim(f"{method} {path} needs a key: {needs}", needs and {} not in needs)


@check(orders=False)
def the_page_works_without_the_internet(service: Service) -> None:
    answer = service.get("/docs", headers={"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"})
    service.expect(answer, 200)
    service.claim("it is HTML", answer.media_type == "text/html", answer)
    page = answer.body.decode()
    service.claim(f"no address leads elsewhere: {EXTERNAL.findall(page)}", not EXTERNAL.search(page), answer)
    local = [reference for reference in REFERENCE.findall(page) if not reference.startswith(("data:", "#"))]
    service.claim("it refers to assets", local, answer)
    for reference in local:
        target = urljoin(f"{service.base_url}/docs", reference).removeprefix(service.base_url)
        asset = service.get(target, who={}, headers={"Accept": "*/*"})
        service.expect(asset, 200, f"the page's {reference}")
        for ending, types in TYPES.items():
            if target.partition("?")[0].endswith(ending):
                service.claim(f"{reference} is one of {types}, or nosniff blocks it", asset.media_type in types, asset)


@check(orders=False)
def the_page_has_a_policy_that_lets_its_own_scripts_run(service: Service) -> None:
    answer = service.get("/docs")
    policy = answer.header("content-security-policy") or ""
    service.claim("a CSP", policy, answer)
    directives = {name: values for name, *values in (part.split() for part in policy.split(";") if part.strip())}
    scripts = directives.get("script-src", directives.get("default-src", []))
    service.claim(
        f"scripts come from the service: {scripts}",
        not {"*", "https:", "http:", "data:", "'unsafe-eval'"} & set(scripts),
    )
    for script in INLINE.finditer(answer.body.decode()):
        if not script["text"].strip() or "application/json" in script["attributes"]:
            continue
        digest = base64.b64encode(hashlib.sha256(script["text"].encode()).digest()).decode()
        nonce = re.search(r"nonce=[\"']?([^\"'\s>]+)", script["attributes"])
        passes = {"'unsafe-inline'", f"'sha256-{digest}'", f"'nonce-{nonce[1]}'" if nonce else "'unsafe-inline'"}
        service.claim(f"an inline script may run under {scripts}", passes & set(scripts), answer)
    connects = directives.get("connect-src", directives.get("default-src", ["'self'"]))
    service.claim(f"the page may call the service: {connects}", "'self'" in connects, answer)


@check(orders=False)
def the_document_is_the_same_each_time(service: Service) -> None:
    one, other = (json.dumps(document_of(service)) for _ in range(2))
    service.claim("two reads are equal, in the order of members too", one == other)
