"""XML inside a zip, read piece by piece and within bounds; never what it means.

A file of a megabyte can unpack to a gigabyte, declare entities that grow without end, or hold one
tag of 250 MB. Whatever is larger than a workbook of answers is refused before it is unpacked, and
what is read never stands in memory as a whole.
"""

from __future__ import annotations

import re
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from xml.parsers import expat

from psychoseg.survey.grid import Unreadable

__all__ = ["LocalNames", "Parts", "open_parts", "parse"]

#: Uncompressed XML above which a part is refused. Our own choice: room for ten million cells, below
#: the sheet of 300 MB that a file of 1.3 MB was seen to unpack to.
MAX_XML_BYTES = 256 * 1024**2
#: How many times its packed size a large part may unpack to. Deflate ends at 1032; sheets of
#: surveys were seen at 10 to 60.
MAX_RATIO, LARGE = 300, 16 * 1024**2
#: Bytes of one tag with its attributes: a formula has 8,192 characters at the most.
MAX_TAG = 1024**2
_CHUNK = 256 * 1024
_KNOWN_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)

Start = Callable[[str, Mapping[str, str]], None]


class LocalNames(dict[str, str]):
    """Names of elements without their prefix: some programs write ``x:row`` for ``row``."""

    def __missing__(self, name: str) -> str:
        local = self[name] = name.rpartition(":")[2]
        return local


class Parts:
    """The parts of a zip by name, whatever the case of its letters."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._archive = archive
        self._names = {_plain(i.filename): i for i in archive.infolist()}

    def __contains__(self, name: str) -> bool:
        return _plain(name) in self._names

    def chunks(self, name: str) -> Iterator[bytes]:
        """Yield a part piece by piece.

        Raises
        ------
        Unreadable
            Where it is missing, encrypted, damaged or too large.
        """
        info = self._names.get(_plain(name))
        if info is None:
            raise Unreadable(f"lacks its part {name}. Save it again from Excel or LibreOffice")
        if info.flag_bits & 1:
            raise Unreadable("is protected by a password. Save it without one")
        _check_size(info)
        try:
            with self._archive.open(info) as part:
                while chunk := part.read(_CHUNK):
                    yield chunk
        except (zipfile.BadZipFile, zlib.error, EOFError, ValueError, NotImplementedError) as error:
            raise Unreadable(
                f"is damaged in its part {name} ({error}). Save it again from Excel or LibreOffice"
            ) from None

    def start(self, name: str) -> bytes:
        """Return the beginning of a part; nothing where it is not there or cannot be read."""
        try:
            return next(self.chunks(name), b"") if name in self else b""
        except Unreadable:
            return b""


@contextmanager
def open_parts(path: Path) -> Iterator[Parts]:
    """Open a zip; an Unreadable where it is none."""
    try:
        archive = zipfile.ZipFile(path)
    except (zipfile.BadZipFile, ValueError, NotImplementedError, EOFError):
        raise Unreadable("is no workbook, or is damaged. Save it as .xlsx") from None
    with archive:
        yield Parts(archive)


def parse(
    chunks: Iterator[bytes],
    name: str,
    *,
    start: Start,
    end: Callable[[str], None] | None = None,
    text: Callable[[str], None] | None = None,
) -> None:
    """Read XML, calling back at each element and text.

    Parameters
    ----------
    chunks : iterator of bytes
    name : str
        Of the part, for the error.
    start, end, text : callable
        Given name and attributes, the name, and a text, which may come in pieces.

    Raises
    ------
    Unreadable
        Where it is no XML, declares a document type (which entities need), or holds one tag larger
        than ``MAX_TAG``.
    """
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.CharacterDataHandler = text
    parser.StartDoctypeDeclHandler = _no_doctype
    fed = 0
    try:
        for chunk in chunks:
            parser.Parse(chunk, False)
            fed += len(chunk)
            if fed - parser.CurrentByteIndex > MAX_TAG + _CHUNK:
                raise Unreadable(
                    f"holds one tag of more than {MAX_TAG // 1024**2} MB in its part {name}. Save "
                    "it again from Excel or LibreOffice"
                )
        parser.Parse(b"", True)
    except (expat.ExpatError, LookupError, UnicodeError, ValueError) as error:
        raise Unreadable(
            f"is damaged in its part {name} ({error}). Save it again from Excel or LibreOffice"
        ) from None


def _check_size(info: zipfile.ZipInfo) -> None:
    if info.compress_type not in _KNOWN_METHODS:
        raise Unreadable(
            "is packed in a way that no spreadsheet program uses. Save it again from Excel or "
            "LibreOffice"
        )
    size = info.file_size
    if size > MAX_XML_BYTES:
        raise Unreadable(
            f"unpacks to {size / 1024**2:,.0f} MB, above the limit of "
            f"{MAX_XML_BYTES / 1024**2:,.0f} MB. Save the sheet as CSV"
        )
    if size > LARGE and size > MAX_RATIO * max(info.compress_size, 1):
        raise Unreadable(
            f"unpacks to {size / max(info.compress_size, 1):,.0f} times its size, which no "
            "workbook of answers does. Save the sheet as CSV"
        )


def _plain(name: str) -> str:
    return re.sub(r"^/", "", name.replace("\\", "/")).casefold()


def _no_doctype(*_: object) -> None:
    raise Unreadable(
        "declares a document type, which no spreadsheet program writes. Save it again from Excel "
        "or LibreOffice"
    )
