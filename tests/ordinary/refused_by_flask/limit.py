"""read_report | reports | ten a minute | like 300/minute"""

from flask import Blueprint

from app.auth.policy import public
from app.http.limited import limited

router = Blueprint("planted", __name__, url_prefix="/v1/planted")


@router.get("/report")
@public
@limited("reports", "ten a minute")
def read_report():
    return ""
