"""What can go wrong with accounts."""

from app.core.errors import AppError, Conflict


class InvalidToken(AppError):
    status, code = 400, "invalid_token"
    when = (
        "a token for a new password or a proof is unknown, was used, or has expired, or somebody else has proved the "
        "address; ask for a new one"
    )
    default = "The token is not valid, was used, or has expired. Ask for a new one."


class EmailTaken(Conflict):
    code = "email_taken"
    when = "another user has the e-mail address, in whatever case"
    default = "Another user has this e-mail address."
