"""Delimited text: bytes -> records. Owns encoding, separator, and the quotes that swallow rows.

Every record keeps the line it starts on. Nothing here knows what a header or an answer is.
"""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from charset_normalizer import from_bytes

from psychoseg.errors import DataError, StudyError, tell

__all__ = ["decode", "read_records"]

SEPARATORS = {"comma": ",", "semicolon": ";", "tab": "\t", "pipe": "|"}
_SEPARATOR_NAMES = {v: k for k, v in SEPARATORS.items()} | {" ": "space"}
#: Records looked at to find the separator.
SNIFFED_RECORDS = 100
#: From this many columns on, one line inside a quoted answer that looks exactly like a row is proof
#: enough: prose rarely has just as many separators, none of them followed by a space. Below, every
#: line must look so.
TELLING_COLUMNS = 4

#: What a file that is not UTF-8 may be where its letters come in long runs of high bytes, as in
#: Cyrillic or Kanji.
FOREIGN_ENCODINGS = [
    "cp1251",
    "koi8_r",
    "cp1253",
    "cp1255",
    "cp1256",
    "cp932",
    "euc_jp",
    "gb18030",
    "big5",
    "cp949",
]
#: Share of high bytes in runs of three or more above which a text is not in the Latin alphabet:
#: accented letters stand alone or in pairs (at most a third did not in German and Polish test
#: phrases; 0.94 and more in Russian, Greek, Japanese, Chinese and Korean ones).
FOREIGN_SHARE = 0.5
#: charset-normalizer's own threshold for having recognised a language (its language_threshold).
SURE_COHERENCE = 0.2

_NOT_ASCII = re.compile(rb"[\x80-\xff]")
#: A letter of several bytes in UTF-8.
_MULTIBYTE = re.compile(
    rb"[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}"
)
#: What a letter of two or three bytes becomes where UTF-8 is taken for cp1252 and saved again.
_SAVED_TWICE = re.compile("[Â-ß][\x80-¿€-™]|[à-ï][\x80-¿€-™Œ-ſƒˆ˜–-…]{2}|[Â-ß][Œ-ſƒˆ˜–-…]")

_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_NOT_TEXT = (
    (b"PK\x03\x04", "an Excel workbook (or another zip file)", "Give it the ending .xlsx"),
    (
        b"\xd0\xcf\x11\xe0",
        "an old Excel workbook or a password-protected one",
        "Save it as .xlsx or CSV",
    ),
    (b"$FL2", "an SPSS file", "Give it the ending .sav"),
    (b"$FL3", "a compressed SPSS file", "Give it the ending .zsav"),
    (b"%PDF", "a PDF", "Export the answers as CSV"),
    (b"\x1f\x8b", "a gzip file", "Unpack it first"),
)

#: The first line by which Excel is told the separator.
_SEP_LINE = re.compile(r'"?sep=(?P<mark>[,;|\t])"?', re.IGNORECASE)

#: Codecs that Python has for other things than files of text.
_NOT_OF_FILES = {"idna", "punycode", "raw_unicode_escape", "undefined", "unicode_escape"}


def read_records(
    path: Path,
    *,
    separator: str,
    encoding: str,
    decimal: Literal[".", ","] = ".",
    skip_rows: int = 0,
) -> tuple[list[list[str]], list[int]]:
    """Read a delimited text file into records of cells.

    Parameters
    ----------
    path : Path
    separator : str
        ``"auto"``, one character, or its name (comma, semicolon, tab, pipe).
    encoding : str
        ``"auto"`` or a name Python knows.
    decimal : {".", ","}
        A decimal comma makes the comma the last choice for a separator.
    skip_rows : int
        Lines at the top that are passed over. A first line ``sep=;``, which Excel understands and
        writes, is passed over too, and names the separator where the study does not.

    Returns
    -------
    records : list of list of str
        As written, untrimmed. Blank lines are left out; records may differ in length.
    lines : list of int
        The line each record starts on, from 1.

    Raises
    ------
    DataError
        Where the file is empty, is no text, does not fit its encoding, or a quote swallows rows.
    StudyError
        Where the declared separator or encoding is none.
    """
    text = decode(path.read_bytes(), path, encoding)
    lines = list(io.StringIO(text, newline=""))
    declared = _SEP_LINE.fullmatch(lines[0].strip()) if lines else None
    if declared is not None:
        separator = declared["mark"] if separator == "auto" else separator
        skip_rows = max(skip_rows, 1)
    lines = lines[skip_rows:]
    if not any(line.strip() for line in lines):
        rest = f" below its first {skip_rows} lines" if skip_rows else ""
        raise DataError(f"{path} is empty{rest}. Export it again.")
    mark = _separator(lines, path, separator, decimal)
    records, starts = _records(lines, mark, path, skip_rows)
    return records, [start + skip_rows for start in starts]


