"""A machine that is reached over SSH: this one, under a name and with a key of its own."""

import asyncio
import base64
import os
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from threading import Event, Thread

import asyncssh


@dataclass(frozen=True)
class Machine:
    """Where it is, how it is known, and the key that it lets in, as settings of a release hold them."""

    host: str
    known_hosts: str
    key_base64: str


@contextmanager
def machine(environment: dict[str, str]) -> Generator[Machine]:
    """Yield a machine whose sessions have an environment, with what a login shell adds, and nothing of the caller's."""
    host_key, key = (asyncssh.generate_private_key("ssh-ed25519") for _ in range(2))
    listening, stop = Event(), Event()
    ports: list[int] = []

    async def serve() -> None:
        server = await asyncssh.listen(
            "127.0.0.1",
            0,
            server_host_keys=[host_key],
            authorized_client_keys=asyncssh.import_authorized_keys(key.export_public_key().decode()),
            process_factory=partial(run, environment),
            encoding=None,
        )
        async with server:
            ports.append(server.get_port())
            listening.set()
            await asyncio.to_thread(stop.wait)

    thread = Thread(target=asyncio.run, args=(serve(),), daemon=True)
    thread.start()
    try:
        assert listening.wait(10)
        yield Machine(
            host=f"ssh://{os.environ.get('USER', 'root')}@127.0.0.1:{ports[0]}",
            known_hosts=f"[127.0.0.1]:{ports[0]} {host_key.export_public_key().decode().strip()}",
            key_base64=base64.b64encode(key.export_private_key()).decode(),
        )
    finally:
        stop.set()
        thread.join(10)


async def run(environment: dict[str, str], session: "asyncssh.SSHServerProcess[bytes]") -> None:
    """Run the command of a session as sshd does: by a shell that is not one of a login."""
    pipe = asyncio.subprocess.PIPE
    command = session.command or "exit 64"
    child = await asyncio.create_subprocess_shell(command, env=environment, stdin=pipe, stdout=pipe, stderr=pipe)
    await session.redirect(stdin=child.stdin, stdout=child.stdout, stderr=child.stderr)
    session.exit(await child.wait())
    await session.wait_closed()
