"""Simulate the survey and the purchase data of a fitness app that does not exist.

Takes nothing. Rewrites survey.csv, purchases.csv, truth.csv, truth_loadings.csv and
labels/codebook.csv beside this file, byte for byte the same each time::

    python surveys/fitness_app/simulate.py

Each customer belongs to one of five segments. A segment is a mean on seven traits; a customer has
that mean plus noise of their own, so that each trait has mean zero and variance one over all
customers. An answer is the item's loading times the trait plus noise, cut at four thresholds into
the codes 1 to 5. Then the answers are spoilt as real ones are: blanks, refusals, straight-liners,
people who gave up, mistyped ids.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

HERE = Path(__file__).resolve().parent
SEED = 1200
N_CUSTOMERS = 2400
N_RESPONDENTS = 1200
N_MISTYPED = 8
N_STRAIGHT = 15
N_GAVE_UP = 10
SHARE_BLANK = 0.025
SHARE_REFUSED = 0.006
REFUSED = "9"

#: What is asked about, by the first letters of its items.
TRAITS = {
    "wl": "weight_loss",
    "mg": "muscle_gain",
    "he": "health",
    "so": "sociability",
    "te": "tech_savviness",
    "wp": "willingness_to_pay",
    "pr": "privacy_concern",
}
PREFIXES = tuple(TRAITS)

#: Segment, its share of the customers, and its mean on each trait in the order of TRAITS. The means
#: balance to about zero over the customers; each trait owes some 60 % of its variance to segments.
SEGMENTS = (
    ("weight_watchers", 0.30, (1.15, -0.45, -0.50, -0.55, -0.60, -0.75, 0.25)),
    ("social_movers", 0.24, (-0.15, -0.55, -0.30, 1.20, 0.70, -0.45, -1.10)),
    ("muscle_builders", 0.19, (-0.95, 1.60, -0.45, -0.15, -0.05, 0.75, -0.45)),
    ("health_keepers", 0.15, (-0.35, -0.40, 1.65, 0.35, -1.05, 0.20, 0.80)),
    ("guarded_optimisers", 0.12, (-0.65, 0.00, 0.45, -1.25, 1.45, 1.50, 1.25)),
)
#: How far people of one segment differ along the directions that set the segments apart, as a share
#: of how far they differ along the others.
DAMPING = 0.4

#: Item, its planted loading (minus: keyed the other way), the shift of its thresholds (above zero
#: people agree less readily) and its wording.
ITEMS: tuple[tuple[str, float, float, str], ...] = (
    ("wl_1", 0.83, 0.2, "Losing weight is the main reason I exercise."),
    ("wl_2", 0.71, 0.0, "I step on the scales often to see whether my training pays off."),
    ("wl_3", 0.77, 0.3, "I choose workouts by how many calories they burn."),
    ("wl_4", 0.75, -0.4, "I would like to weigh noticeably less than I do today."),
    ("wl_5", -0.73, 0.1, "My body weight hardly matters to me when I exercise."),
    ("wl_6", 0.65, -0.2, "I watch what I eat so that my training helps me slim down."),
    ("mg_1", 0.85, 0.5, "Building muscle is my most important training goal."),
    ("mg_2", 0.79, 0.2, "I enjoy lifting heavier weights than I did the month before."),
    ("mg_3", 0.73, 0.4, "I plan my meals to get enough protein for my muscles."),
    ("mg_4", 0.66, 0.3, "I want people to see that I am strong."),
    ("mg_5", -0.75, -0.1, "Strength training does little for me."),
    ("mg_6", 0.63, 0.0, "I like the feeling of tired muscles after a hard session."),
    ("he_1", 0.81, -0.4, "I exercise above all to stay well as I get older."),
    (
        "he_2",
        0.77,
        -0.5,
        "Keeping my heart and blood pressure in good shape matters a great deal to me.",
    ),
    ("he_3", 0.74, -0.3, "Regular exercise is the best medicine I know."),
    ("he_4", 0.78, -0.1, "I move every day because it keeps illness away."),
    ("he_5", -0.69, 0.3, "I rarely think about my health when I decide to exercise."),
    ("he_6", 0.64, -0.6, "I sleep better and feel calmer when I keep active."),
    ("so_1", 0.84, 0.4, "I exercise mostly to spend time with other people."),
    ("so_2", 0.80, 0.0, "Training with friends is far more fun than training alone."),
    ("so_3", 0.69, 0.2, "I like sharing my results with people I know."),
    ("so_4", 0.72, 0.3, "If the app offered a group challenge, I would join at once."),
    ("so_5", -0.78, -0.2, "I prefer to exercise on my own, undisturbed."),
    ("so_6", 0.63, 0.1, "I have made friends through sport or fitness classes."),
    ("te_1", 0.83, 0.3, "Among my friends I am usually the first to try a new app or gadget."),
    ("te_2", 0.79, 0.1, "I enjoy getting my phone, watch and other devices to work together."),
    ("te_3", 0.71, -0.5, "I find my way around a new app without any help."),
    ("te_4", -0.75, 0.2, "New technology confuses me more often than it helps me."),
    ("te_5", 0.65, -0.2, "I like looking at charts and statistics of my own activity."),
    ("wp_1", 0.85, 0.3, "I am happy to pay for an app that helps me reach my goals."),
    ("wp_2", 0.76, 0.5, "A good fitness app is worth as much to me as a gym membership."),
    ("wp_3", 0.80, 0.4, "I would pay more each month for a training plan made for me."),
    ("wp_4", -0.77, -0.2, "I only use apps that cost nothing."),
    ("wp_5", 0.68, -0.1, "I do not mind paying more for something that is better made."),
    ("pr_1", 0.84, -0.3, "I worry about what companies do with my health data."),
    ("pr_2", 0.71, 0.3, "I read the privacy settings before I use a new app."),
    ("pr_3", 0.73, 0.0, "I would rather not let an app know where I am."),
    ("pr_4", -0.75, 0.2, "It does not bother me when an app shares my data with its partners."),
    ("pr_5", 0.78, -0.5, "Apps collect far more about me than they need."),
    ("pr_6", 0.63, 0.4, "I have stopped using an app because of how it handled my data."),
)
OPEN_QUESTION = "If you could change one thing about the app, what would it be?"

#: Where an answer turns from one code into the next before an item's shift, in standard deviations.
THRESHOLDS = (-1.45, -0.55, 0.35, 1.25)

PURCHASE_COLUMNS = (
    "user_id",
    "age",
    "gender",
    "city_size",
    "income_band",
    "plan",
    "months_subscribed",
    "monthly_spend",
)
#: Segment by segment, in the order of SEGMENTS: mean and standard deviation of age.
AGE = ((43.0, 9.0), (31.0, 8.0), (29.0, 7.0), (57.0, 8.0), (39.0, 8.0))
#: Shares of f, m and x.
GENDER = (
    (0.71, 0.28, 0.01),
    (0.58, 0.40, 0.02),
    (0.21, 0.78, 0.01),
    (0.55, 0.44, 0.01),
    (0.38, 0.60, 0.02),
)
#: Shares of city sizes 1 (village) to 4 (metropolis).
CITY = (
    (0.27, 0.33, 0.25, 0.15),
    (0.12, 0.24, 0.32, 0.32),
    (0.18, 0.28, 0.29, 0.25),
    (0.32, 0.33, 0.22, 0.13),
    (0.08, 0.18, 0.31, 0.43),
)
#: Shares of income bands A (lowest) to D (highest).
INCOME = (
    (0.29, 0.38, 0.24, 0.09),
    (0.36, 0.36, 0.20, 0.08),
    (0.25, 0.36, 0.27, 0.12),
    (0.15, 0.31, 0.34, 0.20),
    (0.07, 0.22, 0.37, 0.34),
)
#: Shares of the plans basic, plus and premium.
PLAN = (
    (0.64, 0.29, 0.07),
    (0.61, 0.30, 0.09),
    (0.26, 0.43, 0.31),
    (0.35, 0.46, 0.19),
    (0.16, 0.38, 0.46),
)
PLANS = ("basic", "plus", "premium")
PRICES = (4.99, 9.99, 19.99)
#: Mean months subscribed, and mean monthly spend beside the plan's price.
MONTHS = (10.0, 13.0, 15.0, 19.0, 22.0)
EXTRAS = (2.0, 3.5, 6.5, 3.0, 5.5)

#: Answers to the open question that any customer may give, then those that go with a segment.
OPEN_ANYBODY = (
    "Nothing, it works well for me.",
    "Faster start, please. It takes ages to open.",
    "A dark mode",
    "Fewer notifications, or at least let me choose which ones",
    'The button "Start" is too small on my phone.',
    "It crashed twice last week, both times in the middle of a run.",
    "Make it work offline",
    "don't know",
    "Cheaper!",
    "An easier way to cancel,\nand a clear list of what each plan includes",
    "Better music, the playlists are always the same",
    'I would drop the "streak" counter; it makes me feel guilty.',
)
OPEN_BY_SEGMENT = (
    (
        "Let me enter meals by photo, typing calories is tedious",
        "Show my weight as a trend, not as single numbers",
        "More short workouts for people who are not slim",
        'A gentler tone. "You missed your goal again" does not help.',
        "Recipes with few calories",
        "A weekly weigh-in reminder",
    ),
    (
        "Challenges with friends, also across cities",
        "Group chats for classes!",
        "I would like to see which of my friends are training today",
        "Live classes, more of them, and in the evening",
        "A way to find running partners near me",
        'Team rankings: "our office against yours"',
    ),
    (
        "A proper log for sets, reps and weights",
        "Plans for hypertrophy, not only for beginners",
        "Count protein per meal",
        "Let me build my own split:\n- push\n- pull\n- legs",
        "Videos that show the right form for heavy lifts",
        "Sync with the machines in my gym",
    ),
    (
        "Exercises that are kind to the knees and the back",
        "Larger letters, please",
        "I would like to show my blood pressure to my doctor",
        "Explain each exercise slowly, and say who should not do it",
        "A simpler menu",
        "Reminders to take a walk, in the morning and after lunch",
    ),
    (
        "Export of my raw data, as a plain file",
        "Keep my data on my phone and nowhere else",
        "An API. I want my heart rate in my own spreadsheet.",
        "Say clearly who gets my data, and why",
        "More accurate sleep figures, and better graphs",
        "An account without an e-mail address",
    ),
)


def main() -> None:
    """Simulate all customers, ask half of them, and write the five files."""
    rng = np.random.default_rng(SEED)
    segment = _segments(rng)
    traits = _traits(segment, rng)
    ids = [f"{number:05d}" for number in np.sort(rng.permutation(25_000)[:N_CUSTOMERS] + 1)]
    _write(
        "purchases.csv",
        PURCHASE_COLUMNS,
        _purchases(ids, segment, traits, rng),
    )

    asked = rng.permutation(N_CUSTOMERS)[:N_RESPONDENTS]
    answers = _spoil(_answers(traits[asked], rng), rng)
    opens = _open_answers(segment[asked], rng)
    known = set(ids)
    names = [ids[customer] for customer in asked]
    for row in np.sort(rng.permutation(N_RESPONDENTS)[:N_MISTYPED]):
        names[row] = _mistype(names[row], known)
        known.add(names[row])
    _write(
        "survey.csv",
        ["user_id", *(item[0] for item in ITEMS), "q_open"],
        ([name, *row, text] for name, row, text in zip(names, answers, opens, strict=True)),
    )
    _write(
        "truth.csv",
        ["id", "segment"],
        ([name, SEGMENTS[s][0]] for name, s in zip(names, segment[asked], strict=True)),
    )
    _write(
        "truth_loadings.csv",
        ["item", "factor", "loading"],
        ([name, TRAITS[name[:2]], loading] for name, loading, _, _ in ITEMS),
    )
    _write(
        "labels/codebook.csv",
        ["name", "label"],
        [*([item[0], item[3]] for item in ITEMS), ["q_open", OPEN_QUESTION]],
    )


def _segments(rng: np.random.Generator) -> IntArray:
    """Return each customer's segment, in exactly the planted shares."""
    counts = [round(share * N_CUSTOMERS) for _, share, _ in SEGMENTS]
    return rng.permutation(np.repeat(np.arange(len(SEGMENTS)), counts))


