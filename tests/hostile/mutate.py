"""Files that are broken or built to do harm, each from a number: the same number, the same file."""

import io
import random
import struct
import zipfile
from collections.abc import Callable

#: Texts on which a careless regular expression or parser runs for minutes.
WILD = [
    "1" * 400,
    "9" * 100_000,
    "a" * 100_000,
    " " * 100_000,
    "-" * 100_000 + "x",
    "(" * 50_000 + ")" * 50_000,
    "1." * 50_000,
    "1,000" * 20_000,
    "a@" * 50_000,
    "a.b" * 33_000 + "@",
    "/" * 100_000,
    "1-" * 50_000,
    "a b " * 25_000,
    "0" * 50_000 + "e" + "9" * 400,
    "[" * 100_000,
    '"' * 99_999,
    "\u0301" * 100_000,
    "é" * 50_000 + "\ufeff",
    "1:" * 50_000,
    "+49 " * 25_000,
]
#: Numbers that no survey holds.
EXTREME = ["1e308", "-1e308", "1e-320", "5e-324", "1e999", "nan", "inf", "-inf", "9" * 400, "1e15"]
EXTREME += [
    "-0",
    "0x1F",
    "1_000",
    "١٢",
    "99999999999999999999",
    "1e-5",
    "NaN",
    "#N/A",
    "=1+1",
    "\x00",
]

Mutation = Callable[[random.Random, bytes], bytes]


def mutated(number: int, seeds: dict[str, bytes]) -> tuple[str, bytes]:
    """Return the ending and the bytes of file ``number``."""
    rng = random.Random(number)
    endings = sorted(seeds)
    ending = endings[number % len(endings)]
    own = ATTACKS[ending]
    attack = _bytes if number // len(endings) % 3 == 0 else rng.choice(own)
    return ending, attack(rng, seeds[ending])


def _bytes(rng: random.Random, content: bytes) -> bytes:
    out = bytearray(content)
    for _ in range(rng.choice([1, 3, 10, 40])):
        at = rng.randrange(len(out))
        kind = rng.randrange(4)
        if kind < 2:
            out[at] = rng.randrange(256)
        elif kind == 2:
            del out[at : at + rng.randrange(1, 30)]
        else:
            out[at:at] = rng.randbytes(rng.randrange(1, 30))
        if not out:
            return b""
    return bytes(out)


def _cut(rng: random.Random, content: bytes) -> bytes:
    return content[: rng.randrange(len(content))]


def _doubled(rng: random.Random, content: bytes) -> bytes:
    at = rng.randrange(len(content))
    return content[:at] + content * rng.randrange(1, 4)


def _whole_number(rng: random.Random, content: bytes) -> bytes:
    """Put a count that cannot be where one may stand."""
    at = rng.randrange(0, max(len(content) - 4, 4)) // 4 * 4
    value = rng.choice([-1, 2**31 - 1, -(2**31), 10**9, 65_535, 0, 255])
    return content[:at] + struct.pack("<i", value) + content[at + 4 :]


def _head_number(rng: random.Random, content: bytes) -> bytes:
    return _whole_number(rng, content[:600]) + content[600:]


def _double(rng: random.Random, content: bytes) -> bytes:
    at = rng.randrange(0, max(len(content) - 8, 8)) // 8 * 8
    value = rng.choice([float("nan"), float("inf"), 1e308, 5e-324, -1e300])
    return content[:at] + struct.pack("<d", value) + content[at + 8 :]


def _cells(rng: random.Random, content: bytes) -> bytes:
    """Put odd values into a column of a text file, or into single cells."""
    sep = b"\t" if b"\t" in content[:40] else b","
    lines = [line.split(sep) for line in content.split(b"\n")]
    column = rng.randrange(11)
    value = rng.choice(EXTREME if rng.random() < 0.6 else WILD).encode()
    share = rng.choice([0.03, 0.3, 1.0])
    for row in lines[0 if rng.random() < 0.2 else 1 :]:
        if len(row) > column and rng.random() < share and len(value) * share < 50_000:
            row[column] = value
    return b"\n".join(sep.join(row) for row in lines)


