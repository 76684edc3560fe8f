"""One request with an idempotency key: what it does, and its answer, are one transaction."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from contextvars import Context
from typing import Concatenate, Final, ParamSpec, TypeVar

from prometheus_client import Counter
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app.core import context
from app.core.errors import AppError
from app.core.failures.idempotency import AnswerNotKept, KeyInProgress, KeyReused
from app.core.settings import Settings
from app.db.database import Database
from app.db.joint import Joint, joint
from app.http.retries import check_key
from app.idempotency import keys

P = ParamSpec("P")
T = TypeVar("T")

REQUESTS: Final = Counter("idempotency_requests_total", "Requests with an idempotency key.", ["outcome"])
_AFTER_TIMEOUT_SECONDS = 5.0
"""How long, after the request's time limit, nobody else gets its key: its transaction has ended by then."""


class KeyedRequest(Joint):
    """Holds the key from the first unit of work on, and commits all of them with the answer.

    `sent` are the lines of the header, and `fingerprint` returns a hash of the request. Only requests of known callers
    are kept, and only where a route takes keys.
    """

    def __init__(self, sent: Sequence[str], fingerprint: Callable[[], str], settings: Settings) -> None:
        super().__init__()
        self.stored: keys.Stored | None = None
        self.refusal: AppError | None = None
        self._sent, self._fingerprint, self._settings = sent, fingerprint, settings
        self._held: keys.Held | None = None

    @property
    def is_kept(self) -> bool:
        """Whether the request has come to a unit of work, or was answered before."""
        return self._held is not None or self.stored is not None

    def takes_part(self, database: Database) -> bool:
        current = context.current()
        is_kept = current is not None and current.principal is not None and current.takes_key
        return is_kept and super().takes_part(database)

    def prepare(self, database: Database) -> None:
        """Take the key.

        Raises:
            AppError: there is an answer already, or it cannot be taken.
        """
        current = context.current()
        if current is None or current.principal is None:
            return
        # Where frameworks join the lines of a header, several have not been noticed yet.
        check_key(self._sent)
        wanted = keys.Wanted(current.principal, self._sent[0], self._fingerprint())
        seconds = self._settings.request_timeout_seconds + _AFTER_TIMEOUT_SECONDS
        arguments = (wanted, seconds, self._settings.idempotency_key_seconds)
        has_written = current.may_have_written
        try:
            try:
                self._held = _alone(database, keys.hold, *arguments)
            except IntegrityError:
                # Somebody has, or had it.
                self._held = _alone(database, keys.take_over, *arguments)
        except keys.Stored as stored:
            self.stored = stored
            REQUESTS.labels("replayed").inc()
            raise
        except (AnswerNotKept, KeyInProgress, KeyReused) as refusal:
            self.refusal = refusal
            REQUESTS.labels(refusal.code).inc()
            raise
        finally:
            # This commit is none of what the client asked for.
            current.may_have_written = has_written

    def finish(self, status: int, headers: keys.Headers, body: bytes | None) -> None:
        """Commit what was done with the answer. If that fails, nothing was done, or it is not known.

        Raises:
            AppError: it failed.
        """
        with self._lock:
            held = self._held
            if held is None:
                return
            try:
                self.commit_with(lambda session: keys.store(session, held, status, headers, body))
            except BaseException:
                self.abandon()
                raise
            REQUESTS.labels("carried_out").inc()

    def abandon(self) -> None:
        """Undo what was done, and let go of the key, so that the request can be sent again."""
        with self._lock:
            self.undo()
            held, self._held = self._held, None
            if held is not None and self._database is not None:
                # Without the database the key is free when the time of whoever held it is over. In an empty context,
                # since the request may have used up its time.
                with suppress(AppError):
                    Context().run(self._database.write, keys.let_go, held)


def _alone(database: Database, function: Callable[Concatenate[Session, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Return `function(session, …)` from a transaction of its own."""
    token = joint.set(None)
    try:
        return database.write(function, *args, **kwargs)
    finally:
        joint.reset(token)
