"""Words: what the people of a segment write in open answers more often than others do.

Owns how answers become words, and which answers are quoted where the study asks for it. The
statistic is in ``psychoseg.stats.log_odds``.
"""

from __future__ import annotations

import hashlib
import re
import statistics
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.stats import norm
from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS

from psychoseg.profiles.protect import shown_beside_total
from psychoseg.profiles.sample import Sample
from psychoseg.stats.arrays import FloatArray, IntArray
from psychoseg.stats.inference import adjust_p, count_base
from psychoseg.stats.log_odds import distinctive
from psychoseg.study_report import OpenText
from psychoseg.survey.personal_data import redact
from psychoseg.survey.table import Survey

__all__ = ["QUOTE_COLUMNS", "WORD_COLUMNS", "distinctive_words"]

WORD_COLUMNS = (
    "segment", "variable", "label", "rank", "word", "z", "log_odds", "share", "rest", "base",
    "hidden",
)  # fmt: skip
QUOTE_COLUMNS = ("segment", "variable", "label", "text")

#: Words of a segment: more are no longer read.
_MOST_WORDS = 10
#: False discoveries that are accepted among the words shown.
_LEVEL = 0.05
#: Of two words that mostly the same people use ("battery", "battery life"), one is shown.
_SAME_PEOPLE = 0.8
#: Signs of a quote: shorter ones say nothing, longer ones are cut at a word.
_SHORTEST_QUOTE, _LONGEST_QUOTE = 15, 240
_TIE_DECIMALS = 9

_WORD = re.compile(r"[^\W\d_]+(?:'[^\W\d_]+)*")
#: What an address leaves behind once it is taken out.
_TAKEN_OUT = re.compile(r"\[[a-z -]+\]")


@dataclass(frozen=True, slots=True)
class _Use:
    """Who uses which word: positions among those who answered, by word."""

    words: tuple[str, ...]
    users: tuple[IntArray, ...]