def decode(data: bytes, path: Path, encoding: str = "auto") -> str:
    """Turn bytes into text: as declared, by their byte order mark, as UTF-8, else as found.

    Raises
    ------
    DataError
        Where the declared encoding does not fit (with byte and line), or the bytes are no text.
    StudyError
        Where there is no such encoding.
    """
    for magic, what, remedy in _NOT_TEXT:
        if data.startswith(magic):
            raise DataError(f"{path} is not text but {what}. {remedy}.")
    text = _decode_found(data, path) if encoding == "auto" else _decode_as(data, path, encoding)
    if not text.isascii():
        _tell_garbled(text, path)
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        if text.count("\0") > len(text) / 4:
            raise DataError(
                f"{path} looks like UTF-16 without its mark: every other byte is zero. "
                f'Set encoding = "utf-16-le" (or "utf-16-be").'
            )
        raise DataError(
            f"{path}, line {line}: a zero byte, so the file is damaged or no text. Export it again."
        )
    return text


def _decode_found(data: bytes, path: Path) -> str:
    for mark, name in _BOMS:
        if data.startswith(mark):
            return _decode_as(data, path, name)
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        first = error.start
    if b"\0" in data or re.search(rb"[\x01-\x08\x0e-\x19\x1b-\x1f]", data):
        raise DataError(
            f"{path} is neither UTF-8 nor readable text (byte {first}, line {_line(data, first)}). "
            f"Check that it is a CSV file, or export it again as UTF-8."
        )
    mixed = _decode_mixed(data, path)
    if mixed is not None:
        return mixed
    name, maybe = ("cp1252", "") if _is_latin(data) else _foreign(data)
    found = _decode_or_none(data, name) if name else None
    if found is None:
        raise DataError(
            f"{path} is not UTF-8 (byte {first}, line {_line(data, first)}: 0x{data[first]:02x}), "
            f"and its encoding cannot be told from its bytes{maybe}. "
            f'Set encoding, such as "cp1251" (Cyrillic), "mac-roman" or "shift-jis".'
        )
    number = _line(data, first)
    tell(
        f"{path.name} is not UTF-8 and was read as {name}: line {number} reads "
        f"“{_around(found.split(chr(10))[number - 1])}”. Where this is wrong, set encoding."
    )
    return found


