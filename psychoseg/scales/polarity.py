"""Which way an item's answers run: whether its highest code says most of what the item says.

Owns nothing but that question. An item that the study reverses, and one whose file counts from
"Strongly agree" = 1, are both high where people disagree with their words.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from psychoseg.errors import tell
from psychoseg.starter.answers import order_answers
from psychoseg.survey.table import Survey, Variable

__all__ = ["disagrees", "tell_downward"]

#: A code that stands in front of its label: "5 = Strongly agree".
_CODE = re.compile(r"^\(?-?\d+\)?\s*[.):=–—-]+\s*(?=\S)")
#: Items that a warning names.
_NAMED = 3


def disagrees(variable: Variable) -> bool:
    """Return whether who is high on an item, as keyed, says less of what its words say."""
    return variable.reversed != _runs_down(variable)


def tell_downward(survey: Survey, names: Sequence[str]) -> None:
    """Warn of items whose labelled codes run from much to little and are not turned round."""
    down = [n for n in names if _runs_down(survey.codebook[n]) and not survey.codebook[n].reversed]
    if not down:
        return
    labels = survey.codebook[down[0]].value_labels
    ends = " to ".join(f"{code:g} = {labels[code]!r}" for code in (min(labels), max(labels)))
    more = f" and {len(down) - _NAMED} more" if len(down) > _NAMED else ""
    tell(
        f"the answers of {', '.join(down[:_NAMED])}{more} run from much to little ({ends}): a high "
        "score on them means that people do not say what the item says. Give codes from low to "
        "high in [[items]], or name them all in its reverse"
    )


def _runs_down(variable: Variable) -> bool:
    """Return whether labelled codes fall while what their labels say rises; no where unknown."""
    ends = (variable.low, variable.high)
    low, high = (float("nan") if end is None else float(end) for end in ends)
    labels = {
        code: _CODE.sub("", text).strip()
        for code, text in variable.value_labels.items()
        if not (code < low or code > high)
    }
    if len(set(labels.values())) < 2:
        return False
    order = order_answers(tuple(dict.fromkeys(labels.values())))
    if order is None or order.guess:
        return False
    level = {text: place for place, texts in enumerate(order.levels) for text in texts}
    known = [(code, level[text]) for code, text in labels.items() if text in level]
    if len({place for _, place in known}) < 2:
        return False
    codes, places = np.array(known, dtype=np.float64).T
    return bool(np.corrcoef(codes, places)[0, 1] < 0)
