"""Numbers and verdicts as a reader sees them: two decimals at most, and words with a source."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from psychoseg.study_report import ProfilesSettings

__all__ = [
    "FEW",
    "MADE_OF",
    "agreement_words",
    "alpha_meaning",
    "count",
    "fine",
    "fine_interval",
    "fit_index_words",
    "interval",
    "kmo_words",
    "letters_words",
    "number",
    "p_value",
    "percent",
    "percent_interval",
    "plural",
    "points",
    "points_interval",
    "rmsea_words",
    "sentence",
    "signed",
    "stability_band",
    "stage_name",
    "tenth_points",
    "tiny",
]

NOTHING = "–"
#: In place of a share, or a count, of fewer people than the base.
FEW = "few"

#: Kaiser & Rice (1974), Educational and Psychological Measurement 34, 111-117; Kaiser (1974),
#: Psychometrika 39, 31-36, has the same words for another index.
KMO_WORDS = (
    (0.9, "marvellous"),
    (0.8, "meritorious"),
    (0.7, "middling"),
    (0.6, "mediocre"),
    (0.5, "miserable"),
)

#: From, level, word, meaning: after the help page of fpc::clusterboot, by Hennig (2007).
STABILITY_BANDS = (
    (0.85, 4, "highly stable", "It comes back almost unchanged when the survey is drawn again."),
    (0.75, 3, "valid, stable", "It comes back when the survey is drawn again."),
    (
        0.6,
        2,
        "a pattern, not a sharp group",
        "Something like it comes back when the survey is drawn again; who belongs to it varies.",
    ),
    (-math.inf, 1, "not to be trusted", "It does not come back when the survey is drawn again."),
)

#: Nunnally (1978), Psychometric Theory, 2nd ed., p. 245, names .70, .80 and .90.
ALPHA_WORDS = (
    (0.9, "almost the same way"),
    (0.8, "much the same way"),
    (0.7, "roughly the same way"),
    (0.0, "only loosely the same way"),
)

#: .95: Hu & Bentler (1999), Structural Equation Modeling 6, 1-55; .90: Bentler & Bonett (1980),
#: Psychological Bulletin 88, 588-606.
FIT_INDEX_WORDS = ((0.95, "good"), (0.90, "acceptable"))

#: Up to: Browne & Cudeck (1992), Sociological Methods & Research 21, 230-258; "mediocre" is of
#: MacCallum, Browne & Sugawara (1996), Psychological Methods 1, 130-149.
RMSEA_WORDS = ((0.05, "close"), (0.08, "reasonable"), (0.10, "mediocre"))

#: Adjusted Rand index: Steinley (2004), Psychological Methods 9, 386-396.
AGREEMENT_WORDS = ((0.9, "excellent"), (0.8, "good"), (0.65, "moderate"))

STAGES = {
    "survey": "Reading and cleaning",
    "read": "Reading",
    "clean": "Cleaning",
    "merge": "Merging files",
    "weights": "Weighting",
    "scales": "Scales",
    "segments": "Segments",
    "profiles": "Profiles",
    "agreement": "Comparing engines",
    "report": "Report",
}
#: Beside every test of what the segments were made of.
MADE_OF = (
    "Scales and active columns made the segments: their letters and v-tests describe, and prove "
    "nothing."
)


#: By correction and scope: over what the column letters are corrected.
CORRECTIONS = {
    ("fdr", "variable"): "false discoveries held at 5% within one variable, not over the table: of "
    "many variables, some letters are chance",
    ("fdr", "table"): "false discoveries held at 5% over all figures of the table",
    ("bonferroni", "variable"): "Bonferroni over the pairs of a row, not over the table",
    ("none", "variable"): "not corrected for the number of comparisons",
}


def letters_words(profiles: ProfilesSettings) -> str:
    """Return over what the comparisons behind the column letters are corrected."""
    return CORRECTIONS[profiles.correction, profiles.letters_scope]


def number(value: float) -> str:
    """Return a number with two decimals, none from 1,000 on; a dash for NaN; a real minus sign."""
    value = float(value)
    if not math.isfinite(value):
        return NOTHING
    text = f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.2f}"
    if not any(c in "123456789" for c in text):
        text = text.removeprefix("-")
    return text.replace("-", "−")


def signed(value: float) -> str:
    """Return a number with its sign."""
    text = number(value)
    return f"+{text}" if text[0] not in "−–" and any(c in "123456789" for c in text) else text


def fine(value: float) -> str:
    """Return a number with three decimals, for what is small by nature: residuals, RMSEA."""
    value = float(value)
    if not math.isfinite(value) or abs(value) >= 100:
        return number(value)
    if 0 < value < 0.0005:
        return "< 0.001"
    text = f"{value:.3f}"
    return "0.000" if text == "-0.000" else text.replace("-", "−")


def fine_interval(low: float, high: float) -> str:
    """Return the two ends of an interval with three decimals."""
    if not (math.isfinite(float(low)) and math.isfinite(float(high))):
        return NOTHING
    return f"{fine(low)}–{fine(high)}"


def tiny(value: float) -> str:
    """Return a number with two decimals, or ``< 0.01`` for what would read as 0.00."""
    if math.isfinite(value) and 0 < abs(value) < 0.005:
        return "< 0.01"
    return number(value)


def count(value: float) -> str:
    """Return a count; a weighted one with one decimal where it is no whole number."""
    value = float(value)
    if not math.isfinite(value):
        return NOTHING
    return f"{value:,.0f}" if abs(value - round(value)) < 0.05 else f"{value:,.1f}"


def percent(share: float) -> str:
    """Return a share as a whole percentage, with ``< 1%`` for what would read as none."""
    share = float(share)
    if not math.isfinite(share):
        return NOTHING
    if 0 < share < 0.005:
        return "< 1%"
    if 0.995 <= share < 1:
        return "> 99%"
    return f"{100 * share:.0f}%"


def interval(low: float, high: float) -> str:
    """Return the two ends of an interval."""
    if not (math.isfinite(float(low)) and math.isfinite(float(high))):
        return NOTHING
    joint = " to " if float(low) < 0 else "–"
    return f"{number(low)}{joint}{number(high)}"


def percent_interval(low: float, high: float) -> str:
    """Return the two ends of an interval of shares."""
    if not (math.isfinite(float(low)) and math.isfinite(float(high))):
        return NOTHING
    return f"{100 * max(float(low), 0):.0f}–{100 * min(float(high), 1):.0f}%"


def points(difference: float) -> str:
    """Return a difference of shares in percentage points, with its sign."""
    difference = float(difference)
    if not math.isfinite(difference):
        return NOTHING
    text = f"{100 * difference:+.0f}"
    return "0 pts" if text in ("+0", "-0") else f"{text.replace('-', '−')} pts"


def tenth_points(difference: float) -> str:
    """Return a difference of shares in percentage points with one decimal."""
    difference = float(difference)
    if not math.isfinite(difference):
        return NOTHING
    text = f"{100 * difference:.1f}"
    text = "0.0" if text == "-0.0" else text.replace("-", "−")
    return f"{text} pts"


def points_interval(low: float, high: float) -> str:
    """Return the two ends of an interval of a difference of shares, in percentage points."""
    if not (math.isfinite(float(low)) and math.isfinite(float(high))):
        return NOTHING
    return f"{points(low).removesuffix(' pts')} to {points(high).removesuffix(' pts')}"


def p_value(p: float) -> str:
    """Return a p-value, never as zero."""
    p = float(p)
    if not math.isfinite(p):
        return NOTHING
    return "< 0.01" if p < 0.01 else f"{p:.2f}"


def plural(n: int, one: str, many: str = "") -> str:
    """Return a count with its noun."""
    return f"{n:,} {one if n == 1 else many or one + 's'}"


def sentence(text: str) -> str:
    """Return a text with a capital and a full stop."""
    text = text.strip()
    if not text:
        return ""
    return text[0].upper() + text[1:] + ("" if text[-1] in ".!?…" else ".")


def kmo_words(kmo: float) -> str:
    """Return Kaiser's word for a measure of sampling adequacy."""
    return next((word for least, word in KMO_WORDS if kmo >= least), "unacceptable")


