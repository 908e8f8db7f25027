"""The errors and the warning that psychoseg raises on purpose; never anything that computes.

An error for the user says where, what (with the value) and what to do. Everything else that escapes
is a fault of ours. The command line turns the first kind into exit code 2 and the second into exit
code 1.
"""

from __future__ import annotations

import warnings

__all__ = ["DataError", "EngineError", "PsychosegError", "PsychosegWarning", "StudyError", "tell"]


class PsychosegError(Exception):
    """Something the user can put right; the message says where, what and what to do."""


class StudyError(PsychosegError):
    """The study file is wrong; the message lists all of its problems at once."""


class DataError(PsychosegError):
    """The answers cannot be used as they are."""


class EngineError(PsychosegError):
    """An engine is absent, failed, or cannot do what it was asked to do."""


class PsychosegWarning(UserWarning):
    """Something the reader of the results must know: it goes into the manifest and the report."""


def tell(message: str) -> None:
    """Warn the reader of the results, through :class:`PsychosegWarning`."""
    warnings.warn(message, PsychosegWarning, stacklevel=3)
