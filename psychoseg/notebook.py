"""How far a long call is, shown in a Jupyter notebook; silent anywhere else.

Needs no widgets: one output of the cell is written anew, and emptied in the end.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from html import escape
from typing import Any

__all__ = ["NotebookProgress", "notebook_progress"]

#: Seconds between two changes of the bar: more often only costs time.
_PAUSE = 0.2


class NotebookProgress:
    """A bar under a notebook's cell; a :class:`psychoseg.runs.Progress`."""

    def __init__(self) -> None:
        self._handle: Any = None
        self._stage = ""
        self._last = 0.0

    def stage(self, name: str) -> None:
        """Show the stage that begins."""
        self._stage = name
        self._show(f"{name} ...")

    def step(self, done: int, total: int) -> None:
        """Show how far the stage is."""
        now = time.monotonic()
        if done < total and now - self._last < _PAUSE:
            return
        self._last = now
        self._show(f"{self._stage} {done} of {total}", done / total if total else 0.0)

    def close(self) -> None:
        """Take the bar away."""
        if self._handle is not None:
            self._handle.update({"text/html": "", "text/plain": ""}, raw=True)

    def _show(self, text: str, share: float | None = None) -> None:
        from IPython.display import display

        bar = "" if share is None else f'<progress value="{share:.3f}" max="1"></progress> '
        data = {"text/html": f"<div>{bar}{escape(text)}</div>", "text/plain": text}
        if self._handle is None:
            self._handle = display(  # type: ignore[no-untyped-call]
                data, raw=True, display_id=True
            )
        else:
            self._handle.update(data, raw=True)


@contextmanager
def notebook_progress() -> Iterator[NotebookProgress | None]:
    """Give a bar where this is a notebook, None elsewhere; take it away at the end."""
    bar = NotebookProgress() if _in_notebook() else None
    try:
        yield bar
    finally:
        if bar is not None:
            bar.close()


def _in_notebook() -> bool:
    """Return whether a Jupyter kernel runs this; never imports IPython to find out."""
    ipython = sys.modules.get("IPython")
    shell = None if ipython is None else ipython.get_ipython()
    return getattr(shell, "kernel", None) is not None
