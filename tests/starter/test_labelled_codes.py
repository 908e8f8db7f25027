"""In an SPSS file its own codes win; labels nobody could read are no steps without a word."""

import numpy as np
import pandas as pd
import pyreadstat
import pytest

from psychoseg.errors import StudyError
from psychoseg.starter import draft_study, write_study
from psychoseg.study import load_study

AGREE = {1: "Strongly disagree", 2: "Disagree", 3: "Neutral", 4: "Agree", 5: "Strongly agree"}


@pytest.fixture
def drafted(tmp_path):
    """Return a function that drafts a study of eight labelled items."""

    def draft(labels, *, codes=(), missing=None, measure="ordinal"):
        rng = np.random.default_rng(2)
        codes = np.array(codes or [c for c in labels if c != missing], dtype=float)
        latent = rng.normal(size=(120, 1)) + 0.7 * rng.normal(size=(120, 8))
        cuts = np.quantile(latent, np.linspace(0, 1, len(codes) + 1)[1:-1])
        x = codes[np.digitize(latent, cuts)]
        if missing is not None:
            x[rng.random(x.shape) < 0.1] = missing
        frame = pd.DataFrame(x, columns=[f"a_{i}" for i in range(8)])
        path = tmp_path / "s.sav"
        said = {float(c): label for c, label in labels.items()}
        pyreadstat.write_sav(
            frame,
            path,
            variable_value_labels=dict.fromkeys(frame.columns, said),
            variable_measure=dict.fromkeys(frame.columns, measure),
        )
        found = draft_study(path)
        (battery,) = found.batteries
        return battery.scale, found.undecided, int((x == missing).sum())

    return draft


@pytest.mark.parametrize("code", [0, 6, 9])
@pytest.mark.parametrize("label", ["Nevím", "Vet ej", "Pineapple"])
def test_a_label_beyond_the_steps_is_no_step_and_is_counted(drafted, code, label):
    scale, asked, count = drafted({**AGREE, code: label}, missing=code)
    assert (scale.low, scale.high) == (1, 5)
    assert scale.missing == (str(code),)
    assert scale.counts[str(code)] == count
    assert label == "Nevím" or any(label in question for question in asked)


def test_a_label_amid_the_steps_is_a_step_by_its_code_and_asked_about(drafted):
    scale, asked, _ = drafted({**AGREE, 3: "Meh"})
    assert (scale.low, scale.high, scale.missing) == (1, 5, ())
    assert any("Meh" in question for question in asked)


def test_labels_nobody_can_read_are_no_scale_until_somebody_says_so(drafted):
    labels = ["egyáltalán nem", "inkább nem", "is-is", "inkább igen", "teljesen", "nem tudja"]
    scale, asked, _ = drafted(dict(enumerate(labels, start=1)))
    assert scale.unordered
    assert [level[0] for level in scale.codes] == labels
    assert any("a_0 to a_7" in question for question in asked)


def test_a_run_on_labels_nobody_can_read_stops_for_their_order(drafted, tmp_path):
    labels = ["egyáltalán nem", "inkább nem", "is-is", "inkább igen", "teljesen", "nem tudja"]
    drafted(dict(enumerate(labels, start=1)))
    with pytest.raises(StudyError, match="codes"):
        load_study(write_study(tmp_path / "s.sav"))


def test_codes_that_run_the_other_way_are_turned_where_every_label_is_certain(drafted):
    scale, asked, _ = drafted({6 - code: label for code, label in AGREE.items()})
    assert [level[0] for level in scale.codes] == list(AGREE.values())
    assert any("run the other way" in question for question in asked)


def test_codes_that_run_the_other_way_are_left_where_a_label_is_not_understood(drafted):
    labels = {6 - code: label for code, label in AGREE.items()} | {3: "Meh"}
    scale, asked, _ = drafted(labels)
    assert scale.codes == ()
    assert any("a high answer means less" in question for question in asked)


def test_ends_that_run_the_other_way_are_asked_about(drafted):
    scale, asked, _ = drafted({1: "Strongly agree", 7: "Strongly disagree"}, codes=range(1, 8))
    assert (scale.low, scale.high) == (1, 7)
    assert any("a high answer means less" in question for question in asked)


def test_codes_given_by_the_alphabet_are_put_in_the_order_of_their_labels(drafted):
    labels = dict(enumerate(sorted(AGREE.values()), start=1))
    scale, asked, _ = drafted(labels)
    assert [level[0] for level in scale.codes] == list(AGREE.values())
    assert any("by the alphabet" in question for question in asked)


def test_words_that_many_would_order_otherwise_never_overrule_codes(drafted):
    labels = ["Not at all", "Slightly", "Moderately", "Somewhat", "Very"]
    scale, asked, _ = drafted(dict(enumerate(labels, start=1)))
    assert (scale.low, scale.high, scale.codes) == (1, 5, ())
    assert any("left as they are" in question for question in asked)
