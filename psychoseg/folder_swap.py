"""A folder that is written under a temporary name and then takes the place of an older one.

Owns the temporary names and what a process that was killed leaves under them. Knows nothing of what
the folder holds but the name of the file that is written last.
"""

from __future__ import annotations

import errno
import os
import shutil
import time
from pathlib import Path

__all__ = ["put_in_place", "recover", "sweep", "temporary"]

_PARTIAL, _REPLACED = ".partial-", ".replaced-"
#: Seconds after which a swap that has not ended is nobody's any more, whatever process has its
#: number now: two renames take less than one.
_STALE = 10


def temporary(folder: Path) -> Path:
    """Return the name under which this process writes a folder."""
    return folder.parent / f".{folder.name}{_PARTIAL}{os.getpid()}"


def put_in_place(partial: Path, folder: Path, *, replace_old: bool) -> Path:
    """Give a folder its name, or the next free one where it may not take another's place.

    Parameters
    ----------
    partial : Path
        As :func:`temporary` named it, whole.
    folder : Path
    replace_old : bool
        Whether the folder of that name goes.

    Returns
    -------
    Path
        Where it is now.

    Notes
    -----
    There are two renames, the old folder's and the new one's. Whatever ends this process between
    them, :func:`recover` gives the new folder its name.
    """
    if not replace_old:
        return _next_free(partial, folder)
    if not folder.exists():
        return partial.rename(folder)
    old = folder.parent / f".{folder.name}{_REPLACED}{os.getpid()}"
    try:
        folder.rename(old)
        partial.rename(folder)
    except BaseException:
        # An error or a request to end: the old folder keeps its place.
        if old.exists() and not folder.exists():
            old.rename(folder)
        raise
    shutil.rmtree(old, ignore_errors=True)
    return folder


def recover(folder: Path, last_file: str) -> None:
    """Give a folder its name back that a killed process has left without one.

    Parameters
    ----------
    folder : Path
        Nothing is done where it is there.
    last_file : str
        Of a folder that is whole: it is written after all others.
    """
    if folder.exists() or not folder.parent.is_dir():
        return
    for old in sorted(folder.parent.glob(f".{_literal(folder.name)}{_REPLACED}*")):
        number = old.name.rpartition("-")[2]
        if _is_at_work(old, number):
            continue
        new = folder.parent / f".{folder.name}{_PARTIAL}{number}"
        whole = new if (new / last_file).is_file() else old
        whole.rename(folder)
        shutil.rmtree(old, ignore_errors=True)
        return


def sweep(parent: Path) -> None:
    """Remove what killed processes have left in a folder, once every folder has its name again."""
    for left in sorted(parent.glob(".*")):
        name, dash, number = left.name.rpartition("-")
        if not dash or not number.isdigit() or _is_at_work(left, number):
            continue
        is_spare = name.endswith(_REPLACED[:-1]) and (
            (parent / name[1:].removesuffix(_REPLACED[:-1])).exists()
        )
        # One that was to take a place is kept until recover has given it one.
        awaited = left.with_name(f"{name.removesuffix(_PARTIAL[:-1])}{_REPLACED}{number}").exists()
        if is_spare or (name.endswith(_PARTIAL[:-1]) and not awaited):
            shutil.rmtree(left, ignore_errors=True)


def _next_free(partial: Path, folder: Path) -> Path:
    number = 2
    target = folder
    while True:
        try:
            return partial.rename(target)
        except OSError as error:
            if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
                raise
            target = folder.parent / f"{folder.name}-{number}"
            number += 1


def _is_at_work(left: Path, number: str) -> bool:
    """Return whether the process that wrote a folder may still need it."""
    if not (number.isdigit() and len(number) < 10 and _alive(int(number))):
        return False
    if _PARTIAL in left.name:
        return True
    try:
        return time.time() - left.stat().st_ctime < _STALE
    except OSError:
        return True


def _alive(pid: int) -> bool:
    if pid == os.getpid():
        return True
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _literal(name: str) -> str:
    """Return a name in which glob looks for nothing."""
    return "".join(f"[{sign}]" if sign in "*?[" else sign for sign in name)
