"""What FastAPI found in the signature of an endpoint."""

from collections.abc import Iterable, Iterator
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin

from fastapi import params
from fastapi.security.base import SecurityBase

from app.auth.principal import Principal
from app.http.body import FORM, JSON, BodyFormat, parse_json
from app.http.contract import Body
from app.http.validation import QueryNames, names_of

_FORM, _MULTIPART = BodyFormat(FORM.media_type), BodyFormat("multipart/form-data")


def flat(dependant: Any) -> Iterator[Any]:  # noqa: ANN401 - FastAPI does not export the type
    """Yield what FastAPI found in the signature of an endpoint, and in those of its dependencies."""
    yield dependant
    for each in dependant.dependencies:
        yield from flat(each)


def query_names(dependants: Iterable[Any]) -> QueryNames | None:
    """Return the names of all query parameters, or None where a model takes any."""
    types: dict[str, Any] = {}
    for dependant in dependants:
        if isinstance(dependant.call, SecurityBase) and _place_of(dependant.call) == "query":
            types[dependant.call.model.name] = str
        for parameter in dependant.query_params:
            annotation = _without_none(parameter.field_info.annotation)
            fields = getattr(annotation, "model_fields", None)
            if fields is None:
                types |= dict.fromkeys(names_of(parameter.field_info, parameter.alias), annotation)
            elif annotation.model_config.get("extra") == "allow":
                return None
            else:
                types |= {sent: each.annotation for name, each in fields.items() for sent in names_of(each, name)}
    return QueryNames.of_types(types)


def _place_of(scheme: SecurityBase) -> str:
    """Return where the credentials of a security scheme are sent, if it says so."""
    place = getattr(scheme.model, "in_", "")
    return str(getattr(place, "value", place))


def body_of(field: Any) -> Body:  # noqa: ANN401 - FastAPI does not export the type
    """Return what a route takes as its body."""
    info = field.field_info
    media_type = getattr(info, "media_type", JSON.media_type)
    if isinstance(info, params.Form):
        formats = (_MULTIPART, _FORM) if media_type == _MULTIPART.media_type else (_FORM, _MULTIPART)
        return Body(formats, info.is_required())
    known = {each.media_type: each for each in (JSON, FORM)}
    is_json = media_type.endswith("+json")
    body_format = known.get(media_type) or BodyFormat(media_type, parse_json if is_json else None)
    return Body.of(info.annotation, body_format, is_required=info.is_required())


def taken_from_clients(dependants: Iterable[Any]) -> Iterator[str]:
    """Yield the parameters that clients would decide though a dependency should: who calls, or what is in a union.

    FastAPI looks for `Depends` around the whole of an annotation: in `Caller | None` it finds none, and takes a
    `Principal` from the body.
    """
    for dependant in dependants:
        kinds = ("path_params", "query_params", "header_params", "cookie_params", "body_params")
        for parameter in (each for kind in kinds for each in getattr(dependant, kind)):
            if any(part is Principal or isinstance(part, params.Depends) for part in _parts(parameter)):
                yield parameter.name


def _parts(parameter: Any) -> Iterator[Any]:  # noqa: ANN401 - FastAPI does not export the type
    left = [parameter.field_info.annotation]
    while left:
        part = left.pop()
        yield part
        left += get_args(part)


def _without_none(annotation: Any) -> Any:  # noqa: ANN401 - any annotation
    if get_origin(annotation) not in {Union, UnionType}:
        return annotation
    kinds = [each for each in get_args(annotation) if each is not NoneType]
    return kinds[0] if len(kinds) == 1 else annotation