def _traits(segment: IntArray, rng: np.random.Generator) -> FloatArray:
    """Return traits (n, 7): the segment's mean plus noise, each trait of variance one."""
    shares = np.array([share for _, share, _ in SEGMENTS])
    means = np.array([mean for _, _, mean in SEGMENTS])
    means = means - (shares[:, None] * means).sum(axis=0)
    within = 1 - (shares[:, None] * means**2).sum(axis=0)
    apart = np.linalg.svd(means)[2][: len(SEGMENTS) - 1]
    mixing = np.eye(len(TRAITS)) - (1 - DAMPING) * apart.T @ apart
    mixing *= np.sqrt(within / (mixing**2).sum(axis=1))[:, None]
    noise = rng.standard_normal((len(segment), len(TRAITS)))
    return np.asarray(means[segment] + noise @ mixing.T)


def _answers(traits: FloatArray, rng: np.random.Generator) -> IntArray:
    """Return codes 1 to 5 of shape (n, p)."""
    noise = rng.standard_normal((len(traits), len(ITEMS)))
    codes = np.empty(noise.shape, dtype=np.int64)
    for j, (name, loading, shift, _) in enumerate(ITEMS):
        trait = traits[:, PREFIXES.index(name[:2])]
        latent = loading * trait + np.sqrt(1 - loading**2) * noise[:, j]
        codes[:, j] = 1 + np.searchsorted(np.array(THRESHOLDS) + shift, latent)
    return codes