def _decode_mixed(data: bytes, path: Path) -> str | None:
    """Decode a file of which some lines are UTF-8 and others are not; None where it is none.

    Files are joined from exports of different programs, and nothing inside says which line came
    from where. A text in another encoding is next to never valid UTF-8 by chance.
    """
    lines = data.splitlines(keepends=True)
    odd = [i for i, line in enumerate(lines) if _decode_or_none(line, "utf-8") is None]
    others = b"".join(lines[i] for i in odd)
    inside = sum(_MULTIBYTE.search(lines[i]) is not None for i in odd)
    whole = sum(not line.isascii() for line in lines) - len(odd)
    latin = _is_latin(_MULTIBYTE.sub(b"", others))
    if not latin and whole < len(odd):
        # Kanji and the like are valid UTF-8 in a line or two by chance.
        return None
    if not whole and not inside:
        return None
    name = "cp1252" if latin else _foreign(others)[0]
    if not name:
        return None
    decoded = [_decode_or_none(line, "utf-8") for line in lines]
    for i in odd:
        decoded[i] = _piecewise(lines[i], name) if latin else _decode_or_none(lines[i], name)
        if decoded[i] is None:
            return None
    count = f"{len(odd)} of its {len(lines)} lines {'is' if len(odd) == 1 else 'are'}"
    odd_one = _around(decoded[odd[0]] or "", _odd_letter(lines[odd[0]], name))
    tell(
        f"{path.name} mixes encodings: {count} not UTF-8 and {'was' if len(odd) == 1 else 'were'} "
        f"read as {name}, such as line {odd[0] + 1}, which reads "
        f"“{odd_one}”. Look whether it reads well; "
        "where it does not, save the file in one encoding."
    )
    return "".join(line or "" for line in decoded)


def _piecewise(line: bytes, name: str) -> str | None:
    """Decode what is UTF-8 in a line as that, and the bytes between as another encoding."""
    parts, at = [], 0
    for found in _MULTIBYTE.finditer(line):
        parts += [_decode_or_none(line[at : found.start()], name)]
        # The pattern takes in a few sequences that UTF-8 forbids.
        parts += [_decode_or_none(found.group(), "utf-8") or _decode_or_none(found.group(), name)]
        at = found.end()
    parts.append(_decode_or_none(line[at:], name))
    return None if None in parts else "".join(part or "" for part in parts)


def _around(line: str, letter: str = "") -> str:
    """Return what stands around a letter of a line, its first one beyond ASCII where not given."""
    at = next((i for i, c in enumerate(line) if (c == letter if letter else ord(c) > 127)), 0)
    return line[max(0, at - 20) : at + 12].strip()


def _odd_letter(line: bytes, name: str) -> str:
    """Return the first letter of a line that is not UTF-8."""
    odd = _NOT_ASCII.search(_MULTIBYTE.sub(b"", line))
    return (_decode_or_none(odd.group(), name) or "") if odd else ""


def _is_latin(data: bytes) -> bool:
    high = len(_NOT_ASCII.findall(data))
    in_runs = sum(len(run) for run in re.findall(rb"[\x80-\xff]{3,}", data))
    return in_runs <= FOREIGN_SHARE * high


def _tell_garbled(text: str, path: Path) -> None:
    """Warn where letters were lost or saved twice before the file came here; mends nothing."""
    lost = text.count("\N{REPLACEMENT CHARACTER}")
    if lost:
        at = text.index("\N{REPLACEMENT CHARACTER}")
        tell(
            f"{path.name} has lost {lost} letter{'s' if lost > 1 else ''} (line "
            f"{text.count(chr(10), 0, at) + 1}: “{_shown(text, at)}”): it was saved in the wrong "
            "encoding before. Export it again as UTF-8."
        )
    twice = [m for m in _SAVED_TWICE.finditer(text) if (t := _once(m.group())) and t != m.group()]
    if twice:
        first = twice[0]
        tell(
            f"{path.name} was saved twice as UTF-8, so that letters are garbled in "
            f"{len(twice)} place{'s' if len(twice) > 1 else ''}: line "
            f"{text.count(chr(10), 0, first.start()) + 1} reads “{_shown(text, first.start())}” "
            f"where {_once(first.group())!r} was meant. Answers are taken as they stand; export "
            "the file again as UTF-8."
        )


def _shown(text: str, at: int) -> str:
    start = max(text.rfind("\n", 0, at) + 1, at - 20)
    return text[start : at + 12].split("\n")[0].strip()


def _once(letters: str) -> str:
    """Return what letters were before UTF-8 was taken for cp1252 or Latin-1; "" for none."""
    for name in ("cp1252", "latin-1"):
        try:
            return letters.encode(name).decode("utf-8")
        except UnicodeError:
            continue
    return ""