def distinctive_words(
    survey: Survey, sample: Sample, texts: Sequence[OpenText], min_base: int
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Find the words that set each segment's open answers apart, and quotes that hold them.

    Parameters
    ----------
    survey : Survey
        Its ``texts`` hold the answers.
    sample : Sample
    texts : sequence of OpenText
    min_base : int
        A word is used by at least as many people; a segment with fewer answers has no words and is
        not quoted.

    Returns
    -------
    words : DataFrame
        ``segment, variable, label, rank, word, z, log_odds, share, rest, base, hidden``; ``hidden``
        is false: what would be hidden is not here.
    quotes : DataFrame
        ``segment, variable, label, text``: as many as the study asks for, personal data taken out.

    Notes
    -----
    Words and pairs of neighbouring words, in lower case, without English stop words where the
    language is English. The log-odds of each segment against the others are Monroe, Colaresi and
    Quinn's (2008) of people: of those who use a word against those who answer without it, however
    often or much they write. The prior weighs as much as an average segment; survey weights enter,
    scaled to the effective number of answers. Shown are at most ten words with log-odds above 0 and
    a false discovery rate (Benjamini & Hochberg 1995, over the question's words and segments) of at
    most 5 %; of two that mostly the same people use, the more distinctive one. Quotes are the
    answers with the most distinctive words; of those with as many, or where there are none, the
    half nearest the middle length come first, in an order that is chance but always the same.
    """
    rows: list[tuple[object, ...]] = []
    quotes: list[tuple[int, str, str, str]] = []
    ids: Collection[str] = _ids(survey) if any(t.quotes for t in texts) else ()
    for question in texts:
        if question.column not in survey.texts.columns:
            continue
        written = survey.texts[question.column].iloc[sample.rows].tolist()
        answers = [t.strip() if isinstance(t, str) else "" for t in written]
        there = np.flatnonzero([bool(t) for t in answers])
        if not len(there):
            continue
        label = question.label or survey.label(question.column)
        labels, weights = sample.labels[there], sample.weights[there]
        each = [_words(answers[i], english=question.language == "en") for i in there]
        use = _users(each, min_base)
        found = _rank(use, labels, weights, sample)
        answered = np.bincount(labels - 1, minlength=len(sample.segments))
        shown, _ = shown_beside_total(answered, min_base)
        for s in sample.segments:
            inside = labels == s
            base, rest = int(inside.sum()), int((~inside).sum())
            if base < max(min_base, 1):
                continue
            # A quote says nothing of those who answered something else; a word's share does.
            chosen = found.get(s, []) if shown[s - 1] else []
            for rank, (place, z, log_odds) in enumerate(chosen, start=1):
                users = np.zeros(len(there), dtype=bool)
                users[use.users[place]] = True
                share = float(weights[users & inside].sum() / weights[inside].sum())
                other = np.nan
                if rest >= max(min_base, 1):
                    other = float(weights[users & ~inside].sum() / weights[~inside].sum())
                word = use.words[place]
                rows.append(
                    (s, question.column, label, rank, word, z, log_odds, share, other, base, False)
                )
            if question.quotes:
                telling = {use.words[place]: z for place, z, _ in chosen}
                own = [(answers[there[i]], each[i]) for i in np.flatnonzero(inside)]
                for text in _quotes(own, telling, question.quotes, ids):
                    quotes.append((s, question.column, label, text))
    return (
        pd.DataFrame(rows, columns=list(WORD_COLUMNS)),
        pd.DataFrame(quotes, columns=list(QUOTE_COLUMNS)),
    )


def _ids(survey: Survey) -> frozenset[str]:
    """Return the ids of all who were read: an answer may name somebody who was left out."""
    return frozenset(survey.ids.astype(str)) | frozenset(survey.ledger["respondent"].astype(str))


def _words(text: str, *, english: bool) -> frozenset[str]:
    """Return the words of an answer and its pairs of neighbours, each once."""
    if "@" in text or "://" in text or "www." in text:
        text = _TAKEN_OUT.sub(" . ", redact(text))
    out = set()
    # A sentence's end parts neighbours.
    for part in re.split(r"[.!?;:,()\n]+", text.replace("’", "'").lower()):
        before = ""
        for word in _WORD.findall(part):
            if len(word) < 2 or (english and _is_stop_word(word)):
                before = ""
                continue
            out.add(word)
            if before:
                out.add(f"{before} {word}")
            before = word
    return frozenset(out)


def _is_stop_word(word: str) -> bool:
    stem, _, tail = word.partition("'")
    return stem in ENGLISH_STOP_WORDS or tail == "t" or word in ENGLISH_STOP_WORDS


def _users(each: Sequence[frozenset[str]], min_base: int) -> _Use:
    """Return the words that enough people use, alphabetically, and who uses them."""
    users: dict[str, list[int]] = {}
    for i, words in enumerate(each):
        for word in words:
            users.setdefault(word, []).append(i)
    kept = sorted(word for word, own in users.items() if len(own) >= max(min_base, 1))
    return _Use(tuple(kept), tuple(np.array(users[word], dtype=np.intp) for word in kept))


def _rank(
    use: _Use, labels: IntArray, weights: FloatArray, sample: Sample
) -> Mapping[int, list[tuple[int, float, float]]]:
    """Return for each segment its words (position, z, log-odds), most distinctive first."""
    present = np.unique(labels)
    if not use.words or len(present) < 2:
        return {}
    base = count_base(weights, counts=sample.counts)
    scaled = weights * (base.effective / base.weighted)
    group = np.searchsorted(present, labels)
    people = np.array([scaled[group == g].sum() for g in range(len(present))])
    log_odds, z = np.empty((2, len(use.words), len(present)))
    for i, own in enumerate(use.users):
        users = np.zeros(len(present))
        np.add.at(users, group[own], scaled[own])
        log_odds[i], z[i] = _of_people(users, people)
    p = adjust_p(2 * norm.sf(np.abs(z)).ravel()).reshape(z.shape)
    out: dict[int, list[tuple[int, float, float]]] = {}
    for g, s in enumerate(present):
        telling = np.flatnonzero((log_odds[:, g] > 0) & (p[:, g] <= _LEVEL))
        # Of a pair and its words that the same people use, the pair says it best.
        order = sorted(
            telling,
            key=lambda i: (-round(z[i, g], _TIE_DECIMALS), " " not in use.words[i], use.words[i]),
        )
        chosen: list[int] = []
        for i in map(int, order):
            if len(chosen) < _MOST_WORDS and not any(_alike(use, i, j) for j in chosen):
                chosen.append(i)
        out[int(s)] = [(j, float(z[j, g]), float(log_odds[j, g])) for j in chosen]
    return out


def _of_people(users: FloatArray, people: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return log-odds and z of a word by group (g,), from who uses it and who does not."""
    # Sums of the same weights in another order: nobody is less than nobody.
    two = np.vstack([users, np.maximum(people - users, 0.0)])
    log_odds, z = distinctive(two, prior_weight=float(people.sum()) / len(people))
    with np.errstate(invalid="ignore", divide="ignore"):
        # The variance is that of both words of the vocabulary "used, not used".
        both = np.sign(log_odds[0]) / np.sqrt(1 / z[0] ** 2 + 1 / z[1] ** 2)
    return log_odds[0], np.where(log_odds[0] == 0, 0.0, both)


def _alike(use: _Use, i: int, j: int) -> bool:
    """Return whether one word is part of the other and mostly the same people use both."""
    first, second = use.words[i].split(), use.words[j].split()
    if not set(first) & set(second):
        return False
    both = len(np.intersect1d(use.users[i], use.users[j], assume_unique=True))
    either = len(use.users[i]) + len(use.users[j]) - both
    return both >= _SAME_PEOPLE * either


def _quotes(
    answers: Sequence[tuple[str, frozenset[str]]],
    telling: Mapping[str, float],
    n: int,
    ids: Collection[str],
) -> list[str]:
    """Return the answers to quote: the most telling first, then those of ordinary length."""
    each = {text: words for text, words in answers if len(text) >= _SHORTEST_QUOTE}
    if not each:
        return []
    middle = statistics.median(map(len, each))
    usual = statistics.median(abs(len(text) - middle) for text in each)

    def order(text: str) -> tuple[float, bool, str]:
        score = sum(telling.get(w, 0.0) for w in sorted(each[text]))
        chance = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
        return -round(score, _TIE_DECIMALS), abs(len(text) - middle) > usual, chance

    out: dict[str, str] = {}
    for text in sorted(each, key=order):
        shown = " ".join(redact(text, ids=ids).split())
        if len(shown) > _LONGEST_QUOTE:
            shown = shown[: _LONGEST_QUOTE - 1].rsplit(" ", 1)[0] + "…"
        if len(_WORD.findall(_TAKEN_OUT.sub(" ", shown))) > 1:
            out.setdefault(shown.casefold(), shown)
        if len(out) == n:
            break
    return list(out.values())
