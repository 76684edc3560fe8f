import pytest

from app.observability.logging import redact

SECRET = "hunter2-hunter2_hunter2-hunter2_hunter2-hun"


@pytest.mark.parametrize(
    "text",
    [
        f"sent refresh_{SECRET}",
        f"reset_{SECRET} went",
        f"(proof_{SECRET})",
        f"proof_{SECRET}.hunter2\n",
    ],
)
def test_the_log_hides_tokens_by_their_form(text: str) -> None:
    hidden = str(redact(None, "info", {"event": text, "value": [text.encode(), ValueError(text)]}))

    assert "hunter2" not in hidden
    assert hidden.count("[hidden]") == 3
