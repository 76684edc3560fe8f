"""What can go wrong with too many calls."""

from app.core.errors import AppError


class TooManyRequests(AppError):
    status, code = 429, "rate_limited"
    when = "there were too many requests; try again after `Retry-After`"
    default = "There were too many requests. Try again after the seconds in Retry-After."
