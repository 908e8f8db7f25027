"""How the numbers of one column are written: read by a format, and found out from the answers.

Owns groups of three digits, decimal signs, and the currencies and per cents beside numbers. A
format is shown by an example (``"1.234,5"``) and holds for one column, never for a whole file.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Literal, get_args

from psychoseg.study import NumberFormat

__all__ = ["FORMATS", "NumberGuess", "guess_numbers", "may_be_groups", "parse_written"]

FORMATS: tuple[NumberFormat, ...] = get_args(NumberFormat)
#: Group sign and decimal sign of each format.
_SIGNS: dict[NumberFormat, tuple[str, str]] = {
    "1234.5": ("", "."),
    "1234,5": ("", ","),
    "1,234.5": (",", "."),
    "1.234,5": (".", ","),
    "1 234.5": (" ", "."),
    "1 234,5": (" ", ","),
    "1'234.5": ("'", "."),
    "1'234,5": ("'", ","),
    "1,23,456.7": (",", "."),
}
_OF_SIGNS: dict[tuple[str, str], NumberFormat] = {
    signs: name for name, signs in _SIGNS.items() if name != "1,23,456.7"
}
#: Spaces and apostrophes that group digits, besides the plain ones.
_SAME_SIGN = str.maketrans(
    {
        "\N{NO-BREAK SPACE}": " ",
        "\N{NARROW NO-BREAK SPACE}": " ",
        "\N{THIN SPACE}": " ",
        "\N{FIGURE SPACE}": " ",
        "\N{RIGHT SINGLE QUOTATION MARK}": "'",
        "\N{MODIFIER LETTER APOSTROPHE}": "'",
        "\N{MINUS SIGN}": "-",
        "\N{EN DASH}": "-",
        "\N{EM DASH}": "-",
    }
)
#: What may stand beside a number, in small letters, and what it multiplies by.
_CURRENCIES = frozenset(
    {"€", "$", "£", "¥", "₹", "₽", "₺", "₩", "₪", "₴", "us$", "r$", "a$", "c$", "kr", "kr.", "zł",
     "kč", "ft", "fr", "fr.", "rs", "rs.", "chf", "eur", "usd", "gbp", "jpy", "cny", "inr", "pln",
     "czk", "sek", "nok", "dkk", "huf", "rub", "brl", "mxn", "cad", "aud", "nzd", "zar", "try",
     "euro", "euros", "dollar", "dollars"}
)  # fmt: skip
_PER_CENTS = frozenset({"%", "percent", "per cent", "prozent", "pct"})
_THOUSANDS = frozenset({"k", "tsd", "tsd."})
#: "m" may be metres, so that a million is one only beside a currency.
_MILLIONS = frozenset({"m", "mio", "mio.", "mn"})
#: Share of a column's answers that must be numbers for it to be a column of numbers.
NUMBER_SHARE = 0.9
#: Of this many signed numbers or more, so small a share of shorter decimals is a slip of the pen.
_MANY_SIGNED, _SLIP_SHARE = 20, 0.05
#: Decimals with three places end in a nought one time in ten, rounded amounts mostly.
_ROUND_SHARE = 0.3
#: Whole numbers from here on, all below a thousand, beside "2.140" are the amounts that need no
#: group sign.
_HUNDRED, _THOUSAND = 100, 1000
#: Codes of an answer scale written "1.000" go this far at most.
_MOST_STEPS = 11
#: Codes ticked in no order: what stands first stands last as well, to this share.
_SAME_CODES = 0.7
#: Different texts such as "1,4" that it takes to tell choices from decimals, listed upwards or not.
_TELLING_CHOICES, _TELLING_UNSORTED = 3, 6

_ALWAYS_WHOLE = re.compile(r"[+-]?[0-9]+")
_INDIAN = re.compile(r"[1-9][0-9]?(,[0-9]{2})+,[0-9]{3}(\.[0-9]+)?")
_EXPONENT = re.compile(r"[0-9]+(\.[0-9]*)?[eE][+-]?[0-9]+")
_CORE = re.compile(r"[.,]?[0-9].*[0-9]|[.,]?[0-9]", re.DOTALL)
_NO_CENTS = re.compile(r"[.,]-{1,2}$")
_NO_CENTS_FIRST = re.compile(r"^[.,]-{1,2}")


@dataclass(frozen=True, slots=True)
class NumberGuess:
    """How a column's numbers seem to be written.

    Attributes
    ----------
    format : str or None
        None where it holds no numbers, or several ways of writing that contradict each other.
    ask : str
        What should be looked at, a clause without a full stop; empty where the answers decide.
    units : tuple of str
        What stands beside the numbers.
    sign : {"", ".", ","}
        The decimal sign that the answers prove; empty where they prove none.
    """

    format: NumberFormat | None = None
    ask: str = ""
    units: tuple[str, ...] = ()
    sign: Literal["", ".", ","] = ""


@dataclass(frozen=True, slots=True)
class _Written:
    """A text taken apart: the digits and their signs, whether negative, and what is beside."""

    core: str
    negative: bool
    factor: float
    unit: str


def parse_written(text: str, form: NumberFormat) -> float | None:
    """Return the number a text is when it is written in a format, or None."""
    written = _take_apart(text)
    if written is None or _pattern(form).fullmatch(written.core) is None:
        return None
    group, decimal = _SIGNS[form]
    digits = written.core.replace(group, "") if group else written.core
    number = float(digits.replace(decimal, ".")) * written.factor
    if not math.isfinite(number):
        return None
    return -number if written.negative else number


def may_be_groups(texts: Sequence[str], decimal: str = ".") -> list[str]:
    """Return the texts that may be thousands as well as decimals, where nothing in them decides.

    Parameters
    ----------
    texts : sequence of str
        The different answers to a column of numbers.
    decimal : {".", ","}
        The sign that is read as the decimal one.

    Returns
    -------
    list of str
        Empty where some number proves the decimal sign, as ``0.85`` and ``1.5`` do.
    """
    group, decided = _single_group(decimal), False
    found = []
    for text in texts:
        if decimal not in text:
            continue
        core = text.lstrip("+-")
        if group.fullmatch(core):
            found.append(text)
        else:
            decided = True
    return [] if decided else found


def guess_numbers(
    counts: Mapping[str, int], *, weight: bool = False, beside: str = ""
) -> NumberGuess:
    """Find out how the numbers of a column are written.

    Parameters
    ----------
    counts : mapping of str to int
        How often each answer was given, without empty cells and texts that mean "no answer".
    weight : bool
        Whether the column is named like a survey weight, which is about one and no thousands.
    beside : {"", ".", ","}
        The decimal sign that other columns of the file prove; speaks where a column is undecided.

    Returns
    -------
    NumberGuess

    Notes
    -----
    Groups of three digits come first: ``1.234.567`` and ``1.234,5`` prove that the point groups,
    ``0.85``, ``1.5`` and ``1234.567`` that it does not. Where every number has exactly three digits
    behind its one sign, whole numbers of three digits beside them (``650`` beside ``2.140``) prove
    groups; else the column is undecided, and ``ask`` says what was taken.
    """
    if all(_ALWAYS_WHOLE.fullmatch(text) for text in counts):
        return NumberGuess()
    apart = {text: _take_apart(text) for text in counts}
    written = {text: one for text, one in apart.items() if one is not None}
    total = sum(counts.values())
    if not written or sum(counts[text] for text in written) < NUMBER_SHARE * total:
        return NumberGuess()
    units = tuple(sorted({one.unit for one in written.values() if one.unit}))
    kinds = {unit for unit in units if unit.casefold() not in _THOUSANDS}
    if len(kinds) > 1:
        shown = " and ".join(repr(unit) for unit in sorted(kinds)[:3])
        return NumberGuess(ask=f"its numbers stand in different units ({shown})", units=units)
    cores = list(dict.fromkeys(one.core for one in written.values()))
    guess = _of_signs(cores, weight=weight, beside=beside)
    if guess.format is None:
        return guess
    fit = sum(counts[t] for t in written if parse_written(t, guess.format) is not None)
    if fit < NUMBER_SHARE * total:
        return NumberGuess(ask=guess.ask)
    return NumberGuess(guess.format, guess.ask, units, guess.sign)


def _of_signs(cores: Sequence[str], *, weight: bool, beside: str) -> NumberGuess:
    """Decide by the group and decimal signs among the digits of a column."""
    if not weight and _are_choices(cores):
        return NumberGuess()
    guess = _of_marks(cores, weight=weight, beside=beside)
    if guess.format == "1234,5" and not guess.ask and not weight and _are_choices(cores, 1):
        one = next(core for core in cores if "," in core)
        ask = f"{one!r} was read as {_value_text(one, '1234,5')}; it may be two choices"
        return replace(guess, ask=ask)
    return guess


def _of_marks(cores: Sequence[str], *, weight: bool, beside: str) -> NumberGuess:
    if any(_INDIAN.fullmatch(core) for core in cores):
        return NumberGuess("1,23,456.7", sign=".")
    spaced = next(
        (sign for sign in (" ", "'") if any(_grouped(sign).fullmatch(core) for core in cores)), ""
    )
    if spaced:
        comma = any("," in core for core in cores)
        point = any("." in core for core in cores)
        if comma and point:
            return NumberGuess(ask=_mixed(cores))
        decimal = "," if comma or (spaced == " " and not point) else "."
        return NumberGuess(_OF_SIGNS[spaced, decimal], sign=_proven(comma, point))
    return _of_point_and_comma(cores, weight=weight, beside=beside)


def _proven(comma: bool, point: bool) -> Literal["", ".", ","]:
    return "," if comma else "." if point else ""


def _of_point_and_comma(cores: Sequence[str], *, weight: bool, beside: str) -> NumberGuess:
    groups = {sign: [c for c in cores if _proves_group(c, sign)] for sign in ".,"}
    decimals = {sign: [c for c in cores if _proves_decimal(c, sign)] for sign in ".,"}
    either = {sign: [c for c in cores if _single_group(sign).fullmatch(c)] for sign in ".,"}
    for sign, other in ((".", ","), (",", ".")):
        if groups[sign] and (decimals[sign] or groups[other]):
            return NumberGuess(ask=_mixed([*groups[sign], *decimals[sign], *groups[other]]))
        if decimals[sign] and decimals[other]:
            return NumberGuess(ask=_mixed([decimals[sign][0], decimals[other][0]]))
    if either["."] and either[","] and not any((*groups.values(), *decimals.values())):
        return NumberGuess(ask=_mixed([either["."][0], either[","][0]]))
    for sign, other in ((".", ","), (",", ".")):
        # Beside a decimal sign that is proven, the other sign can only group, and the reverse.
        if groups[sign] or (either[sign] and decimals[other]):
            return NumberGuess(_OF_SIGNS[sign, other], sign=_literal(other))
    for sign in (".", ","):
        if decimals[sign]:
            return _decimals(sign, decimals[sign], either[sign])
        if either[sign]:
            return _undecided(sign, either[sign], cores, weight=weight, beside=beside)
    whole_alone = all(_ALWAYS_WHOLE.fullmatch(core) for core in cores)
    return NumberGuess("1234.5") if whole_alone else NumberGuess("1234.5", sign=".")


def _decimals(sign: str, proofs: Sequence[str], either: Sequence[str]) -> NumberGuess:
    form = _OF_SIGNS["", sign]
    signed = len(proofs) + len(either)
    if signed >= _MANY_SIGNED and len(proofs) <= _SLIP_SHARE * signed:
        return NumberGuess(
            form,
            f"{either[0]!r} was read as {_value_text(either[0], form)} because of {proofs[0]!r}, "
            f"but nearly all have three digits behind the sign and may be thousands",
            sign=_literal(sign),
        )
    return NumberGuess(form, sign=_literal(sign))


def _undecided(
    sign: str, either: Sequence[str], cores: Sequence[str], *, weight: bool, beside: str
) -> NumberGuess:
    """Decide where every signed number has three digits behind its one sign."""
    grouped, plain = _OF_SIGNS[sign, _other(sign)], _OF_SIGNS["", sign]
    whole = [int(core) for core in cores if _ALWAYS_WHOLE.fullmatch(core)]
    if not weight and whole and _HUNDRED <= max(whole) < _THOUSAND:
        return NumberGuess(grouped)
    ends = sum(core.endswith("0") for core in either) / len(either)
    all_round = all(core.endswith("000") for core in either)
    small = all_round and max(int(core.split(sign)[0]) for core in either) <= _MOST_STEPS
    if weight or small:
        groups = False
    elif beside:
        groups = sign != beside
    elif sign == "," or len({len(core.split(sign)[0]) for core in either}) > 1:
        groups = True
    else:
        groups = ends >= _ROUND_SHARE
    taken, left = (grouped, plain) if groups else (plain, grouped)
    one = max(either, key=lambda core: (len(core), core))
    return NumberGuess(
        taken,
        f"{one!r} was read as {_value_text(one, taken)}; it may be {_value_text(one, left)}, "
        "for every number has three digits behind its sign and nothing decides",
    )


def _are_choices(cores: Sequence[str], least: int = _TELLING_CHOICES) -> bool:
    """Tell whether "1,4" are two options ticked and no decimals.

    Parts are whole codes listed upwards, none twice, none far beyond what stands first or alone,
    and what stands behind the comma varies. Listed in no order, first and last are the same codes.
    """
    parted = [core.split(",") for core in cores if "," in core]
    if len(parted) < least:
        return False
    alone = [core for core in cores if "," not in core]
    parts = [*alone, *(part for parts in parted for part in parts)]
    if not all(part.isdecimal() and (part == "0" or part[0] != "0") for part in parts):
        return False
    if any(len(set(parts)) < len(parts) for parts in parted):
        return False
    if any(len(parts) > 2 for parts in parted):
        # 1,234,567 has three parts as well.
        return not all(len(p) == 3 for parts in parted for p in parts[1:])
    first = {int(parts[0]) for parts in parted} | {int(core) for core in alone}
    last = {int(parts[1]) for parts in parted}
    halves = last == {5} and len(parted) > 1
    if len(last) < min(2, least) or 0 in last or halves:
        return False
    if all(int(parts[0]) < int(parts[1]) for parts in parted):
        # The highest code can only stand last where codes are listed upwards.
        return max(last) <= max(first) + 1
    return len(parted) >= max(least, _TELLING_UNSORTED) and (
        len(first & last) >= _SAME_CODES * len(first | last)
    )


def _mixed(cores: Sequence[str]) -> str:
    shown = list(dict.fromkeys([min(cores), max(cores, key=len), cores[0]]))[:2]
    return f"its numbers are written in different ways ({' and '.join(map(repr, shown))})"


def _literal(sign: str) -> Literal[".", ","]:
    return "," if sign == "," else "."


def _other(sign: str) -> str:
    return "," if sign == "." else "."


def _value_text(core: str, form: NumberFormat) -> str:
    number = parse_written(core, form)
    return "no number" if number is None else f"{number:.10g}"


def _proves_group(core: str, sign: str) -> bool:
    """Tell whether a sign is there to group: it repeats, or the other sign follows."""
    return _grouped(sign).fullmatch(core) is not None and not _single_group(sign).fullmatch(core)


def _proves_decimal(core: str, sign: str) -> bool:
    if sign not in core or _single_group(sign).fullmatch(core):
        return False
    if sign == "." and _EXPONENT.fullmatch(core):
        return True
    other = _other(sign)
    return (
        _pattern(_OF_SIGNS["", sign]).fullmatch(core) is not None
        or _pattern(_OF_SIGNS[other, sign]).fullmatch(core) is not None
    )


@cache
def _single_group(sign: str) -> re.Pattern[str]:
    return re.compile(rf"[1-9][0-9]{{0,2}}{re.escape(sign)}[0-9]{{3}}")


@cache
def _grouped(sign: str) -> re.Pattern[str]:
    """Return the pattern of numbers that a sign groups, decimals behind another sign allowed."""
    decimal = "." if sign == "," else "," if sign == "." else ".,"
    return re.compile(rf"[1-9][0-9]{{0,2}}({re.escape(sign)}[0-9]{{3}})+([{decimal}][0-9]+)?")


@cache
def _pattern(form: NumberFormat) -> re.Pattern[str]:
    group, decimal = _SIGNS[form]
    point = re.escape(decimal)
    plain = rf"[0-9]+{point}?[0-9]*|{point}[0-9]+"
    if form in ("1234.5", "1234,5"):
        return re.compile(rf"({plain})([eE][+-]?[0-9]+)?")
    if form == "1,23,456.7":
        return re.compile(rf"[1-9][0-9]?(,[0-9]{{2}})*,[0-9]{{3}}({point}[0-9]+)?|{plain}")
    return re.compile(rf"[1-9][0-9]{{0,2}}({re.escape(group)}[0-9]{{3}})+({point}[0-9]+)?|{plain}")


def _take_apart(text: str) -> _Written | None:
    """Part a text into digits and what stands beside them; None where that is no unit."""
    text = text.translate(_SAME_SIGN).strip()
    bracketed = text.startswith("(") and text.endswith(")")
    if bracketed:
        text = text[1:-1].strip()
    text = _NO_CENTS.sub("", text)
    found = _CORE.search(text)
    if found is None:
        return None
    before, after = text[: found.start()].strip(), text[found.end() :].strip()
    after = _NO_CENTS_FIRST.sub("", after).strip()
    negative = bracketed
    for sign in "-+":
        if before.startswith(sign) or before.endswith(sign):
            negative = negative or sign == "-"
            before = (before[1:] if before.startswith(sign) else before[:-1]).strip()
            break
    if after.endswith("-") and not before.endswith("-"):
        # "1.200-", as accountants write it.
        negative, after = True, after[:-1].strip()
    if after == ".":
        after = ""
    beside = _unit(before, after)
    if beside is None:
        return None
    unit, factor = beside
    return _Written(found.group(), negative, factor, unit)


def _unit(before: str, after: str) -> tuple[str, float] | None:
    """Return the unit beside a number and its factor; None where a word is none."""
    words = [word for word in (before, after) if word]
    if not words:
        return "", 1.0
    factor, unit = 1.0, ""
    tokens = [t for word in words for t in _tokens(word)]
    money = any(token.casefold() in _CURRENCIES for token in tokens)
    for token in tokens:
        plain = token.casefold()
        if plain in _CURRENCIES or plain in _PER_CENTS:
            if unit:
                return None
            unit = token
        elif plain in _THOUSANDS and factor == 1.0:
            factor = 1e3
        elif plain in _MILLIONS and factor == 1.0 and (money or plain.startswith("mi")):
            factor = 1e6
        else:
            return None
    return unit, factor


def _tokens(word: str) -> list[str]:
    """Part "k€", "k €" and "Mio. EUR" into factor and unit."""
    plain = word.casefold()
    if plain in _CURRENCIES | _PER_CENTS | _THOUSANDS | _MILLIONS:
        return [word]
    for factor in sorted(_THOUSANDS | _MILLIONS, key=len, reverse=True):
        if plain.startswith(factor) and plain[len(factor) :].strip() in _CURRENCIES:
            return [word[: len(factor)], word[len(factor) :].strip()]
    return [word]
