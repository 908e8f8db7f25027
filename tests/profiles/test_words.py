"""Words of open answers: what a segment writes more often, and quotes where they are asked for."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from psychoseg.profiles.sample import Sample
from psychoseg.profiles.words import distinctive_words
from psychoseg.stats.log_odds import distinctive
from psychoseg.study_report import OpenText
from psychoseg.survey.table import Survey
from tests.test_profiles import make_survey

WHY = OpenText(column="why", label="Why?")


def made(
    answers: list[str], labels: list[int], weights: np.ndarray | None = None, *, counts: bool = True
) -> tuple[Survey, Sample]:
    n = len(answers)
    w = np.ones(n) if weights is None else weights
    survey = make_survey(pd.DataFrame(index=range(n)), w)
    survey = replace(survey, texts=pd.DataFrame({"why": answers}, dtype="str"))
    segments = tuple(range(1, max(labels) + 1))
    return survey, Sample(segments, np.array(labels), w, counts, (), np.arange(n))


def planted(n: int = 200) -> tuple[list[str], list[int]]:
    """Return answers of which half of segment 1 have "battery life", and all the same words."""
    rng = np.random.default_rng(1)
    labels = [1 + i % 2 for i in range(n)]
    pool = ["coach", "price", "friends", "music", "design", "colour", "sleep"]
    answers = []
    for s in labels:
        text = " and ".join(rng.choice(pool, 3, replace=False))
        if rng.random() < (0.5 if s == 1 else 0.05):
            text += ". The battery life is great"
        answers.append(text)
    return answers, labels


def words(
    answers: list[str], labels: list[int], *, min_base: int = 10, why: OpenText = WHY, **more
) -> pd.DataFrame:
    return distinctive_words(*made(answers, labels, **more), [why], min_base)[0]


def quotes(answers: list[str], labels: list[int], n: int = 2, min_base: int = 10) -> dict:
    asked = OpenText(column="why", label="Why?", quotes=n)
    found = distinctive_words(*made(answers, labels), [asked], min_base)[1]
    return {s: own["text"].tolist() for s, own in found.groupby("segment")}


def test_the_words_that_were_planted_are_found_and_no_others() -> None:
    answers, labels = planted()
    found = words(answers, labels)
    assert found["segment"].tolist() == [1] * len(found)
    # "battery", "life" and "battery life" are of the same people: the pair says it.
    assert found["word"].tolist() == ["battery life", "great"]
    assert found["rank"].tolist() == list(range(1, len(found) + 1))
    row = found.iloc[0]
    inside = np.array(labels) == 1
    used = np.array(["battery" in a for a in answers])
    assert row["share"] == pytest.approx(used[inside].mean())
    assert row["rest"] == pytest.approx(used[~inside].mean())
    assert (row["base"], row["hidden"]) == (100, False)
    assert row["z"] > 3


def test_log_odds_are_those_of_the_counts_of_people_by_hand() -> None:
    answers = ["good"] * 30 + ["bad"] * 10 + ["good"] * 10 + ["bad"] * 30
    found = words(answers, [1] * 40 + [2] * 40).set_index(["segment", "word"])
    # A prior of 40 people, 20 of whom use each word: ln((30 + 20) / (10 + 20)) twice, by symmetry;
    # its variance is 1 / 50 + 1 / 30, twice.
    log_odds = 2 * np.log(50 / 30)
    assert found.loc[(1, "good"), "log_odds"] == pytest.approx(log_odds)
    assert found.loc[(2, "bad"), "z"] == pytest.approx(log_odds / np.sqrt(2 / 50 + 2 / 30))
    assert len(found) == 2
    counts = np.array([[10.0, 30.0], [30.0, 10.0]])
    assert distinctive(counts, prior_weight=40.0)[0][1, 0] == pytest.approx(log_odds)


def test_a_word_counts_once_a_person_however_often_it_is_said() -> None:
    answers, labels = planted()
    again = [" . ".join([a] * 3) for a in answers]
    pd.testing.assert_frame_equal(words(answers, labels), words(again, labels))


def test_noise_has_no_distinctive_words() -> None:
    rng = np.random.default_rng(5)
    pool = [f"word{chr(97 + i)}" for i in range(20)]
    answers = [" ".join(rng.choice(pool, 4, replace=False)) for _ in range(400)]
    assert len(words(answers, list(rng.integers(1, 4, 400)))) == 0


def test_a_word_of_fewer_people_than_the_least_base_is_not_shown() -> None:
    answers = ["odd thing here"] * 9 + ["usual"] * 41 + ["usual"] * 50
    labels = [1] * 50 + [2] * 50
    assert words(answers, labels)["word"].tolist() == ["usual"]
    assert "odd" in " ".join(words(answers, labels, min_base=9)["word"])


def test_a_segment_with_few_answers_has_no_words_and_is_not_quoted() -> None:
    answers = ["very good indeed sir"] * 9 + ["bad in every way"] * 40
    labels = [1] * 9 + [2] * 40
    assert set(words(answers, labels, min_base=9)["segment"]) == {1, 2}
    # Nor the other segment: its shares and those of all would give away the nine.
    assert words(answers, labels, min_base=10).empty
    assert set(quotes(answers, labels, min_base=9)) == {1, 2}
    assert set(quotes(answers, labels, min_base=10)) == {2}


def test_stop_words_are_left_out_in_english_alone() -> None:
    answers = ["It's the app that I don’t trust"] * 30 + ["music"] * 30
    labels = [1] * 30 + [2] * 30
    english = words(answers, labels)
    assert set(" ".join(english[english["segment"] == 1]["word"]).split()) == {"app", "trust"}
    other = words(answers, labels, why=OpenText(column="why", language="none"))
    assert "the" in " ".join(other["word"]).split()


def test_neighbours_are_pairs_only_where_nothing_stands_between_them() -> None:
    answers = ["long battery. Life, price of music"] * 30 + ["other"] * 30
    found = words(answers, [1] * 30 + [2] * 30)
    pairs = {w for w in found["word"] if " " in w}
    assert pairs <= {"long battery"}


def test_an_address_leaves_no_words() -> None:
    answers = ["write to ann.smith@example.com please"] * 30 + ["other"] * 30
    said = " ".join(words(answers, [1] * 30 + [2] * 30)["word"])
    assert "write" in said
    for part in ("smith", "example", "mail"):
        assert part not in said


def test_a_weight_of_three_is_three_people_and_scale_means_nothing_to_sampling_weights() -> None:
    answers, labels = planted()
    times = np.random.default_rng(3).integers(1, 4, len(labels))
    weighted = words(answers, labels, weights=times * 1.0)
    repeated = words(list(np.repeat(answers, times)), list(np.repeat(labels, times)))
    pd.testing.assert_frame_equal(
        weighted.drop(columns="base"), repeated.drop(columns="base"), rtol=1e-10
    )
    sampled = words(answers, labels, weights=times * 1.0, counts=False)
    pd.testing.assert_frame_equal(
        sampled, words(answers, labels, weights=times * 5.0, counts=False), rtol=1e-10
    )
    # Weights that differ tell less than as many people.
    assert sampled["z"].iloc[0] < weighted["z"].iloc[0]


def test_the_order_of_rows_changes_nothing() -> None:
    answers, labels = planted()
    order = np.random.default_rng(3).permutation(len(labels))
    moved = [answers[i] for i in order], [labels[i] for i in order]
    pd.testing.assert_frame_equal(words(answers, labels), words(*moved), rtol=1e-12)
    assert quotes(answers, labels) == quotes(*moved)


def test_quotes_come_only_where_asked_and_are_those_with_the_telling_words() -> None:
    answers, labels = planted()
    assert distinctive_words(*made(answers, labels), [WHY], 10)[1].empty
    found = quotes(answers, labels)
    assert {s: len(own) for s, own in found.items()} == {1: 2, 2: 2}
    assert all("battery life" in text for text in found[1])
    assert set(found[1]) <= {a for a, s in zip(answers, labels, strict=True) if s == 1}


def test_where_no_word_tells_quotes_are_of_ordinary_length_and_not_the_first_of_the_alphabet():
    letters = "abcdefghijklmnopqrst"
    usual = [f"{c * 3} is what I have to say" for c in letters]
    odd = [f"aa{c} and too short" for c in letters[:9]] + [f"aa{c} " * 30 for c in letters[:9]]
    answers, labels = [*usual, *odd], [1] * 38
    found = quotes(answers, labels, n=12)[1]
    assert set(found) <= set(usual)
    assert sorted(found) != sorted(usual)[:12]
    assert found == quotes(answers[::-1], labels, n=12)[1]
    # Where there are no more of ordinary length, the others.
    assert len(quotes(usual[:3] + odd[:3], [1] * 6, n=6, min_base=1)[1]) == 6


def test_quotes_of_repeated_answers_are_those_of_a_weight() -> None:
    answers, labels = planted()
    assert quotes(answers * 3, labels * 3, min_base=1) == quotes(answers, labels, min_base=1)


def test_quotes_hold_no_personal_data_and_no_id() -> None:
    answers = [f"call me on +49 170 123456{i} or r{i:04d} about it" for i in range(10)]
    answers += ["x" * 400 + " and nothing else at all"] * 3 + ["short one"] * 20
    labels = [1] * 13 + [2] * 20
    found = quotes(answers, labels, n=20)
    said = " ".join(text for own in found.values() for text in own)
    assert "170" not in said
    assert "r0003" not in said
    assert "[phone number]" in said
    assert all(len(text) <= 240 for own in found.values() for text in own)


def test_the_same_answer_is_quoted_once() -> None:
    assert quotes(["I like it very much"] * 20 + ["No, I do not"] * 20, [1] * 20 + [2] * 20) == {
        1: ["I like it very much"]
    }


def test_without_answers_the_tables_are_empty_with_their_columns() -> None:
    survey, sample = made([""] * 40, [1, 2] * 20)
    found, quoted = distinctive_words(survey, sample, [WHY], 10)
    assert found.empty
    assert quoted.empty
    assert list(found.columns)[:4] == ["segment", "variable", "label", "rank"]
    assert list(quoted.columns) == ["segment", "variable", "label", "text"]
    none = distinctive_words(replace(survey, texts=pd.DataFrame()), sample, [WHY], 10)
    assert none[0].empty