def alpha_meaning(alpha: float) -> str:
    """Say what a scale's alpha means to somebody who never heard of it; nothing below zero.

    Alpha is the correlation to be expected with a second set of items drawn from where these come
    from (Cronbach 1951, Psychometrika 16, 297-334).
    """
    shown = round(float(alpha), 2)
    if not shown > 0:  # NaN as well
        return ""
    how = next(word for least, word in ALPHA_WORDS if shown >= least)
    return (
        f"A second set of questions like these would rank people {how}: a correlation of about "
        f"{number(shown)}."
    )


def fit_index_words(value: float) -> str:
    """Return what convention calls a CFI or TLI, as printed."""
    shown = round(float(value), 2)
    return next((word for least, word in FIT_INDEX_WORDS if shown >= least), "below what is asked")


def rmsea_words(value: float) -> str:
    """Return what convention calls an RMSEA, as printed."""
    shown = round(float(value), 3)
    return next((word for most, word in RMSEA_WORDS if shown <= most), "poor")


def agreement_words(adjusted_rand: float) -> str:
    """Return Steinley's word for an adjusted Rand index, as printed; nothing where unknown."""
    if not math.isfinite(float(adjusted_rand)):
        return ""
    shown = round(float(adjusted_rand), 2)
    return next((word for least, word in AGREEMENT_WORDS if shown >= least), "poor")


def stability_band(jaccard: float) -> tuple[int, str, str]:
    """Return Hennig's band of a mean bootstrap Jaccard similarity: level 1 to 4, word, meaning.

    Level 0 where it is unknown. The band is that of the value as it is printed, to two decimals.
    """
    if not math.isfinite(float(jaccard)):
        return 0, "unknown", "Its stability could not be measured."
    shown = round(float(jaccard), 2)
    return next((lv, word, text) for least, lv, word, text in STABILITY_BANDS if shown >= least)


def stage_name(stage: str) -> str:
    """Return a stage as a reader would call it."""
    return STAGES.get(stage, stage.capitalize())
