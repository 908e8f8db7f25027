"""The process that alone holds rpy2: it takes arrays from a pipe, asks R, and sends arrays back.

Started by :mod:`psychoseg.engines.r_process` as a plain file, so it imports nothing of psychoseg
and starts in half a second. A message is eight bytes of length, a JSON header of that length, and
raw float64 values in column-major order, whose shapes the header gives. Never decides anything.
"""

from __future__ import annotations

import json
import math
import os
import shutil
import signal
import struct
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, BinaryIO, TypedDict

__all__ = ["LENGTH", "Reply", "Request", "Shape", "pack", "values_in"]

#: The eight bytes before a header.
LENGTH = struct.Struct("<Q")
#: Seconds between two looks at whether the parent still lives.
_WATCH = 0.5
#: No user profile and no saved workspace may change a result; Renviron stays, for it names the
#: libraries.
_R_OPTIONS = ("rpy2", "--quiet", "--no-save", "--no-restore", "--no-init-file", "--no-site-file")

Shape = tuple[int, ...]


class Request(TypedDict):
    """Header of what is asked: a function of ``r_engine.R``, the packages it needs, its arguments.

    ``arrays`` are the shapes of the first arguments, whose values follow; ``options`` the arguments
    after.
    """

    call: str
    packages: list[str]
    arrays: list[Shape]
    options: list[float | str | list[str]]


class Reply(TypedDict):
    """Header of what is answered; ``arrays`` are the shapes of the values that follow."""

    status: str
    message: list[str]
    warnings: list[str]
    arrays: list[Shape]
    texts: list[list[str]]


def pack(header: Request | Reply, values: Sequence[bytes]) -> bytes:
    """Return a message as bytes."""
    text = json.dumps(header).encode("ascii")
    return b"".join([LENGTH.pack(len(text)), text, *values])


def values_in(shapes: Sequence[Shape]) -> int:
    """Return the number of bytes that arrays of these shapes take."""
    return sum(8 * math.prod(shape) for shape in shapes)


def main() -> int:
    """Serve requests until the parent closes the pipe."""
    parent, folder, *path = sys.argv[1:]
    requests, replies = _private_channel()
    threading.Thread(target=_end_with, args=(int(parent), folder), daemon=True).start()
    sys.path.extend(entry for entry in path if entry not in sys.path)
    try:
        ask = _RSession()
    except ImportError as error:
        _send(replies, _failure("no rpy2", str(error)))
        return 1
    except Exception as error:
        # rpy2 without a usable R raises anything: ValueError, OSError, RuntimeError, cffi's own
        # error.
        _send(replies, _failure("broken", f"{type(error).__name__}: {error}"))
        return 1
    _send(replies, pack(_reply("ready"), []))
    while length := requests.read(LENGTH.size):
        request: Request = json.loads(requests.read(LENGTH.unpack(length)[0]))
        values = [requests.read(values_in([shape])) for shape in request["arrays"]]
        _send(replies, ask(request, values))
    return 0


class _RSession:
    """R inside this process."""

    def __init__(self) -> None:
        from rpy2 import rinterface
        from rpy2.rinterface_lib import embedded

        embedded.set_initoptions(_R_OPTIONS)
        rinterface.initr(interactive=False)
        self._r = rinterface
        base = rinterface.baseenv
        # R would fork with threads of Python alive, which may deadlock; one process also gives one
        # order.
        base["options"](**{"mc.cores": 1, "warn": 1})
        self._functions = base["new.env"](parent=rinterface.globalenv)
        script = str(Path(__file__).with_name("r_engine.R"))
        base["sys.source"](rinterface.StrSexpVector([script]), envir=self._functions)

    def __call__(self, request: Request, values: Sequence[bytes]) -> bytes:
        r = self._r
        arrays = [self._array(v, s) for v, s in zip(values, request["arrays"], strict=True)]
        options = [self._option(option) for option in request["options"]]
        try:
            answer = self._functions["ask"](
                self._functions[request["call"]],
                r.StrSexpVector(request["packages"]),
                r.ListSexpVector([*arrays, *options]),
            )
        except r.embedded.RRuntimeError as error:
            return _failure("error", str(error))
        parts = dict(zip(answer.names, answer, strict=True))
        results = list(parts["values"])
        numbers = [v for v in results if isinstance(v, r.FloatSexpVector)]
        texts = [list(v) for v in results if isinstance(v, r.StrSexpVector)]
        header = _reply(parts["status"][0])
        header["message"] = list(parts["message"])
        header["warnings"] = list(parts["warnings"])
        header["arrays"] = [self._shape(v) for v in numbers]
        header["texts"] = texts
        return pack(header, [_column_major(v.memoryview()) for v in numbers if len(v)])

    def _array(self, values: bytes, shape: Shape) -> Any:
        vector = self._r.FloatSexpVector.from_memoryview(memoryview(values).cast("d"))
        if len(shape) == 1:
            return vector
        return self._r.baseenv["dim<-"](vector, value=self._r.IntSexpVector(shape))

    def _option(self, option: float | str | list[str]) -> Any:
        if isinstance(option, list):
            return self._r.StrSexpVector(option)
        if isinstance(option, str):
            return self._r.StrSexpVector([option])
        return self._r.FloatSexpVector([option])

    def _shape(self, vector: Any) -> Shape:
        dim = self._r.baseenv["dim"](vector)
        return (len(vector),) if dim is self._r.NULL else tuple(int(d) for d in dim)


def _column_major(view: memoryview) -> bytes:
    """Return values in R's order; ``bytes`` would turn a matrix into rows."""
    return view.tobytes(order="F")


def _private_channel() -> tuple[BinaryIO, BinaryIO]:
    """Take the pipes away from R and C code, which read and print as they like."""
    requests, replies = os.dup(0), os.dup(1)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)
    return os.fdopen(requests, "rb"), os.fdopen(replies, "wb")


def _end_with(parent: int, folder: str) -> None:
    """End this process, its children and its files once the parent is gone, even during a call.

    Not PR_SET_PDEATHSIG, which fires as soon as the parent's thread that started this process ends.
    """
    while os.getppid() == parent:
        time.sleep(_WATCH)
    shutil.rmtree(folder, ignore_errors=True)
    # Its own group by number: started by hand it leads none, and kills nobody else's.
    os.killpg(os.getpid(), signal.SIGKILL)


def _send(replies: BinaryIO, message: bytes) -> None:
    try:
        replies.write(message)
        replies.flush()
    except BrokenPipeError:
        # The parent went away or no longer listens: there is nobody left to tell.
        os._exit(0)


def _failure(status: str, message: str) -> bytes:
    header = _reply(status)
    header["message"] = [message]
    return pack(header, [])


def _reply(status: str) -> Reply:
    return {"status": status, "message": [], "warnings": [], "arrays": [], "texts": []}


if __name__ == "__main__":
    sys.exit(main())