def _foreign(data: bytes) -> tuple[str, str]:
    """Return the encoding a known language speaks for, or else a hint at those that would fit."""
    matches = list(from_bytes(data, cp_isolation=FOREIGN_ENCODINGS))
    if matches and matches[0].coherence >= SURE_COHERENCE:
        return matches[0].encoding, ""
    return "", f" (it may be {' or '.join(m.encoding for m in matches)})" if matches else ""


def _decode_as(data: bytes, path: Path, encoding: str) -> str:
    try:
        "a".encode(encoding)
        name = codecs.lookup(encoding).name
        if name in _NOT_OF_FILES:
            raise LookupError(name)
    except (LookupError, UnicodeError):
        raise StudyError(
            f"{path}: there is no encoding {encoding!r}. Use a name such as utf-8, cp1252, latin-1 "
            f"or utf-16, or leave encoding out to have it found."
        ) from None
    if name == "utf-8":
        name = "utf-8-sig"
    one_byte = name.startswith(("cp125", "cp437", "cp85", "iso8859", "mac", "koi8"))
    if one_byte and not data.isascii() and _decode_or_none(data, "utf-8") is not None:
        first = next(i for i, b in enumerate(data) if b > 127)
        raise DataError(
            f"{path} is declared as {encoding}, but its bytes are UTF-8 (byte {first}, line "
            f"{_line(data, first)}). "
            f'Set encoding = "utf-8", or leave it out.'
        )
    if (
        name in {"utf-16", "utf-32"}
        and b"\0" not in data
        and not data.startswith((b"\xff\xfe", b"\xfe\xff"))
    ):
        raise DataError(
            f"{path} is declared as {encoding}, but has neither its mark nor a zero byte. "
            f'Set encoding = "utf-8", or leave it out to have it found.'
        )
    try:
        return data.decode(name)
    except UnicodeDecodeError as error:
        raise DataError(
            f"{path} does not fit its encoding {encoding}: byte {error.start} (line "
            f"{_line(data, error.start)}) is "
            f"0x{data[error.start]:02x}. Set encoding to what the file was saved in, such as "
            '"cp1252", '
            f"or leave it out to have it found."
        ) from None


def _decode_or_none(data: bytes, name: str) -> str | None:
    try:
        return data.decode(name)
    except UnicodeDecodeError:
        return None


def _line(data: bytes, position: int) -> int:
    return data.count(b"\n", 0, position) + 1


def _separator(lines: Sequence[str], path: Path, declared: str, decimal: Literal[".", ","]) -> str:
    scores = {mark: _score(lines, mark) for mark in SEPARATORS.values()}
    found = [mark for mark, (share, columns) in scores.items() if columns > 1 and share > 0]
    first = max((scores[mark] for mark in found), default=(0.0, 0))
    titled = {mark: _score(lines, mark, commonest=True) for mark in SEPARATORS.values()}
    most = max((score for score in titled.values() if score[1] > 1), default=(0.0, 0))
    if most[0] >= first[0] and most[1] > first[1]:
        # The first line is a title, so that the commonest length speaks.
        scores = titled
        found = [mark for mark, (share, columns) in scores.items() if columns > 1 and share > 0]
    # A decimal comma makes every row look divided at its commas.
    found.sort(key=lambda mark: (mark == "," and decimal == ",", *(-s for s in scores[mark])))
    best = found[0] if found else None
    if declared == "auto":
        return best or ","
    mark = SEPARATORS.get(declared, declared)
    if len(mark) != 1 or mark in '"\r\n':
        raise StudyError(
            f"{path}: separator = {declared!r} is not one character. Use one, or comma, semicolon, "
            "tab or pipe."
        )
    if best is not None and best != mark and mark not in lines[0]:
        raise DataError(
            f"{path}: separator = {declared!r} does not occur in the first line, which a "
            f"{_SEPARATOR_NAMES[best]} divides into {scores[best][1]} columns. "
            f'Set separator = "{_SEPARATOR_NAMES[best]}", or leave it out.'
        )
    return mark