def _spoil(codes: IntArray, rng: np.random.Generator) -> list[list[str]]:
    """Return the answers as text, with blanks, refusals, straight-liners and people who gave up."""
    n, p = codes.shape
    chance = rng.random((n, p))
    special = rng.permutation(n)[: N_STRAIGHT + N_GAVE_UP]
    straight = {int(row): str(rng.integers(2, 6)) for row in special[:N_STRAIGHT]}
    gave_up = {int(row): int(rng.integers(3, 13)) for row in special[N_STRAIGHT:]}
    rows = []
    for i in range(n):
        row = [
            "" if c < SHARE_BLANK else REFUSED if c < SHARE_BLANK + SHARE_REFUSED else str(code)
            for c, code in zip(chance[i], codes[i], strict=True)
        ]
        if i in straight:
            row = [straight[i]] * p
        elif i in gave_up:
            row = row[: gave_up[i]] + [""] * (p - gave_up[i])
        rows.append(row)
    return rows


def _open_answers(segment: IntArray, rng: np.random.Generator) -> list[str]:
    """Return one text a respondent; a third say nothing, half of the rest are typical."""
    texts = []
    for s, chance in zip(segment, rng.random(len(segment)), strict=True):
        pool = OPEN_BY_SEGMENT[s] if chance > 0.65 else OPEN_ANYBODY
        text = pool[int(rng.integers(len(pool)))]
        texts.append("" if chance < 0.33 else text)
    return texts


