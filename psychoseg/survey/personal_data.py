"""Personal data in open answers: found and taken out, before an answer is printed.

Finds what has a form of its own. Names and addresses have none, so whoever prints answers still
reads them first.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Literal

__all__ = ["PersonalData", "find_personal_data", "redact"]

#: What an id may stand as: a word, a word without what joins it to others, a run of letters and
#: digits.
_PIECES = (
    r"[^\s,;()\[\]<>\"]*[^\s,;()\[\]<>\".:!?]",
    r"\w+(?:[-.]\w+)*",
    r"[^\W_]+",
)

Kind = Literal["e-mail", "web address", "handle", "bank account", "card", "phone number", "id"]


@dataclass(frozen=True, slots=True)
class PersonalData:
    """A stretch of a text: ``text[start:end]``."""

    start: int
    end: int
    kind: Kind


def find_personal_data(text: str, *, ids: Collection[str] = ()) -> tuple[PersonalData, ...]:
    """Find e-mail and web addresses, handles, bank accounts, cards, phone numbers and ids.

    Parameters
    ----------
    text : str
    ids : collection of str
        Ids of respondents, found wherever they stand as whole words. Those of fewer than four signs
        are looked for only where the text is nothing else, since "12" may be any number.

    Returns
    -------
    tuple of PersonalData
        In the order of the text, none overlapping another.

    Notes
    -----
    A bank account is an IBAN whose check digits are right (ISO 13616), a card 13 to 19 digits that
    pass Luhn's check (ISO/IEC 7812). A phone number has 7 to 15 digits (ITU-T E.164) and either
    starts with ``+``, ``00``, ``0`` or an area code in brackets, or comes in the groups of three,
    three and four (three and four) digits of North America, or follows a word such as "phone".
    Dates, years, prices, scores and counts are none of these. An id is a run of 8 or more digits, a
    UUID, or 8 or more hexadecimal digits or letters and digits mixed.
    """
    found: list[PersonalData] = []

    def add(start: int, end: int, kind: Kind) -> None:
        if all(end <= other.start or other.end <= start for other in found):
            found.append(PersonalData(start, end, kind))

    for match in _EMAIL.finditer(text):
        add(*match.span(), "e-mail")
    for match in _URL.finditer(text):
        add(*match.span(), "web address")
    for match in _HANDLE.finditer(text):
        add(*match.span(), "handle")
    for match in _IBAN.finditer(text):
        end = _iban_end(match[0])
        if end:
            add(match.start(), match.start() + end, "bank account")
    for match in _CARD.finditer(text):
        digits = _digits(match[0])
        if 13 <= len(digits) <= 19 and _passes_luhn(digits):
            add(*match.span(), "card")
    for start, end in _known(text, frozenset(ids)):
        add(start, end, "id")
    for pattern in _PHONES:
        for match in pattern.finditer(text):
            start, end = match.span("number")
            if _is_phone(match["number"]):
                add(start, end, "phone number")
    for match in _TOKEN.finditer(text):
        if _is_id(match[0]):
            add(*match.span(), "id")
    return tuple(sorted(found, key=lambda part: part.start))


def redact(text: str, *, ids: Collection[str] = ()) -> str:
    """Return the text with each piece of personal data replaced by its kind in brackets.

    Parameters
    ----------
    text : str
    ids : collection of str
        As of :func:`find_personal_data`.

    Examples
    --------
    >>> redact("Write to ann@example.com or call +49 170 1234567.")
    'Write to [e-mail] or call [phone number].'
    """
    parts = []
    last = 0
    for part in find_personal_data(text, ids=ids):
        parts += [text[last : part.start], f"[{part.kind}]"]
        last = part.end
    return "".join([*parts, text[last:]])


#: Digits of a phone number without its country's prefix: ITU-T E.164 allows 15 at most; fewer than
#: seven are a number of an office or a town, and told too seldom to be told from other numbers.
_PHONE_DIGITS = (7, 15)
#: An id of digits or of letters and digits is at least as long; a year, a price, a postal code or a
#: count is shorter.
_ID_LENGTH = 8

#: Parts are no longer than RFC 5321 allows, so that no text takes long.
_EMAIL = re.compile(
    r"[\w.+%'-]{0,63}[\w+%-]\s?(?:@|\uff20|\s?[\[(]\s?at\s?[\])]\s?)\s?[\w-]{1,63}"
    r"(?:(?:\.|\s?[\[(]\s?dot\s?[\])]\s?)[\w-]{1,63})*(?:\.|\s?[\[(]\s?dot\s?[\])]\s?)[^\W\d_]{2,}",
    re.IGNORECASE,
)
#: Every address with a scheme, since its path or query may name somebody, and profiles without one.
_URL = re.compile(
    r"(?:https?://|www\.)[^\s<>\"]*[^\s<>\".,;:!?)\]]"
    r"|(?<![\w@.-])(?:[\w-]+\.)*(?:facebook|instagram|twitter|x|linkedin|tiktok|youtube|t|vk|github|"
    r"reddit|snapchat|threads|mastodon|medium|twitch|pinterest|paypal|wa|discord|bsky)"
    r"\.(?:com|me|net|tv|social|gg|app)/[^\s<>\"]*[^\s<>\".,;:!?)\]]",
    re.IGNORECASE,
)
#: A name of three signs or more after an @ that no word stands before; two or less is "@ 5".
_HANDLE = re.compile(r"(?<![\w@.])[@\uff20](?=\w*[^\W\d])[\w](?:[\w.]{1,29}\w)")
_IBAN = re.compile(r"(?<!\w)[A-Za-z]{2}[0-9]{2}(?:[ -]?[A-Za-z0-9]){11,30}")
_CARD = re.compile(r"(?<![\w.,-])[0-9](?:[ -]?[0-9]){12,18}(?![\w-]|[.,][0-9])")
_GAP = r"[ ./\u00a0\u2010-\u2013-]?"
_PHONES = (
    # +49 170 1234567, 0049 170 1234567, +1 (555) 123-4567, 00421/905/123456
    re.compile(rf"(?<![\w+.,])(?P<number>(?:\+|00)\s?[1-9](?:{_GAP}\(?\s?[0-9]\)?){{6,14}})(?!\w)"),
    # 0170 1234567, 030/1234567, (030) 1234-567, 01 23 45 67 89
    re.compile(
        rf"(?<![\w+.,:/-])(?P<number>\(?0[1-9][0-9]*\)?(?:{_GAP}[0-9]){{5,11}})(?![\w%]|[.,:][0-9])"
    ),
    # 555-123-4567, (555) 123-4567, 555.123.4567, 1-800-555-0199, 555 123 4567
    re.compile(
        r"(?<![\w+.,:/-])(?P<number>(?:1[ .-]?)?(?:\([2-9][0-9]{2}\)\s?|[2-9][0-9]{2}[ .-])"
        r"[1-9][0-9]{2}[ .-][0-9]{4})(?![\w%]|[.,:-][0-9])"
    ),
    # phone: 1234567, call me on 905 123 456
    re.compile(
        r"(?:\b(?:phone|telephone|tel|mobile|cell|whatsapp|fax|handy|telefon|mobil|telefono|movil|"
        r"portable)\b|\u260e|\b(?:call|text|ring|reach)(?:\s+me)?\b)\W*(?:(?:number|no|nr|num|is|at|on|"
        rf"my|me|unter|au|al)\b\W*){{0,3}}(?P<number>\+?[0-9](?:{_GAP}[0-9]){{6,14}})(?!\w)",
        re.IGNORECASE,
    ),
)
#: 2024-05-06, 06/05/2024, 06.05.24, 20240506 and 2019-2024.
_DATE = re.compile(
    r"(?:(?:19|20)[0-9]{2}[-./ ](?:0?[1-9]|1[0-2])[-./ ](?:0?[1-9]|[12][0-9]|3[01])"
    r"|(?:0?[1-9]|[12][0-9]|3[01])[-./ ](?:0?[1-9]|[12][0-9]|3[01])[-./ ]"
    r"(?:(?:19|20)[0-9]{2}|[0-9]{2})"
    r"|(?:19|20)[0-9]{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])"
    r"|(?:19|20)[0-9]{2}[-/ ](?:19|20)[0-9]{2})"
)
_TOKEN = re.compile(r"(?<![\w.,'\u2019])[A-Za-z0-9]+(?:[-_][A-Za-z0-9]+)*(?![\w'\u2019]|[.,][0-9])")
#: A prefix in capitals and a number: PAN-00482913, RESP_0004829.
_PREFIXED = re.compile("[A-Z]{1,8}[-_](?:[A-Z0-9]{1,8}[-_])*[0-9]{4,}")
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


def _digits(text: str) -> str:
    return re.sub(r"[^0-9]", "", text)


def _is_phone(text: str) -> bool:
    low, high = _PHONE_DIGITS
    return low <= len(_digits(text)) <= high and not _DATE.fullmatch(text.strip())


def _is_id(token: str) -> bool:
    """Return whether a word is an id: no words, dates, ranges, or counts with a unit."""
    if _UUID.fullmatch(token):
        return True
    if len(re.sub("[-_]", "", token)) < _ID_LENGTH or _DATE.fullmatch(token):
        return False
    parts = re.split("[-_]", token)
    if len(parts) > 1:
        # Words joined by a hyphen ("post-2020") and ranges ("1500-2000") are no ids.
        if any(_is_id(part) for part in parts) or _PREFIXED.fullmatch(token):
            return True
        coded = all(re.search("[0-9]", part) for part in parts)
        return coded and len(parts) > 2 and len(_digits(token)) >= _ID_LENGTH
    n_digits = len(_digits(token))
    if n_digits == len(token):
        # Round counts such as 100000000 are no ids.
        return len(token.rstrip("0")) > 3
    letters = len(re.findall("[A-Za-z]+", token))
    numbers = len(re.findall("[0-9]+", token))
    if letters > 1 or numbers > 1:
        return n_digits > 1
    # A word and its number ("iphone15") is short of digits; so is a number and its unit, which
    # comes last ("20000mah").
    return n_digits >= (_ID_LENGTH - 1 if token[0].isdigit() else 5)


def _known(text: str, ids: AbstractSet[str]) -> list[tuple[int, int]]:
    """Return where ids of respondents stand as whole words."""
    if not ids:
        return []
    if text.strip() in ids:
        start = len(text) - len(text.lstrip())
        return [(start, start + len(text.strip()))]
    return [
        (word.start(), word.end())
        for piece in _PIECES
        for word in re.finditer(piece, text)
        if len(word[0]) >= 4
        and not ids.isdisjoint((word[0], word[0].lower(), word[0].upper()))
        and not _looks_plain(word[0])
    ]


def _looks_plain(word: str) -> bool:
    """Return whether an id is also what anybody may write: a plain word, or a year."""
    return word.isalpha() or bool(re.fullmatch("(?:19|20)[0-9]{2}", word))


def _passes_luhn(digits: str) -> bool:
    doubled = [int(d) * (2 if i % 2 else 1) for i, d in enumerate(reversed(digits))]
    return len(set(digits)) > 1 and sum(d - 9 if d > 9 else d for d in doubled) % 10 == 0


def _iban_end(text: str) -> int:
    """Return how much of the text is an IBAN with right check digits, the longest; 0 for none."""
    for end in range(len(text), 14, -1):
        if not text[end - 1].isalnum():
            continue
        plain = re.sub("[ -]", "", text[:end]).upper()
        if not 15 <= len(plain) <= 34:
            continue
        turned = plain[4:] + plain[:4]
        if int("".join(str(int(sign, 36)) for sign in turned)) % 97 == 1:
            return end
    return 0
