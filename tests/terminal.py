"""A terminal to answer prompts in: what a person would type, and what the screen shows."""

import os
import time

import pexpect
import pyte

SIZE = (50, 160)


class Terminal:
    """Run a command in a pseudo-terminal of `SIZE` rows and columns."""

    def __init__(self, command: list[str], seconds: float = 20) -> None:
        """Start the command; every wait takes at most `seconds`."""
        # Without an answer to its question for the cursor's position, prompt_toolkit waits.
        environment = {**os.environ, "TERM": "xterm", "PROMPT_TOOLKIT_NO_CPR": "1"}
        program, *arguments = command
        self._process = pexpect.spawn(program, arguments, env=environment, dimensions=SIZE, encoding="utf-8")
        self._screen = pyte.Screen(SIZE[1], SIZE[0])
        self._stream = pyte.Stream(self._screen)
        self._seconds = seconds

    def text(self) -> str:
        """Return what the screen shows, one line a row."""
        return "\n".join(line.rstrip() for line in self._screen.display).strip()

    def wait_for(self, text: str) -> None:
        """Wait until the screen shows `text`."""
        deadline = time.monotonic() + self._seconds
        while text not in self.text():
            assert time.monotonic() < deadline, f"waited for {text!r}, the screen shows:\n{self.text()}"
            try:
                self._stream.feed(self._process.read_nonblocking(65536, timeout=0.1))
            except pexpect.TIMEOUT:
                continue
            except pexpect.EOF:
                assert text in self.text(), f"ended before {text!r}, the screen shows:\n{self.text()}"

    def type(self, text: str) -> None:
        """Type `text`; Enter is a carriage return."""
        self._process.send(text)

    def paste(self, text: str) -> None:
        """Paste `text`, as terminals do: between the marks of a bracketed paste."""
        self.type(f"\x1b[200~{text}\x1b[201~")

    def clear(self) -> None:
        """Delete what stands in the prompt: Ctrl+E to its end, then backspaces."""
        self.type("\x05" + "\x7f" * 200)

    def finish(self) -> int | None:
        """Wait for the command to end and return its exit code."""
        self._process.expect(pexpect.EOF, timeout=self._seconds)
        self._stream.feed(self._process.before or "")
        self._process.close()
        return self._process.exitstatus