def _one_wild_cell(rng: random.Random, content: bytes) -> bytes:
    sep = b"\t" if b"\t" in content[:40] else b","
    lines = [line.split(sep) for line in content.split(b"\n")]
    row = rng.choice([lines[0], lines[0], *lines[1:3]])
    row[rng.randrange(len(row))] = rng.choice(WILD).encode()
    return b"\n".join(sep.join(row) for row in lines)


def _odd_text(rng: random.Random, content: bytes) -> bytes:
    return rng.choice(
        [
            b"",
            b"\n" * 5000,
            b"," * 100_000,
            b'"',
            content.replace(b",", b""),
            content.replace(b"\n", b"\r"),
            content.decode().encode("utf-16"),
            content.split(b"\n")[0],
            b"\x00" * 10_000,
            b"\xff\xfe" + content,
            b"sep=;\n" + content,
            (b"a," * 20_000 + b"a\n") * 3,
            (",".join(f"c{i}" for i in range(2_000)) + "\n" + "1," * 1_999 + "1\n").encode(),
            rng.choice(WILD).encode(),
            b"q\n" + b"1\n" * 50_000,
            b'id,q1\n"' + b"x\n" * 100_000,
        ]
    )


def _parts(content: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def _zipped(parts: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, part in parts.items():
            archive.writestr(name, part)
    return out.getvalue()


def _part(rng: random.Random, content: bytes) -> bytes:
    """Take a part away, empty it, or put something else there."""
    parts = _parts(content)
    name = rng.choice(sorted(parts))
    bomb = b'<!DOCTYPE a [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;&a;">]><a>&b;</a>'
    new = rng.choice(
        [None, b"", b"no xml", b"<a>", bomb, rng.randbytes(300), b"<a/>", b"<" + b"a" * 3_000_000]
    )
    if new is None:
        del parts[name]
    else:
        parts[name] = new
    return _zipped(parts)


def _part_bytes(rng: random.Random, content: bytes) -> bytes:
    parts = _parts(content)
    name = rng.choice(sorted(n for n in parts if parts[n]))
    parts[name] = _bytes(rng, parts[name])
    return _zipped(parts)


def _xml(rng: random.Random, content: bytes) -> bytes:
    """Change what the XML of a workbook says."""
    parts = _parts(content)
    old, new = rng.choice(
        [
            (b' r="2"', b' r="999999999"'),
            (b' r="B2"', b' r="XFD1048576"'),
            (b' r="B2"', b' r="ZZZZZZ2"'),
            (b' r="B2"', b' r="' + b"A" * 3_000_000 + b'"'),
            (b"<v>3</v>", b"<v>" + b"9" * 400 + b"</v>"),
            (b"<v>3</v>", b"<v>1e308</v>"),
            (b"<v>3</v>", b"<v>nan</v>"),
            (b' t="s"', b' t="zz"'),
            (b' t="n"', b' t="s"'),
            (b' t="n"', b' t="e"'),
            (b' t="n"', b' t="d"'),
            (b' t="n"', b' s="99999999999"'),
            (b"<v>", b"<f>1+1</f><v>"),
            (b'name="Sheet"', b'name=""'),
            (b'name="Sheet"', b'name="notes"'),
            (b'name="Sheet"', b'name="Sheet" state="hidden"'),
            (b"worksheet+xml", b"chartsheet+xml"),
            (b"relationships/worksheet", b"relationships/chartsheet"),
            (b"/xl/worksheets/sheet1.xml", b"../../../etc/passwd"),
            (b"UTF-8", b"UTF-99"),
            (b"</sheetData>", b"<row/>" * 3_000_000 + b"</sheetData>"),
            (b"</sheetData>", b"<row>" * 20_000 + b"</row>" * 20_000 + b"</sheetData>"),
            (b"<t>q1</t>", b"<t>" + rng.choice(WILD).replace('"', "").encode() + b"</t>"),
            (b"<t>none</t>", b"<t>" + rng.choice(WILD).encode() + b"</t>"),
            (b'value="3"', b'value="1e308"'),
            (b'value="3"', b'value="' + b"9" * 400 + b'"'),
            (b"<table:table-row>", b'<table:table-row table:number-rows-repeated="999999999">'),
            (b"<table:table-row>", b'<table:table-row table:number-rows-repeated="1000000">'),
            (
                b'value-type="float"',
                b'table:number-columns-repeated="999999" office:value-type="float"',
            ),
            (b'value-type="float"', b'value-type="date" office:date-value="x"'),
            (b'value-type="float"', b'value-type="time" office:time-value="PT9999999H61M61S"'),
            (b"</table:table>", b"<table:table>" * 9_000 + b"</table:table>" * 9_001),
            (b"<text:p>", b'<text:p><text:s text:c="999999999"/>'),
        ]
    )
    times = rng.choice([1, 1, -1])
    return _zipped({name: part.replace(old, new, times) for name, part in parts.items()})


def _locked(rng: random.Random, content: bytes) -> bytes:
    """Say of a zip that it is encrypted, or packed in another way."""
    out = bytearray(content)
    at = out.rfind(b"PK\x01\x02") if rng.random() < 0.5 else out.find(b"PK\x01\x02")
    offset, values = rng.choice([(8, [1]), (10, [12, 14, 99, 1]), (24, [0, 2**16, 2**32 - 1])])
    out[at + offset : at + offset + 2] = struct.pack("<I", rng.choice(values))[:2]
    return bytes(out)


def _other_kind(rng: random.Random, content: bytes) -> bytes:
    return rng.choice(
        [
            b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
            + bytes(504)
            + "EncryptedPackage".encode("utf-16-le"),
            b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + rng.randbytes(5000),
            b"PK\x05\x06" + bytes(18),
            b"PK" + rng.randbytes(3000),
            b"<html><table></table></html>",
            b"id,q1\n1,2\n",
            b"\x09\x08" + rng.randbytes(2000),
            b"$FL2" + rng.randbytes(3000),
            b"",
            _zipped({"xl/workbook.bin": b"x", "_rels/.rels": b"<a/>"}),
        ]
    )


def _setting(rng: random.Random, content: bytes) -> bytes:
    """Put odd values behind the settings of a study."""
    lines = content.split(b"\n")
    at = rng.choice([i for i, line in enumerate(lines) if b" = " in line])
    name = lines[at].split(b" = ")[0]
    value = rng.choice(
        [
            b"9" * 400,
            b"-1",
            b"1e308",
            b"nan",
            b"inf",
            b'""',
            b"[]",
            b"{}",
            b"true",
            b'"' + rng.choice(WILD).replace('"', "").encode() + b'"',
            b"[" * 5000 + b"]" * 5000,
            b"[1e308, -1e308]",
            b"[nan, inf]",
            b"2024-01-01",
            b'["q1:q999999999"]',
            b'"../../../etc/passwd"',
            b'"\\u0000"',
            b"[5, 1]",
            b"a.b.c",
        ]
    )
    lines[at] = name + b" = " + value
    return b"\n".join(lines)


_TEXT: list[Mutation] = [_cells, _cells, _one_wild_cell, _odd_text, _cut, _doubled]
_ZIP: list[Mutation] = [_part, _part, _part_bytes, _xml, _xml, _xml, _locked, _other_kind, _cut]
_BINARY: list[Mutation] = [_whole_number, _head_number, _head_number, _double, _cut, _other_kind]
ATTACKS: dict[str, list[Mutation]] = {
    "csv": _TEXT,
    "tsv": _TEXT,
    "xlsx": _ZIP,
    "ods": _ZIP,
    "xls": [*_BINARY, _bytes],
    "sav": _BINARY,
    "zsav": _BINARY,
    "por": [_bytes, _cut, _doubled, _other_kind],
    "toml": [_setting, _setting, _setting, _cut, _doubled],
}
