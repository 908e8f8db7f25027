"""A study file that is no TOML -> what slipped, in plain words, with the line shown.

Knows no setting: what is said goes by the signs on the line alone.
"""

from __future__ import annotations

import re

__all__ = ["describe_slip"]

_PLACE = re.compile(r"\(at (?:line (\d+), column (\d+)|end of document)\)$")
_KEY = r'\s*(?:[A-Za-z0-9_-]+|"[^"]*"|\'[^\']*\')(?:\s*\.\s*(?:[A-Za-z0-9_-]+|"[^"]*"))*\s*'
#: What people write for a number, a truth or nothing, as a whole value.
_DECIMAL_COMMA = re.compile(r"[+-]?\d+,\d+")
_BARE_POINT = re.compile(r"[+-]?(\d*)\.(\d*)")
_LEADING_ZERO = re.compile(r"[+-]?0+(\d+)")
_PER_CENT = re.compile(r"([+-]?\d+(?:[.,]\d+)?)\s*%")
_TRUTHS = {"true": "true", "yes": "true", "on": "true", "wahr": "true", "ja": "true"}
_TRUTHS |= {"false": "false", "no": "false", "off": "false", "falsch": "false", "nein": "false"}
_NOTHING = {"none", "null", "na", "nan", "nil"}
_CURLY = "“”„‟«»‘’‚"
_SHOWN = 100


def describe_slip(text: str, message: str) -> str:
    """Say what is wrong with a TOML text and what to write instead.

    Parameters
    ----------
    text : str
        The file.
    message : str
        What ``tomllib`` says of it, with the place at its end.

    Returns
    -------
    str
        ``line 3: a quotation mark is missing at the end.`` and, indented below, the line itself.
    """
    lines = text.splitlines() or [""]
    found = _PLACE.search(message)
    number = int(found.group(1)) if found and found.group(1) else len(lines)
    number = min(max(number, 1), len(lines))
    if "Unclosed array" in message or not found or not found.group(1):
        number = _opened(lines, number)
    line = lines[number - 1]
    what = _slip(line, message)
    if not what:
        what = f"this is not TOML ({_PLACE.sub('', message).strip().rstrip('.')})"
    shown = line.strip()
    shown = shown if len(shown) <= _SHOWN else f"{shown[:_SHOWN]}..."
    shown = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in shown)
    return f"line {number}: {what}.\n    {shown}"


def _slip(line: str, message: str) -> str:
    """Return what a line's signs give away, "" where they do not."""
    if any(mark in line.split("#")[0] for mark in _CURLY) and '"' not in line.split("#")[0]:
        return 'curly quotation marks: write straight ones, "like this"'
    if "\\" in line and ("Unescaped" in message or "hex" in message or "escape" in message):
        return "a backslash inside quotes: use / in paths, as in data/answers.csv"
    bare = _without_comment(line).strip()
    if bare.startswith(("//", ";", "--")):
        return "a comment begins with #"
    if bare.startswith("["):
        return _of_header(bare, message)
    if "Cannot overwrite" in message or "duplicate" in message.lower():
        return f"{bare.partition('=')[0].strip()} stands twice in its group: keep one of them"
    key, sign, value = bare.partition("=")
    if not sign:
        return _without_sign(bare)
    if not re.fullmatch(_KEY, key):
        name = key.strip().strip('"')
        return f'a name with other signs than A to Z, 0 to 9, _ and - goes into quotes: "{name}"'
    return _of_value(value.strip())


def _of_header(bare: str, message: str) -> str:
    name = bare.strip("[] ")
    double = bare.startswith("[[")
    if bare.count("[") != bare.count("]"):
        right = f"[[{name}]]" if double else f"[{name}]"
        return f"the brackets of a group are not closed: write {right}"
    if "twice" in message or "declare" in message or "Cannot" in message:
        if double:
            return f"{name} is a group of its own above and a list of groups here: write one way"
        return (
            f"the group [{name}] stands twice: put its settings together (a list of groups has "
            f"two brackets: [[{name}]])"
        )
    return ""


def _without_sign(bare: str) -> str:
    colon = re.match(rf"({_KEY}):(?!\s*$)", bare)
    if colon:
        right = f"{colon.group(1).strip()} = {bare[colon.end() :].strip()}"
        return f"between a name and its value stands =, not a colon: {right}"
    named = re.match(r'([\w-]+)\s+(["\'\[{\d].*)', bare)
    if named:
        return f"= is missing: {named.group(1)} = {named.group(2)}"
    return "a line is a [group], a setting (name = value), or a comment that begins with #"


def _of_value(value: str) -> str:
    if not value:
        return "the value is missing: write one behind =, or put # before the line"
    if value[0] in "\"'" and not _is_closed(value):
        inside = value.count(value[0]) > 1
        return (
            "a quotation mark inside quotes: use ' for one of the two kinds"
            if inside
            else "a quotation mark is missing at the end"
        )
    word = value.rstrip(",; ")
    if _DECIMAL_COMMA.fullmatch(word):
        return f"a decimal comma: write {word.replace(',', '.')}"
    per_cent = _PER_CENT.fullmatch(word)
    if per_cent:
        share = float(per_cent.group(1).replace(",", ".")) / 100
        return f"a per cent sign: write the share, {share:g}"
    point = _BARE_POINT.fullmatch(word)
    if point and word not in ".":
        return f"a number needs digits on both sides of its point: write {_pointed(word)}"
    zero = _LEADING_ZERO.fullmatch(word)
    if zero:
        return f"a number begins with no 0: write {zero.group(1)}"
    if word.casefold() in _TRUTHS:
        return f"write {_TRUTHS[word.casefold()]} in small letters, without quotes"
    if word.casefold() in _NOTHING:
        return "there is no word for nothing: take the line out, and the default counts"
    if value[0] == "[":
        return 'a list has commas between its entries and ends with ]: ["a", "b"]'
    if value[0] == "{":
        return 'a table on one line looks like { "a" = 1, "b" = 2 }'
    if re.match(r"[^\W\d]", value):
        return f'text stands in quotes: "{word}"'
    if value[0].isdigit():
        return f'a number stands alone; text stands in quotes: "{word}"'
    return ""


def _pointed(word: str) -> str:
    sign = word[0] if word[0] in "+-" else ""
    before, _, after = word.lstrip("+-").partition(".")
    return f"{sign}{before or '0'}.{after or '0'}"


def _is_closed(value: str) -> bool:
    """Tell whether a quoted text ends with its own quotation mark, and nothing stands behind."""
    mark = value[0]
    pattern = r'"(?:[^"\\]|\\.)*"' if mark == '"' else r"'[^']*'"
    return re.fullmatch(pattern, value) is not None


def _without_comment(line: str) -> str:
    """Return a line without its comment; a # inside quotes is none."""
    return line[: _read(line)[0]]


def _read(line: str) -> tuple[int, str, int]:
    """Return where a line's comment begins, and which quotation mark and brackets stay open."""
    mark, depth = "", 0
    for i, sign in enumerate(line):
        if mark:
            mark = "" if sign == mark else mark
        elif sign in "\"'":
            mark = sign
        elif sign == "#":
            return i, mark, depth
        else:
            depth += (sign in "[{") - (sign in "]}")
    return len(line), mark, depth


def _opened(lines: list[str], last: int) -> int:
    """Return the line that opens what is not closed: a quotation mark, or else a bracket."""
    for number, line in enumerate(lines[:last], start=1):
        if _read(line)[1]:
            return number
    depth = 0
    for number in range(last, 0, -1):
        depth += _read(lines[number - 1])[2]
        if depth > 0:
            return number
    return last