def _score(lines: Sequence[str], mark: str, *, commonest: bool = False) -> tuple[float, int]:
    """Return the share of records as long as the first (or most) of them, and how many cells."""
    reader = csv.reader(lines, delimiter=mark)
    lengths: list[int] = []
    try:
        for record in reader:
            if record:
                lengths.append(len(record))
            if len(lengths) > SNIFFED_RECORDS:
                break
    except csv.Error:
        return 0.0, 0
    if not lengths:
        return 0.0, 0
    if commonest:
        columns, same = max(Counter(lengths).items(), key=lambda met: (met[1], met[0]))
        return same / len(lengths), columns
    same = sum(length == lengths[0] for length in lengths[1:])
    return (same / (len(lengths) - 1) if len(lengths) > 1 else 1.0), lengths[0]


def _records(
    lines: Sequence[str], mark: str, path: Path, above: int
) -> tuple[list[list[str]], list[int]]:
    """Return the records and their lines; ``above`` lines were passed over before the first."""
    spaced = f'{mark} "' in lines[0]
    reader = csv.reader(lines, delimiter=mark, strict=True, skipinitialspace=spaced)
    records: list[list[str]] = []
    starts: list[int] = []
    start = 1
    while True:
        try:
            record = next(reader)
        except StopIteration:
            return records, starts
        except csv.Error as error:
            end = max(reader.line_num, start)
            raise DataError(_quote_error(lines, start, end, str(error), path, above)) from None
        if len(record) > 1 or "".join(record).strip():
            records.append(record)
            starts.append(start)
        if reader.line_num > start:
            span = lines[start - 1 : reader.line_num]
            if _swallows_rows(span, mark, len(records[0])):
                raise DataError(
                    f"{path}, line {start + above}: a stray quote opens here and closes in line "
                    f"{reader.line_num + above}, so that "
                    "what lies between, whole rows by the look of it, would be read as one "
                    f"answer. Remove the quote or double it, or export the file again."
                )
        start = reader.line_num + 1


def _quote_error(
    lines: Sequence[str], start: int, end: int, message: str, path: Path, above: int
) -> str:
    opened = start
    is_open = False
    for number in range(start, end + 1):
        if lines[number - 1].count('"') % 2:
            is_open = not is_open
            opened = number if is_open else opened
    opened, end = opened + above, end + above
    remedy = "Remove the quote or double it, or export the file again."
    if "unexpected end" in message:
        return f"{path}, line {opened}: a quote opens here and never closes. {remedy}"
    if "field limit" in message:
        return (
            f"{path}, line {opened}: a quote opens here and has not closed after "
            f"{csv.field_size_limit():,} characters. {remedy}"
        )
    if opened != end:
        return (
            f"{path}, line {end}: text follows the quote that closes a cell opened in line "
            f"{opened}. {remedy}"
        )
    return f"{path}, line {end}: a stray quote: text follows the quote that closes a cell. {remedy}"


def _swallows_rows(span: Sequence[str], mark: str, columns: int) -> bool:
    """Tell whether a record of several lines is several rows that a stray quote runs together.

    The evidence is a line wholly inside the quotes, or all lines of the record with the quotes
    taken as letters, that divide into as many cells as the header has.
    """
    if columns < 2:
        return False
    row_like = [_looks_like_row(line, mark, columns) for line in span]
    if columns < TELLING_COLUMNS:
        # Two columns are two pieces of any line with one comma: ask for several lines, each of them
        # like a row.
        return len(span) >= TELLING_COLUMNS and all(row_like)
    inside = ['"' not in line.replace('""', "") for line in span]
    return all(row_like) or any(r and i for r, i in zip(row_like, inside, strict=True))


def _looks_like_row(line: str, mark: str, columns: int) -> bool:
    pieces = line.rstrip("\r\n").split(mark)
    if len(pieces) != columns:
        return False
    # In prose a comma is followed by a space; between the cells of a row it is not.
    return 2 * sum(piece.startswith(" ") for piece in pieces[1:]) < columns - 1
