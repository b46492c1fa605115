"""Every page opens cold, and the main journeys of Home, Misclassified and Confusion matrix work.

The runs here are small and real: a nearest-centroid classifier answers the offline sample, and the
network that ships stands in as theirs where a picture is opened. Clicks on the chart and in
galleries belong to the browser tests; here the functions behind them are called.
"""

from __future__ import annotations

import csv
import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

from core import evaluation, labels, runs, wording
from core.data import fashion_mnist as dataset
from core.settings import ROOT
from tests.fixtures import SPEC, finished_run
from ui import frame, state
from ui.answers import answer_set
from ui.components import matrix_image, theme, thumbnails

PAGES = sorted(path.relative_to(ROOT).as_posix() for path in (ROOT / "pages").glob("[0-9]*.py"))
MISTAKES, MATRIX = frame.MISTAKES, frame.MATRIX


def centroid_answers(blur: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Probabilities for the sample's test and last 400 training pictures by distance to class
    means, and the labels' indices.

    `blur` mixes the means with the overall one: more of it, more mistakes.
    """
    data = dataset.load("offline-sample")
    flat = data.train_pixels.reshape(len(data.train_pixels), -1) / 255.0
    means = np.stack(
        [flat[:1600][data.train_labels[:1600] == label].mean(axis=0) for label in range(10)]
    )
    noise = np.random.default_rng(0).normal(0, blur, means.shape)

    def ask(pixels: np.ndarray) -> np.ndarray:
        far = ((pixels.reshape(len(pixels), 1, -1) / 255.0 - means - noise) ** 2).sum(axis=2)
        scores = np.exp(-(far - far.min(axis=1, keepdims=True)) / 8)
        return (scores / scores.sum(axis=1, keepdims=True)).astype(np.float32)

    return ask(data.test_pixels), ask(data.train_pixels[1600:]), np.arange(1600, 2000)


def make_run(name: str, blur: float = 0.05, perfect: bool = False) -> str:
    """A finished run in the library, with two epochs of validation answers."""
    data = dataset.load("offline-sample")
    test, validation, indices = centroid_answers(blur)
    if perfect:
        test = np.eye(10, dtype=np.float32)[data.test_labels]
    files = {
        "split.npz": {
            "indices": indices.astype(np.int32),
            "labels": data.train_labels[indices].astype(np.uint8),
        }
    }
    for epoch, given in ((1, centroid_answers(0.3)[1]), (2, validation)):
        files[f"epochs/{epoch:03d}.npz"] = {
            "prediction": given.argmax(axis=1).astype(np.uint8),
            "confidence": given.max(axis=1),
        }
    return finished_run(
        SPEC.replace(name=name, epochs=2, validation="last", validation_fraction=0.2),
        test,
        data.test_labels,
        data=data,
        network=runs.onnx_bytes(runs.SHIPPED),
        files=files,
        sure_threshold=0.9,
    )


def open_page(path: str | None = None, **params: str) -> AppTest:
    """The app at its entry, then at a page with this address."""
    app = AppTest.from_file(str(ROOT / "streamlit_app.py"), default_timeout=60)
    if path is None:
        app.query_params.update(params)
        return app.run()
    app.run()
    app.switch_page(path)
    app.query_params.update(params)
    return app.run()


def said(app: AppTest) -> str:
    """All sentences on the page, as a person reads them."""
    kinds = (app.error, app.warning, app.info, app.caption, app.markdown, app.header)
    return "\n".join(element.value for kind in kinds for element in kind)


def address(app: AppTest) -> dict[str, str]:
    """What the address says after the page ran."""
    return {
        param: text if isinstance(text, str) else text[-1]
        for param, text in app.query_params.items()
    }


def mistakes_of(run_id: str) -> np.ndarray:
    found = runs.test_predictions(run_id)
    return np.flatnonzero(found.probabilities.argmax(axis=1) != found.labels)


# --- every page -----------------------------------------------------------------------------------


@pytest.mark.parametrize("path", PAGES)
def test_every_page_opens_cold_without_data_and_without_runs(path):
    app = open_page(path)
    assert not app.exception
    assert len(app.title) == 1


@pytest.mark.parametrize("path", PAGES)
def test_every_page_opens_with_a_run_of_the_sample(path):
    run_id = make_run("Centroids")
    comparison = path == frame.EXPERIMENTS  # the one page that shows several runs
    app = open_page(
        path, **({"view": "compare", "runs": run_id} if comparison else {"run": run_id})
    )
    assert not app.exception and not app.error and not app.warning
    assert run_id in (
        app.multiselect[0].value if comparison else [chosen.value for chosen in app.selectbox]
    )
    assert address(app)["runs" if comparison else "run"] == run_id
    assert "Centroids" in str(app.main)


def test_every_numbered_page_is_in_the_navigation():
    assert set(PAGES) <= {path for path, _, _ in frame.PAGES}


@pytest.mark.parametrize("path", [MISTAKES, MATRIX])
@pytest.mark.parametrize("unknown", ["nobody-knows-me", "../../etc/passwd", "UPPER CASE", ""])
def test_an_address_with_an_unknown_run_gets_a_sentence_and_another_run(path, unknown):
    make_run("Centroids")
    app = open_page(path, run=unknown)
    assert not app.exception
    assert (
        "run" in app.warning[0].value
        and f"Showing {runs.read(runs.SHIPPED).name} instead" in app.warning[0].value
    )


def test_values_that_an_address_cannot_have_get_a_sentence_each():
    run_id = make_run("Centroids")
    app = open_page(MISTAKES, run=run_id, truth="77", sort="beauty", confidence="9", view="x")
    assert not app.exception
    told = "\n".join(one.value for one in app.warning)
    for what in ("true class “77”", "order “beauty”", "confidence “9”", "view “x”"):
        assert what in told
    assert "page “0”" in open_page(MISTAKES, run=run_id, page="0").warning[0].value
    app = open_page(
        MATRIX, run=run_id, truth="x", share="q", on="validation", epoch="99", picture="-4"
    )
    assert not app.exception
    told = "\n".join(one.value for one in app.warning)
    for what in ("truth “x”", "cells “q”", "epoch “99”", "picture “-4”"):
        assert what in told


# --- home -----------------------------------------------------------------------------------------


def test_home_names_the_champion_with_its_accuracy_and_follows_a_promotion():
    run_id = make_run("Centroids")
    runs.promote(run_id)
    app = open_page()
    accuracy = theme.percent(runs.read(run_id).test_accuracy, 2)
    assert f"Centroids answers: {accuracy} of the test pictures" in said(app)
    assert not app.exception


def test_home_offers_the_sample_without_data_and_then_says_that_it_is_one():
    app = open_page()
    assert "not on this machine" in app.warning[0].value
    app.button(key="frame_sample").click().run()
    assert not app.warning
    assert any("Offline sample" in element.value for element in app.markdown)
    assert "25 of 400 test pictures" in said(app)
    assert not app.exception
    assert address(app) == {"data": "sample"}
    again = open_page(data="sample")  # a reload, or somebody else with the link
    assert not again.warning and "25 of 400 test pictures" in said(again)


def test_damaged_data_in_the_users_own_folder_are_named_and_no_download_is_offered(
    tmp_path, monkeypatch, fashion_mnist
):
    for file in Path(fashion_mnist).glob("*.gz"):
        (tmp_path / file.name).write_bytes(file.read_bytes())
    labels = tmp_path / "t10k-labels-idx1-ubyte.gz"
    raw = bytearray(labels.read_bytes())
    raw[2000] ^= 1
    labels.write_bytes(raw)
    monkeypatch.setenv("ATELIER_DATA", str(tmp_path))
    app = open_page()
    assert "t10k-labels-idx1-ubyte.gz" in app.warning[0].value
    assert not [button for button in app.button if button.key == "frame_download"]
    app.button(key="frame_sample").click().run()
    assert "25 of 400 test pictures" in said(app)
    assert not app.exception


def test_home_shows_25_pictures_of_the_real_data(fashion_mnist, home_gallery):
    app = open_page()
    assert "25 of 10,000 test pictures" in said(app)
    assert len(home_gallery[-1]) == 25
    assert not app.warning and not app.exception


def test_a_shirt_mistaken_for_a_t_shirt_is_opened_from_its_cell(fashion_mnist):
    app = open_page(MATRIX, truth="6", prediction="0")
    found = runs.test_predictions(runs.SHIPPED)
    cell = evaluation.pictures_of(
        found.labels, found.probabilities.argmax(axis=1), 6, 0, found.probabilities.max(axis=1)
    )
    assert f"Shirt → T-shirt/top: {len(cell)}" in said(app)
    app.query_params["picture"] = str(cell[0])
    app.run()
    assert "Shirt, mistaken for T-shirt/top" in said(app)
    assert sum("Training picture" in alt for alt in pictures_on(app)) == 8
    assert not app.exception and not app.error


def test_home_shows_one_class_and_other_pictures_after_a_reshuffle(home_gallery):
    app = open_page()
    app.button(key="frame_sample").click().run()
    app.selectbox(key="home_class").set_value(9).run()
    drawn = home_gallery[-1]
    assert len(drawn) == 25 and all("Ankle boot" in item.alt for item in drawn)
    assert drawn[0].href == f"Classify?mode=test&picture={drawn[0].index}"
    app.button(key="home_shuffle").click().run()
    other = home_gallery[-1]
    assert all("Ankle boot" in item.alt for item in other)
    assert [item.index for item in other] != [item.index for item in drawn]
    assert address(app)["class"] == "9"


@pytest.fixture
def home_gallery(monkeypatch) -> list[list[thumbnails.Item]]:
    """What the gallery on Home was given, each time that it was drawn."""
    drawn: list[list[thumbnails.Item]] = []
    monkeypatch.setattr(thumbnails, "gallery", lambda items, *_, **__: drawn.append(list(items)))
    return drawn


def pictures_on(app: AppTest) -> list[str]:
    """The alternative texts of the pictures drawn as HTML."""
    whole = "".join(element.proto.body for element in app.get("html"))
    return [part.split('"')[0] for part in whole.split('alt="')[1:]]


def test_home_reports_a_damaged_run():
    run_id = make_run("Centroids")
    (runs_folder() / run_id / "run.json").write_text("{ not json")
    app = open_page()
    assert any(run_id in warning.value for warning in app.warning)
    assert not app.exception


def runs_folder() -> Path:
    from core import settings

    return Path(settings.runs_address())


# --- misclassified --------------------------------------------------------------------------------


def test_misclassified_counts_the_mistakes_of_every_class():
    run_id = make_run("Centroids")
    wrong = mistakes_of(run_id)
    truth = runs.test_predictions(run_id).labels
    app = open_page(MISTAKES, run=run_id)
    assert f"{len(wrong):,} mistakes of Centroids" in said(app)
    options = app.pills(key="mistakes_truth").options
    for label, name in enumerate(labels.CLASS_NAMES):
        assert any(
            option.endswith(f"{name} · {(truth[wrong] == label).sum()}") for option in options
        ), (name, options)


def test_misclassified_filters_lead_to_an_address_that_shows_the_same_again():
    run_id = make_run("Centroids")
    found = runs.test_predictions(run_id)
    wrong = mistakes_of(run_id)
    label = int(np.bincount(found.labels[wrong]).argmax())
    app = open_page(MISTAKES, run=run_id)
    app.pills(key="mistakes_truth").set_value(label).run()
    app.slider(key="mistakes_confidence").set_value((0, 60)).run()
    app.selectbox(key="mistakes_sort").set_value("loss").run()
    sure = found.probabilities.max(axis=1)[wrong]
    fits = wrong[(found.labels[wrong] == label) & (sure <= np.float32(0.6))]
    assert f"{len(fits):,} mistakes" in said(app)
    sent = address(app)
    assert sent == {"run": run_id, "truth": str(label), "confidence": "0-60", "sort": "loss"}
    again = open_page(MISTAKES, **sent)
    assert f"{len(fits):,} mistakes" in said(again)
    assert again.slider(key="mistakes_confidence").value == (0, 60)
    assert not again.exception


def test_another_filter_begins_at_the_first_page_without_a_complaint():
    run_id = make_run("Centroids", blur=0.4)
    app = open_page(MISTAKES, run=run_id, page="2")
    assert "page 2 of" in said(app)
    app.pills(key="mistakes_truth").set_value(1).run()
    assert "page" not in app.query_params
    assert not app.warning and not app.exception


def test_an_empty_view_says_why_it_is_empty():
    run_id = make_run("Centroids")
    app = open_page(MISTAKES, run=run_id, confidence="0-9")
    assert "No mistake matches all these filters" in app.info[0].value
    flawless = make_run("Flawless", perfect=True)
    app = open_page(MISTAKES, run=flawless)
    assert "made no mistakes on its 400 test pictures" in app.info[0].value


def test_an_opened_picture_shows_its_truth_its_probabilities_and_its_neighbours():
    run_id = make_run("Centroids")
    found = runs.test_predictions(run_id)
    index = int(mistakes_of(run_id)[0])
    truth, guess = (
        labels.CLASS_NAMES[label]
        for label in (found.labels[index], found.probabilities[index].argmax())
    )
    app = open_page(MISTAKES, run=run_id, picture=str(index))
    assert not app.exception and not app.error
    assert f"{truth}, mistaken for {guess}" in said(app)
    bars = "".join(element.proto.body for element in app.get("html"))
    assert theme.percent(float(found.probabilities[index].max())) in bars
    assert sum("Training picture" in alt for alt in pictures_on(app)) == 8
    app.button(key="mistakes_back").click().run()
    assert "mistakes of Centroids" in said(app) and "picture" not in app.query_params


def test_next_walks_along_the_filtered_order():
    run_id = make_run("Centroids")
    found = runs.test_predictions(run_id)
    order = evaluation.find_mistakes(found.probabilities, found.labels, sort="margin")
    app = open_page(MISTAKES, run=run_id, sort="margin", picture=str(order[0]))
    assert app.button(key="mistakes_previous").disabled
    app.button(key="mistakes_next").click().run()
    assert address(app)["picture"] == str(order[1])
    assert f"2 of {len(order)}" in said(app)


def test_a_picture_without_its_data_still_shows_what_the_run_wrote_down():
    app = open_page(MISTAKES, run=runs.SHIPPED, picture="40")
    assert not app.exception
    assert "not on this machine" in app.warning[0].value
    # It cannot stand in for the pictures of this run.
    assert not [button for button in app.button if button.key == "frame_sample"]
    assert "Ten probabilities" in said(app)


def test_one_of_every_class_is_offered():
    run_id = make_run("Centroids")
    app = open_page(MISTAKES, run=run_id, view="classes")
    assert "its most confident mistake" in said(app)
    assert not app.exception


# --- confusion matrix -----------------------------------------------------------------------------


def test_the_matrix_opens_at_the_most_frequent_mistake_and_a_pair_leads_to_its_cell():
    run_id = make_run("Centroids")
    found = runs.test_predictions(run_id)
    counts = evaluation.confusion(found.labels, found.probabilities.argmax(axis=1))
    (first, second) = evaluation.most_confused(counts, 2)
    app = open_page(MATRIX, run=run_id)
    cell = app.selectbox(key="matrix_truth").value, app.selectbox(key="matrix_prediction").value
    assert cell == first[:2]
    app.button(key=f"matrix_pair_{second[0]}_{second[1]}").click().run()
    assert (
        f"{labels.CLASS_NAMES[second[0]]} → {labels.CLASS_NAMES[second[1]]}: {second[2]}"
        in said(app)
    )
    assert address(app)["truth"] == str(second[0]) and address(app)["prediction"] == str(second[1])
    assert not app.exception


def test_the_two_selectors_open_a_cell_and_an_empty_one_says_so():
    run_id = make_run("Centroids", perfect=True)
    app = open_page(MATRIX, run=run_id)
    app.selectbox(key="matrix_truth").set_value(6).run()
    app.selectbox(key="matrix_prediction").set_value(0).run()
    assert "No Shirt among the 400 test pictures was mistaken for T-shirt/top" in said(app)
    assert not app.exception


def test_the_epoch_slider_shows_the_validation_answers_of_that_epoch():
    run_id = make_run("Centroids")
    app = open_page(MATRIX, run=run_id, on="validation")
    assert "400 validation pictures after epoch 2" in said(app)
    app.query_params["epoch"] = "1"
    app.run()
    given = runs.validation_predictions(run_id, 1)
    share = theme.percent(float((given.prediction == given.labels).mean()), 2)
    assert f"accuracy {share} on 400 validation pictures after epoch 1" in said(app)
    assert address(app)["epoch"] == "1"
    assert not app.exception


def test_a_validation_picture_opens_with_the_network_asked_again():
    run_id = make_run("Centroids")
    app = open_page(MATRIX, run=run_id, on="validation", picture="1700")
    assert not app.exception and not app.error
    assert "Training picture 1,700" in said(app)


def test_two_runs_are_compared_by_the_pictures_that_changed_sides():
    first, second = make_run("Blurred", blur=0.35), make_run("Clear", blur=0.0)
    a, b = (runs.test_predictions(one) for one in (first, second))
    right = [one.probabilities.argmax(axis=1) == one.labels for one in (a, b)]
    app = open_page(MATRIX, run=first, compare=second)
    shown = {metric.label: metric.value for metric in app.metric}
    assert shown["Repaired"] == str((~right[0] & right[1]).sum())
    assert shown["Newly broken"] == str((right[0] & ~right[1]).sum())
    app.segmented_control(key="matrix_change").set_value("broken").run()
    assert f"Broken: {(right[0] & ~right[1]).sum()}" in said(app)
    assert address(app)["change"] == "broken"
    assert not app.exception


def test_runs_of_different_data_are_not_compared():
    run_id = make_run("Centroids")
    app = open_page(MATRIX, run=run_id, compare=runs.SHIPPED)
    assert "same pictures" in app.error[0].value
    assert not app.exception


def test_a_run_deleted_in_another_tab_gives_a_sentence():
    from ui import cache

    run_id = make_run("Centroids")
    app = open_page(MATRIX, run=run_id)
    runs.delete(run_id)
    cache.forget_runs()
    app.run()
    assert not app.exception
    assert f"no finished run {run_id}" in app.warning[0].value


@pytest.mark.parametrize("path", [MISTAKES, MATRIX])
@pytest.mark.parametrize(
    ("shape", "labels"), [((400, 9), 400), ((400, 10), 399), ((0, 10), 0), ((900, 10), 900)]
)
def test_predictions_edited_by_hand_give_a_sentence(path, shape, labels):
    run_id = make_run("Centroids")
    given = np.random.default_rng(0).dirichlet(np.ones(shape[1]), shape[0]).astype(np.float32)
    runs.write_arrays(run_id, "test.npz", probabilities=given, labels=np.zeros(labels, np.uint8))
    app = open_page(path, run=run_id)
    assert not app.exception
    assert "someone may have edited it" in app.error[0].value


# --- what stands behind the pages -----------------------------------------------------------------


def test_cell_values_are_shares_of_rows_or_columns_and_may_hide_the_diagonal():
    counts = np.zeros((10, 10), int)
    counts[0, 0], counts[0, 1], counts[2, 1] = 3, 1, 1
    rows, texts = answer_set.cell_values(counts, "truth", True)
    assert np.isnan(rows[0, 0]) and rows[0, 1] == 0.25 and texts[0][1] == "25.0"
    columns, _ = answer_set.cell_values(counts, "prediction", False)
    assert columns[0, 1] == 0.5 and columns[2, 1] == 0.5
    assert np.isnan(columns[:, 5]).all(), "a share of nothing is no number"


def test_the_matrix_as_a_file_is_a_picture_with_dark_cells_where_the_counts_are():
    values = np.zeros((10, 10))
    values[0, 1], values[9, 8] = 3.0, 30.0
    text = [[f"{value:.0f}" for value in row] for row in values]
    data = matrix_image.draw(values, text, title="Пробный", fallback="run-1", facts="Counts")
    image = Image.open(io.BytesIO(data)).convert("L")
    assert image.format is None and min(image.size) > 1000

    def cell(row: int, column: int) -> int:
        x = matrix_image.LEFT + column * matrix_image.CELL + 12
        return image.getpixel((x, matrix_image.TOP + row * matrix_image.CELL + 12))

    assert cell(9, 8) < cell(0, 1) < cell(0, 2)


def test_a_picture_is_enlarged_with_hard_edges():
    pixels = np.zeros((28, 28), np.uint8)
    pixels[3, 5] = 255
    image = np.asarray(Image.open(io.BytesIO(thumbnails.png(pixels, 8))))
    assert (
        image.shape == (224, 224)
        and set(np.unique(image)) == {0, 255}
        and (image == 255).sum() == 64
    )


def test_the_overlay_leaves_cold_parts_grey_and_warms_the_hottest():
    pixels = np.full((28, 28), 200, np.uint8)
    heat = np.zeros((28, 28))
    heat[10, 10] = 0.5
    drawn = thumbnails.overlay(pixels, heat)
    assert len(set(drawn[0, 0])) == 1
    assert drawn[10, 10, 0] > 200 > drawn[10, 10, 2]
    assert (thumbnails.overlay(pixels, np.zeros((28, 28))) == drawn[0, 0]).all()


def test_numbers_in_an_address_are_refused_outside_their_range():
    parse = state.whole_number(1, 12, "the page")
    assert parse("12") == 12
    for text in ("0", "13", "-1", "1e3", "", "٣", "9" * 50):
        with pytest.raises(ValueError, match="must be a number from 1 to 12"):
            parse(text)


def test_the_files_offered_hold_what_is_shown():
    found = runs.test_predictions(make_run("Centroids"))
    indices = evaluation.find_mistakes(found.probabilities, found.labels)[:3]
    rows = list(
        csv.DictReader(
            io.StringIO(evaluation.mistakes_csv(indices, found.probabilities, found.labels))
        )
    )
    assert [int(row["index"]) for row in rows] == indices.tolist()
    assert rows[0]["truth"] == labels.CLASS_NAMES[found.labels[indices[0]]]


@pytest.mark.parametrize("path", [None, MISTAKES, MATRIX])
def test_a_name_full_of_marks_is_escaped_wherever_a_page_says_it(path):
    name = "rate *of* 10 <b> $x$ :red[y] [a](b)"
    run_id = make_run(name)
    if path is None:
        runs.promote(run_id)
    app = open_page(path, **({} if path is None else {"run": run_id}))
    said = [
        part.value
        for part in (*app.caption, *app.markdown, *app.info, *app.warning, *app.error)
        if "rate" in part.value and "10" in part.value
    ]
    assert any(wording.literal(name) in text for text in said)
    assert not [text for text in said if name in text]
