"""Keeps the processes of `leads up` alive together, and ends them together."""

from __future__ import annotations

import os
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from types import FrameType

from leads_core.embedded_postgres.processes import die_with_parent

#: Seconds that console and worker have to finish what they are doing; PostgreSQL's stop comes after them.
GRACE = 7.5
#: A child that lived this long starts again at once when it dies.
SETTLED = 60.0
LONGEST_PAUSE = 30.0
COULD_NOT_RUN = 2


@dataclass(slots=True)
class Child:
    """One process: `leads <arguments>`, started again when it ends by itself."""

    name: str
    arguments: tuple[str, ...]
    environment: dict[str, str]
    pass_fds: tuple[int, ...] = ()
    process: subprocess.Popen[bytes] | None = None
    started: float = 0.0
    pause: float = 0.0
    due: float = field(default=0.0)

    def start(self) -> None:
        self.started = time.monotonic()
        self.process = subprocess.Popen(  # noqa: S603 - our own program
            [sys.executable, "-m", "console.cli", *self.arguments],
            env=self.environment,
            stdin=subprocess.DEVNULL,
            pass_fds=self.pass_fds,
            start_new_session=True,  # Ctrl-C reaches the supervisor alone, which ends the others in order
            preexec_fn=die_with_parent(signal.SIGTERM),  # noqa: PLW1509 - it only calls prctl
        )

    def send(self, number: signal.Signals) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(number)


class Supervisor:
    """Runs the children until SIGINT, SIGTERM or SIGHUP; a second signal ends them the hard way."""

    def __init__(self, children: Iterable[Child], look_after: Callable[[], None]) -> None:
        """look_after is called at every turn, at least twice a second: for whatever else must be kept alive."""
        self._children = list(children)
        self._look_after = look_after
        self._signals = 0
        self._waking, self._woken = socket.socketpair()

    def start(self) -> None:
        self._waking.setblocking(False)
        self._woken.setblocking(False)
        signal.set_wakeup_fd(self._waking.fileno(), warn_on_full_buffer=False)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._note)
        signal.signal(signal.SIGCHLD, _wake_only)
        for child in self._children:
            child.start()

    @property
    def is_stopping(self) -> bool:
        return self._signals > 0

    def turn(self) -> int | None:
        """Wait up to half a second for news and act on them. An exit status when everything should end."""
        self._wait(0.5)
        if self.is_stopping:
            return 0
        self._look_after()
        for child in self._children:
            status = child.process.poll() if child.process is not None else None
            if status == COULD_NOT_RUN and child.pause == 0.0:
                return COULD_NOT_RUN  # it has said why; starting again will not help
            self._revive(child, status)
        return None

    def stop(self) -> None:
        """End all children: SIGTERM, and SIGKILL after GRACE seconds or at a second signal."""
        signals_before = self._signals
        for child in self._children:
            child.send(signal.SIGTERM)
        end = time.monotonic() + GRACE
        while any(child.process is not None and child.process.poll() is None for child in self._children):
            if time.monotonic() > end or self._signals > max(1, signals_before):
                for child in self._children:
                    child.send(signal.SIGKILL)
            self._wait(0.1)

    def _revive(self, child: Child, status: int | None) -> None:
        now = time.monotonic()
        if status is not None:
            settled = now - child.started > SETTLED
            child.pause = 0.5 if settled else min(LONGEST_PAUSE, max(0.5, child.pause * 2))
            child.process, child.due = None, now + child.pause
            print(
                f"The {child.name} ended ({_in_words(status)}); it starts again in {child.pause:g} s.", file=sys.stderr
            )
        elif child.process is None and now >= child.due:
            child.start()

    def _note(self, _number: int, _frame: FrameType | None) -> None:
        self._signals += 1

    def _wait(self, seconds: float) -> None:
        select.select([self._woken], [], [], seconds)
        with suppress(BlockingIOError):
            self._woken.recv(4096)


def _wake_only(_number: int, _frame: FrameType | None) -> None:
    """A handler must exist for the signal to reach the wake-up socket."""


def _in_words(status: int) -> str:
    return f"killed by {signal.Signals(-status).name}" if status < 0 else f"status {status}"


def environment_with(**values: str) -> dict[str, str]:
    return {**os.environ, **values}
