"""What an SPSS file says of itself, held against its size before anything is taken for true.

ReadStat believes the counts of a file: it makes room for as many cases as the header tells, and
follows an index of variables wherever it points. This module walks the dictionary of a .sav or
.zsav as the GNU PSPP Developers Guide lays it down ("System File Format") and refuses what cannot
be; it reads no answers.
"""

from __future__ import annotations

import struct
from pathlib import Path
from typing import BinaryIO

from psychoseg.errors import DataError

__all__ = ["check_sav"]

#: Values of a file: cases by variables, a text counted by every 8 letters. Our own choice: 500,000
#: people by 100 answers, in under 2 GB.
MAX_VALUES = 50_000_000
#: Bytes of a file. Packed data have a byte or more for each value.
MAX_BYTES = 512 * 1024**2
_MAGICS = (b"$FL2", b"$FL3")
#: How SPSS begins what it has encrypted: the guide, "Encrypted File Wrappers".
_ENCRYPTED = b"ENCRYPTEDSAV"
_HEADER, _VARIABLE, _LINE = 176, 32, 80
_LAYOUT_AT = 64
#: Kinds of records.
_IS_VARIABLE, _IS_LABELS, _IS_USERS, _IS_NOTE, _IS_MORE, _IS_END = 2, 3, 4, 6, 7, 999
#: Widths of a variable: a number is 0, what continues a long text is -1.
_WIDEST = 255
_PLAIN, _PACKED, _DEFLATED = 0, 1, 2


def check_sav(path: Path) -> None:
    """Refuse a .sav or .zsav whose counts cannot be true, or that is too large.

    A file that is no such file at all is left to its reader, who says so.

    Raises
    ------
    DataError
    """
    size = path.stat().st_size
    if size > MAX_BYTES:
        raise DataError(
            f"{path} has {size / 1024**2:,.0f} MB, above the limit of {MAX_BYTES // 1024**2} MB. "
            "Keep the variables that are needed and save it again."
        )
    with path.open("rb") as file:
        start = file.read(_HEADER)
        if _ENCRYPTED in start:
            raise DataError(f"{path} is protected by a password. Save it without one.")
        if not start.startswith(_MAGICS) or len(start) < _HEADER:
            return
        try:
            _Dictionary(file, start, size).check()
        except _ImpossibleError as reason:
            raise DataError(
                f"{path} is damaged: {reason}. Copy it anew, or save it again from SPSS."
            ) from None
        except _TooLargeError as reason:
            raise DataError(
                f"{path} holds {reason}, above the limit of {MAX_VALUES:,}. Keep the variables "
                "that are needed and save it again."
            ) from None


class _ImpossibleError(Exception):
    """What a file says of itself and cannot be."""


class _TooLargeError(Exception):
    """How many values a file holds."""


class _Dictionary:
    """The dictionary of a file, read from its beginning to its end."""

    def __init__(self, file: BinaryIO, start: bytes, size: int) -> None:
        self._file = file
        self._size = size
        little = struct.unpack_from("<i", start, _LAYOUT_AT)[0] in {2, 3}
        self._order = "<" if little else ">"
        layout, _, self._packing, _, self._n_cases = struct.unpack_from(
            f"{self._order}5i", start, _LAYOUT_AT
        )
        if layout not in {2, 3}:
            raise _ImpossibleError(f"its layout is {layout}, and SPSS knows 2 and 3")
        self._n_variables = 0

    def check(self) -> None:
        """Walk the records and hold the number of cases against the size."""
        while (kind := self._ints(1)[0]) != _IS_END:
            if kind == _IS_VARIABLE:
                self._variable()
            elif kind == _IS_LABELS:
                self._labels()
            elif kind == _IS_USERS:
                self._users()
            elif kind == _IS_NOTE:
                self._skip(_LINE * self._count("lines of notes"))
            elif kind == _IS_MORE:
                self._ints(1)
                each, many = self._count("bytes of an entry"), self._count("entries")
                self._skip(each * many)
            else:
                raise _ImpossibleError(f"its dictionary has a record of the kind {kind}")
        self._ints(1)
        if not self._n_variables:
            raise _ImpossibleError("it has no variables")
        self._cases()

    def _variable(self) -> None:
        width, has_label, n_missing = self._ints(3)
        self._skip(_VARIABLE - 16)
        self._n_variables += 1
        if not -1 <= width <= _WIDEST:
            raise _ImpossibleError(f"variable {self._n_variables} is {width} letters wide")
        if not -3 <= n_missing <= 3:
            raise _ImpossibleError(
                f"variable {self._n_variables} has {n_missing} missing values, and SPSS knows 3"
            )
        if has_label:
            self._skip(-(-self._count("letters of a label") // 4) * 4)
        self._skip(8 * abs(n_missing))

    def _labels(self) -> None:
        for _ in range(self._count("value labels")):
            self._skip(8)
            letters = self._bytes(1)[0]
            self._skip((letters + 1 + 7) // 8 * 8 - 1)

    def _users(self) -> None:
        for index in self._ints(self._count("variables with labels")):
            if not 1 <= index <= self._n_variables:
                raise _ImpossibleError(
                    f"value labels belong to variable {index}, and it has {self._n_variables}"
                )

    def _cases(self) -> None:
        room = self._size - self._file.tell()
        if self._packing == _DEFLATED:
            room = self._deflated_room()
        elif self._packing not in {_PLAIN, _PACKED}:
            raise _ImpossibleError(f"its data are packed in the way {self._packing}")
        most = room // 8 if self._packing == _PLAIN else room
        values = self._n_cases * self._n_variables
        if values > most:
            raise _ImpossibleError(
                f"its header says {self._n_cases:,} cases of {self._n_variables:,} values, for "
                "which it has no room: it may be cut short"
            )
        if values > MAX_VALUES:
            raise _TooLargeError(
                f"{self._n_cases:,} cases of {self._n_variables:,} values, {values:,} in all"
            )
        if self._n_cases < -1:
            raise _ImpossibleError(f"its header says {self._n_cases} cases")

    def _deflated_room(self) -> int:
        """Return to how many bytes the deflated blocks unpack."""
        _, trailer_at, _ = self._longs(3)
        if not 0 <= trailer_at < self._size:
            raise _ImpossibleError("the list of its blocks lies outside it: it may be cut short")
        self._file.seek(trailer_at)
        self._longs(2)
        self._ints(1)
        total = 0
        for _ in range(self._count("blocks")):
            self._longs(2)
            unpacked, packed = self._ints(2)
            if unpacked < 0 or packed < 0:
                raise _ImpossibleError(f"a block of it has {min(unpacked, packed)} bytes")
            total += unpacked
        if total > MAX_BYTES:
            raise _TooLargeError(f"{total:,} bytes when unpacked")
        return total

    def _count(self, what: str) -> int:
        count = self._ints(1)[0]
        if count < 0 or count > self._size:
            raise _ImpossibleError(f"its dictionary says {count} {what}")
        return count

    def _ints(self, n: int) -> tuple[int, ...]:
        return struct.unpack(f"{self._order}{n}i", self._bytes(4 * n))

    def _longs(self, n: int) -> tuple[int, ...]:
        return struct.unpack(f"{self._order}{n}q", self._bytes(8 * n))

    def _bytes(self, n: int) -> bytes:
        if self._file.tell() + n > self._size:
            raise _ImpossibleError("its dictionary goes on behind its end: it may be cut short")
        return self._file.read(n)

    def _skip(self, n: int) -> None:
        if self._file.tell() + n > self._size:
            raise _ImpossibleError("its dictionary goes on behind its end: it may be cut short")
        self._file.seek(n, 1)
