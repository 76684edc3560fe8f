"""Failures of requests with an idempotency key."""

from app.core.errors import AppError, Conflict


class KeyReused(AppError):
    status, code = 422, "idempotency_key_reused"
    when = "the `Idempotency-Key` was used for another request; take a new one"
    default = "This Idempotency-Key was used for another request. Take a new one."


class KeyInProgress(Conflict):
    code = "idempotency_in_progress"
    when = "a request with the same `Idempotency-Key` is under way; try again shortly"
    default = "A request with this Idempotency-Key is under way. Try again shortly."


class AnswerNotKept(Conflict):
    code = "idempotency_answer_not_kept"
    when = "the request with this `Idempotency-Key` was carried out, and its answer was too large to keep"
    default = "The request with this Idempotency-Key was carried out. Its answer was too large to keep."
