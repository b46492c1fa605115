"""Cards: every figure comes from the record and the stored predictions, and nothing is claimed that
they do not say.
"""

from __future__ import annotations

import numpy as np
import pytest

from core import runs
from core.errors import RunDamaged
from core.export.card import card
from core.specs.fields import FIELDS
from tests.fixtures import SPEC, finished_run, predictions

LABELS = np.repeat(np.arange(10), 20)


def card_of(run_id: str) -> str:
    return card(runs.read(run_id), runs.test_predictions(run_id))


def test_a_card_has_the_figures_of_the_predictions_and_the_record():
    run_id = finished_run(
        SPEC, predictions(LABELS, {(6, 0): 5, (2, 4): 1}), LABELS, temperature=1.5
    )
    text = card_of(run_id)
    assert "accuracy **97.00 %**" in text and "(temperature 1.50)" in text
    assert "Most confused: Shirt → T-shirt/top (5), Pullover → Coat (1)." in text
    assert "| Shirt | 1.000 | 0.750 | 0.857 | 20 |" in text
    assert all(f"| {field.name} | " in text for field in FIELDS if field.name != "name")
    assert "| dense_units | none |" in text and "| shuffle_folds | yes |" in text


@pytest.mark.parametrize(
    ("validation", "sentence"),
    [
        ("none", "All training pictures were trained on; the last epoch was kept."),
        ("test", "chosen on the test set, which makes this network look better than it is"),
        ("fold", "chosen on fold 2 of 5 of the training pictures, which was held out"),
        ("last", "chosen on the last 10 % of the training pictures, which were held out"),
        ("random", "chosen on a random 10 % of the training pictures, which were held out"),
        (
            "stratified",
            "chosen on a random 10 % of the training pictures, stratified by class, which",
        ),
    ],
)
def test_a_card_says_what_the_epoch_was_chosen_on(validation, sentence):
    text = card_of(finished_run(SPEC.replace(validation=validation, fold=2)))
    assert sentence in text and ("Validation pictures:" in text) is (validation != "none")
    assert ("never used for a choice" in text) is (validation != "test")


def test_a_card_names_auxiliary_data_only_where_there_were_some():
    assert "auxiliary" not in card_of(finished_run())
    text = card_of(finished_run(outside={"sketches": 1200, "photographs": 30}))
    assert "1,200 sketches, 30 photographs" in text and "Clothing dataset" in text


def test_a_note_stands_under_the_name():
    run_id = finished_run()
    runs.set_note(run_id, "for the course")
    assert card_of(run_id).startswith("# small\n\nfor the course\n\n## Data\n")


def test_an_unfinished_run_has_no_card():
    finished = runs.test_predictions(finished_run())
    with pytest.raises(RunDamaged, match="Resume it"):
        card(runs.read(runs.create(SPEC)), finished)