def _purchases(
    ids: Sequence[str], segment: IntArray, traits: FloatArray, rng: np.random.Generator
) -> list[list[str]]:
    """Return one row a customer; some incomes are not known."""
    pays = traits[:, PREFIXES.index("wp")]
    rows = []
    for i, (name, s) in enumerate(zip(ids, segment, strict=True)):
        age = round(AGE[s][0] + AGE[s][1] * rng.standard_normal())
        plan = _draw(PLAN[s], rng)
        months = 1 + int(-np.log(rng.random()) * MONTHS[s])
        extras = -np.log(rng.random()) * EXTRAS[s] * np.exp(0.3 * pays[i])
        income = "ABCD"[_draw(INCOME[s], rng)]
        rows.append(
            [
                name,
                str(min(max(age, 18), 79)),
                "fmx"[_draw(GENDER[s], rng)],
                str(1 + _draw(CITY[s], rng)),
                income if rng.random() > 0.04 else "",
                PLANS[plan],
                str(min(months, 72)),
                f"{PRICES[plan] + extras:.2f}",
            ]
        )
    return rows


def _draw(shares: Iterable[float], rng: np.random.Generator) -> int:
    """Return the index of a category drawn with these shares."""
    cumulated = np.cumsum(np.array(list(shares)))
    return min(int(np.searchsorted(cumulated, rng.random())), len(cumulated) - 1)


def _mistype(name: str, known: set[str]) -> str:
    """Return an id with one digit changed that belongs to nobody."""
    candidates = (
        name[:place] + digit + name[place + 1 :] for place in (3, 2, 4, 1) for digit in "0123456789"
    )
    return next(candidate for candidate in candidates if candidate not in known)


def _write(name: str, header: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    path = HERE / name
    path.parent.mkdir(exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)


if __name__ == "__main__":
    main()
