"""Views as Flask's documentation shows them, on a blueprint of its own."""

import io
import time
from collections.abc import Iterator
from functools import wraps
from typing import Any

from flask import (
    Blueprint,
    Response,
    g,
    jsonify,
    make_response,
    redirect,
    render_template_string,
    request,
    send_file,
    stream_with_context,
    url_for,
)
from flask.views import MethodView

from app.api.deps import get_caller, get_database
from app.auth.policy import public, requires
from app.http.body import max_body
from app.http.negotiation import produces

router = Blueprint("plain", __name__, url_prefix="/v1/ordinary", template_folder="templates", cli_group="plain")


@router.get("/closed")
@requires()
def read_closed() -> dict[str, Any]:
    return {"caller": get_caller().subject, "connections": get_database().size}


@router.get("/caller-of-nobody")
@public
def read_caller_of_nobody() -> str:
    return get_caller().subject


@router.post("/form")
@public
def write_form() -> Response:
    return jsonify(name=request.form["name"], tags=request.form.getlist("tags"))


@router.post("/files")
@public
def write_files() -> dict[str, Any]:
    files = {each.filename: len(each.read()) for each in request.files.getlist("files")}
    return {"files": files, "note": request.form.get("note", "")}


@router.post("/large")
@public
@max_body(3 * 1024 * 1024)
def write_large() -> dict[str, int]:
    return {"size": len(request.files["file"].read())}


@router.post("/raw")
@public
def write_raw() -> dict[str, int]:
    return {"size": len(request.stream.read())}


@router.post("/swallowed")
@public
def write_swallowed() -> dict[str, bool]:
    try:
        request.get_data()
    except Exception:
        pass
    return {"ok": True}


@router.get("/text")
@public
@produces("text/plain")
def read_text() -> tuple[str, dict[str, str]]:
    return "hello", {"Content-Type": "text/plain; charset=utf-8"}


@router.get("/page")
@public
@produces("text/html")
def read_page() -> str:
    return render_template_string("<p>{{ word }}</p>", word="hello")


@router.get("/download")
@public
@produces("application/pdf")
def read_download() -> Response:
    return send_file(io.BytesIO(b"%PDF"), mimetype="application/pdf", download_name="file.pdf", as_attachment=True)


@router.get("/stream")
@public
def read_stream() -> Response:
    seconds = float(request.args.get("seconds", 0))

    def parts() -> Iterator[str]:
        for part in ("one ", "two"):
            yield part
            time.sleep(seconds)

    return Response(parts(), mimetype="text/plain")


@router.get("/events")
@public
@produces("text/event-stream")
def read_events() -> Response:
    return Response(iter(['data: {"number": 1}\n\n']), mimetype="text/event-stream")


@router.get("/elsewhere")
@public
def read_elsewhere() -> Any:
    return redirect("/v1/ordinary/text", 307)


@router.get("/addresses")
@public
def read_addresses() -> Any:
    return {"own": request.url, "other": url_for(".read_elsewhere", _external=True)}


@router.get("/broken-stream")
@public
def read_broken_stream() -> Response:
    def parts() -> Iterator[str]:
        yield "one"
        raise ValueError("planted")

    return Response(parts(), mimetype="text/plain")


@router.get("/crash")
@public
def crash() -> str:
    raise RuntimeError("planted")


class CustomError(Exception):
    pass


@router.errorhandler(CustomError)
def on_custom(_error: CustomError) -> tuple[dict[str, str], int]:
    return {"handled": "here"}, 418


@router.get("/custom")
@public
def raise_custom() -> str:
    raise CustomError


@router.before_request
def before() -> None:
    g.before = "before"


@router.get("/before")
@public
def read_before() -> str:
    return str(g.before)


@router.cli.command("greet")
def greet() -> None:
    print("hello from plain")


class Things(MethodView):
    decorators = [public]

    def get(self) -> dict[str, str]:
        return {"method": request.method}

    def post(self) -> dict[str, str]:
        return {"method": request.method}


router.add_url_rule("/both", view_func=Things.as_view("both"))


@router.get("/cookie")
@public
def read_cookie() -> Response:
    response = make_response({"ok": True})
    response.set_cookie("seen", "yes")
    return response


@router.get("/links")
@public
def read_links() -> dict[str, str]:
    return {"page": url_for(".read_page"), "inner": url_for("ordinary.ordinary.read_inner", thing_id=7)}


@router.after_request
def after(response: Response) -> Response:
    response.headers["X-After"] = "after"
    return response


def twice(view):
    @wraps(view)
    def doubled(*args, **kwargs):
        return view(*args, **kwargs) * 2

    return doubled


@router.get("/twice")
@public
@twice
def read_twice() -> str:
    return "ab"


@router.get("/dozen")
@twice
@public
def read_dozen() -> str:
    return "cd"


@router.get("/context")
@public
def read_context() -> Response:
    @stream_with_context
    def parts() -> Iterator[str]:
        yield request.path

    return Response(parts())


@router.get("/slash/")
@public
def read_slash() -> dict[str, str]:
    return {"outside": url_for(".read_page", _external=True)}


class Guarded(MethodView):
    decorators = [public]

    def get(self) -> str:
        return "open"

    @requires(role="admin")
    def delete(self) -> str:
        return "closed"


router.add_url_rule("/guarded-class", view_func=Guarded.as_view("guarded_class"))
