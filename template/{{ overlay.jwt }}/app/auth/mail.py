"""Where messages to users leave this service: how they are sent is the team's.

Set `SENDER` to an object with these two methods. Until then nobody can ask for a token by themselves
(`POST /v1/auth/reset` is 404), and AUTH_EMAIL_PROOF cannot be turned on; `app users reset` makes tokens all the same.
"""

from typing import Protocol


class Sender(Protocol):
    """Sends messages. It is called once the token is in the database.

    For a proof the client waits meanwhile, so hand it to a queue. What it raises is in the log.
    """

    def send_reset(self, address: str, token: str) -> None:
        """Tell the user at `address` how to set a new password: `POST /v1/auth/password` with `token`."""

    def send_proof(self, address: str, token: str) -> None:
        """Tell the user at `address` how to prove that it is theirs: `POST /v1/auth/proof` with `token` and password.

        A stranger may have typed the address: say that whoever did not ask for this can ignore it.
        """


SENDER: Sender | None = None
