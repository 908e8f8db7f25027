"""Requests to end: Ctrl-C, a process manager's SIGTERM, a terminal that closes.

Owns which signals these are, what is said and the exit code. Imports nothing that takes time: it
listens before anything else is loaded.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType

__all__ = ["STOPPED", "Stop", "catching", "end_at_once", "listen_early", "say_stopped"]

#: Exit code, as shells give it for Ctrl-C.
STOPPED = 130
_TEXT = "psychoseg: stopped; nothing was written"
#: Seconds in which further requests are taken for the same one: process managers and terminals send
#: several at once, and the first must be left to clean up.
_SAME_REQUEST = 2.0


def _signals() -> list[signal.Signals]:
    """Return the signals that ask to end and are listened to; nohup turns SIGHUP off."""
    names = ("SIGINT", "SIGTERM", "SIGHUP")
    there = [getattr(signal, name) for name in names if hasattr(signal, name)]
    return [number for number in there if signal.getsignal(number) is not signal.SIG_IGN]


class Stop:
    """Turns a request to end into an exception, so that a half-written folder is removed."""

    def __init__(self) -> None:
        self.asked = False
        self._at = -_SAME_REQUEST

    def __call__(self, _: int, __: FrameType | None) -> None:
        """Raise KeyboardInterrupt, once for requests that come together."""
        self.asked = True
        now = time.monotonic()
        if now - self._at >= _SAME_REQUEST:
            self._at = now
            raise KeyboardInterrupt


@contextmanager
def catching(stop: Stop) -> Iterator[None]:
    """Let requests to end go to ``stop``, and then to whoever had them before."""
    before = {number: signal.signal(number, stop) for number in _signals()}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def say_stopped() -> None:
    """Say so where anybody still listens: a terminal that closed takes nothing."""
    with suppress(OSError, ValueError):
        print(_TEXT, file=sys.stderr, flush=True)


def listen_early() -> None:
    """Listen while the program loads: a request to end is answered at once."""
    for number in _signals():
        signal.signal(number, end_at_once)


def end_at_once(_: int, __: FrameType | None) -> None:
    """End, where nothing has been begun that would have to be removed."""
    with suppress(OSError):
        os.write(2, f"{_TEXT}\n".encode())
    os._exit(STOPPED)
