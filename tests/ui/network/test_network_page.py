"""The Network page shows every layer of a run with people's own pictures, and says what it cannot
show.

The runs here have the shipped network and the offline sample's pictures. Clicks on charts and in
galleries belong to the browser tests; here the functions behind them are called.
"""

from __future__ import annotations

import html
import io
import re

import numpy as np
import pytest
from PIL import Image, ImageDraw
from streamlit.testing.v1 import AppTest

from core import inference, runs
from core.data import fashion_mnist
from core.explain import activations, embedding_map, steps
from core.networks.architectures import blueprint
from core.settings import ROOT
from core.specs.presets import PRESETS, preset
from tests.fixtures import finished_run
from tests.small_networks import template_network
from ui import frame
from ui.answers import answer_set
from ui.classify import canvas
from ui.components import heat
from ui.network import arithmetic, layer_list, learning, map_view
from ui.state import Session


def make_run(name: str = "Twin", *, whole: bool = True) -> str:
    """A finished run on the sample with the shipped network; `whole` False leaves out the weights
    that are needed to look inside.
    """
    shipped, data = runs.read(runs.SHIPPED), fashion_mnist.load("offline-sample")
    test = inference.load(runs.SHIPPED).probabilities(data.test_pixels)
    files = {"model.keras": runs.read_bytes(runs.SHIPPED, "model.keras")} if whole else {}
    return finished_run(
        shipped.spec.replace(name=name, data="offline-sample"),
        test,
        data.test_labels,
        data=data,
        files=files,
        network=runs.onnx_bytes(runs.SHIPPED),
        rows=runs.history(runs.SHIPPED),
        best_epoch=shipped.best_epoch,
        temperature=shipped.finished_record.temperature,
        sure_threshold=shipped.finished_record.sure_threshold,
    )


def open_page(sheet: Image.Image | None = None, **params: str) -> AppTest:
    """The page at this address, with this drawing on the visitor's sheet."""
    app = AppTest.from_file(str(ROOT / frame.HOME), default_timeout=60)
    if sheet is not None:
        out = io.BytesIO()
        sheet.save(out, "PNG")
        mine = canvas.Sheet(
            drawing={"objects": [{"type": "Path", "path": [["M", 1, 1], ["Q", 1, 1, 2, 2]]}]},
            png=out.getvalue(),
        )
        app.session_state["atelier_session"] = Session(pages={"ui.classify.canvas.Sheet": mine})
    app.switch_page(frame.NETWORK)
    app.query_params.update(params)
    app.run()
    assert not app.exception
    return app


def said(app: AppTest) -> str:
    kinds = (app.error, app.warning, app.info, app.caption, app.markdown, app.subheader)
    return "\n".join(element.value for kind in kinds for element in kind)


def markup(app: AppTest) -> str:
    return html.unescape("".join(element.proto.body for element in app.get("html")))


def address(app: AppTest) -> dict[str, str]:
    return {
        param: text if isinstance(text, str) else text[-1]
        for param, text in app.query_params.items()
    }


def shirt() -> Image.Image:
    image = Image.new("RGBA", (canvas.SIDE, canvas.SIDE), "white")
    ImageDraw.Draw(image).polygon(
        [
            (110, 40),
            (210, 40),
            (280, 85),
            (255, 140),
            (225, 120),
            (225, 285),
            (95, 285),
            (95, 120),
            (65, 140),
            (40, 85),
        ],
        fill="black",
    )
    return image


def test_without_data_the_page_opens_with_a_sheet_and_every_layer():
    app = open_page()
    assert {metric.label: metric.value for metric in app.metric} == {
        "Layers": "51",
        "Parameters": "659,162",
        "Multiply-adds": "56,850,688",
    }
    rows = app.table[0].value
    assert (
        len(rows) == 52
        and rows.iloc[2]["Width"].replace("\u00a0", " ") == "(28 − 3 + 2·1)/1 + 1 = 28"
    )
    assert (
        rows["Parameters"].map(lambda text: int(text.replace(",", "")) if text != "–" else 0).sum()
        == 659_162
    )
    assert "Nothing yet" in markup(app)
    for view in ("maps", "steps"):
        assert "Choose a picture first" in said(open_page(view=view))


def test_one_layer_is_explained_with_its_own_numbers():
    app = open_page(layer="conv_7")
    assert r"\frac{28 - 3 + 1}{2} + 1 = 14" in app.latex[0].value
    assert (
        "3 × 3 × 16 × 64 weights" in said(app)
        and "= 9,216" in said(app)
        and "= 1,806,336" in said(app)
    )
    app.selectbox(key="network_layer").set_value("scores").run()
    assert address(app)["layer"] == "scores" and "128 × 10 weights + 10 biases = 1,290" in said(app)


def test_a_drawing_is_answered_and_goes_through_every_layer():
    app = open_page(shirt(), source="draw", view="maps")
    assert "<h3>T-shirt/top</h3>" in markup(app)
    assert "From your drawing to ten probabilities" in said(app)


@pytest.mark.parametrize(
    ("params", "says"),
    [
        ({"layer": "activation_4"}, "same bent curve"),
        ({"layer": "conv_7"}, "It reads \\*activation_5\\*"),
        ({"layer": "conv_7", "channel": "3"}, "3 × 3 × 16 = 144"),
        ({"layer": "conv_1", "channel": "7"}, "weighted sum of 3 × 3 values"),
        ({"layer": "average"}, "Of 128 are above zero|of 128 are above zero"),
        ({"layer": "probabilities"}, "Softmax"),
        ({"layer": "picture"}, "28 × 28 grey values"),
    ],
)
def test_a_layer_and_a_map_say_what_they_are(params, says):
    app = open_page(shirt(), source="draw", view="maps", **params)
    assert re.search(says, said(app)) and not app.warning


def test_the_figures_of_a_map_are_those_of_the_network():
    run_id = make_run()
    app = open_page(run=run_id, picture="12", view="maps", layer="conv_4", channel="9")
    network = inference.load(run_id)
    values = activations.load(run_id, network).maps(
        fashion_mnist.load("offline-sample").test_pixels[12]
    )["conv_4"][..., 9]
    shown = {metric.label: metric.value.replace("−", "-") for metric in app.metric}
    assert shown["Smallest"] == f"{values.min():.3g}" and shown["Largest"] == f"{values.max():.3g}"
    app.button(key="network_next").click().run()
    assert address(app)["channel"] == "10" and not app.exception
    app.button(key="network_back").click().run()
    assert "channel" not in address(app) and address(app)["layer"] == "conv_4"


def test_an_address_that_names_no_layer_or_map_gets_a_sentence():
    assert (
        "the layer “conv_99”"
        in open_page(shirt(), source="draw", view="maps", layer="conv_99").warning[0].value
    )
    assert (
        "the channel “64”"
        in open_page(shirt(), source="draw", view="maps", layer="conv_7", channel="64")
        .warning[0]
        .value
    )
    assert "the view “x”" in open_page(view="x").warning[0].value


def test_a_step_shows_the_products_and_the_sum_that_the_network_has():
    run_id = make_run()
    app = open_page(run=run_id, picture="12", view="steps", filter="4")
    maps = activations.load(run_id, inference.load(run_id)).maps(
        fashion_mnist.load("offline-sample").test_pixels[12]
    )
    app.slider(key="network_step_convolution").set_value(300).run()
    row, column = divmod(299, 28)
    expected = arithmetic._text(float(maps["conv_1"][row, column, 4]))
    assert f"Sum of the 9 products: <b>{expected}</b>" in markup(app)
    assert (
        f"After norm_1: <b>{arithmetic._text(float(maps['norm_1'][row, column, 4]))}</b>"
        in markup(app)
    )
    app.button(key="network_step_convolution_row_down").click().run()
    assert app.slider(key="network_step_convolution").value == 328


def test_a_pooling_is_shown_on_the_picture_where_the_network_has_none():
    app = open_page(shirt(), source="draw", view="steps", op="pooling")
    assert "has no max pooling" in said(app) and "Largest: " in markup(app)


def test_a_map_of_the_test_set_is_there_at_once_and_a_click_opens_its_picture():
    run_id = make_run()
    app = open_page(run=run_id, picture="12", view="map")
    chart = app.get("plotly_chart")
    assert len(chart) == 1 and "All 400 test pictures" in said(app)
    assert map_view.picked_index({"selection": {"points": [{"customdata": {"0": 17}}]}}) == 17
    assert map_view.picked_index({"selection": {"points": []}}) is None


@pytest.mark.parametrize(("colour", "groups"), [("class", 10), ("right", 2)])
def test_every_picture_is_one_point_of_its_group(colour, groups):
    found = answer_set.on_test(runs.read(make_run()))
    indices = embedding_map.choose_pictures(len(found.truth), 100)
    figure = map_view.figure(found, indices, np.zeros((100, 2)), colour, np.zeros(2))
    assert len(figure.data) == groups + 1
    drawn = sorted(point[0] for trace in figure.data[:-1] for point in trace.customdata)
    assert drawn == indices.tolist()
    if colour == "right":
        wrong = {point[0] for point in figure.data[1].customdata}
        assert wrong == {int(one) for one in indices if found.truth[one] != found.prediction[one]}


@pytest.mark.parametrize(
    ("topic", "says"),
    [
        ("neuron", "multiplies every number it receives"),
        ("activation", "What ReLU did to this picture"),
        ("passes", "back-propagation"),
        ("descent", "Below is one weight of this network"),
        ("overfitting", "memorise its training pictures"),
    ],
)
def test_each_topic_is_explained_with_the_numbers_in_view(topic, says):
    app = open_page(shirt(), source="draw", view="learning", topic=topic)
    assert says in said(app) and not app.warning and not app.error


def test_two_probabilities_of_one_picture_are_explained():
    app = open_page(shirt(), source="draw", view="learning", topic="passes")
    temperature = runs.champion().finished_record.temperature
    assert f"divides the scores (logits) by {temperature:.2f}" in said(app)
    assert "mirror image" in said(app)


@pytest.mark.parametrize(
    "walk",
    [
        steps.convolve(np.pad(np.eye(6), 4), np.ones((3, 3))),
        steps.pool(np.pad(np.eye(6), 4)),
        steps.convolve(np.pad(np.eye(6), 4) - 1, np.ones((4, 4)), stride=2),
    ],
)
def test_the_steps_begin_where_there_is_something_to_see(walk):
    row, column = divmod(arithmetic._liveliest(walk), walk.output.shape[1])
    window = walk.step(row * walk.output.shape[1] + column).window
    assert (
        len(set(window.ravel())) > 1
        and 0 < row < len(walk.output) - 1
        and 0 < column < walk.output.shape[1] - 1
    )


def test_the_neuron_adds_up_to_its_score():
    app = open_page(shirt(), source="draw", view="learning")
    products = app.table[0].value["Product"].tolist()
    total = float(products[-1].strip("*"))
    assert np.isclose(sum(float(text) for text in products[:-1]), total, atol=0.006)


def test_a_learning_rate_that_is_too_high_is_called_so():
    assert "too long" in learning.describe_walk(np.array([1.0, 0.5, 2.0]))
    assert "jump back and forth over" in learning.describe_walk(np.array([1.0, 0.2, 0.4, 0.1]))
    assert "short" in learning.describe_walk(np.array([1.0, 0.99, 0.98]))
    assert "from 1.000 to 0.100" in learning.describe_walk(np.array([1.0, 0.5, 0.1]))


def test_the_remedies_name_what_the_run_does():
    ours = {name: setting for name, _, setting in learning.list_remedies(preset("lab3-cnn").spec)}
    assert (
        ours["Dropout"] == "0.3"
        and ours["Batch normalisation"] == "no"
        and ours["A smaller network"] == "356,234 parameters"
    )
    swift = preset("swift").spec
    ours = {name: setting for name, _, setting in learning.list_remedies(swift)}
    assert (
        ours["Augmentation"] == "no"
        and ours["Weight penalties and decay"] == f"weight decay {swift.weight_decay:g}"
    )
    augmented = next(
        setting
        for name, _, setting in learning.list_remedies(preset("champion").spec)
        if name == "Augmentation"
    )
    assert augmented == "mirrored, moved by up to 2 px, 50 % partly erased"
    assert ours["Label smoothing"] == f"{swift.label_smoothing:g}"


def test_a_run_that_cannot_be_looked_into_keeps_its_table_and_the_classic_filters():
    run_id = make_run("Half", whole=False)
    app = open_page(run=run_id, picture="3")
    assert "has no model.keras" in app.info[0].value and len(app.table) == 1 and not app.error
    app = open_page(run=run_id, picture="3", view="steps")
    assert "A hand-designed filter" in said(app) and ", as trained" not in said(app)
    assert not open_page(run=run_id, picture="3", view="maps").error


def test_a_network_that_disagrees_with_its_weights_is_not_shown():
    run_id = make_run("Swapped")
    runs.write(run_id, "model.onnx", template_network())
    app = open_page(run=run_id, picture="3", view="maps")
    assert "differently" in app.info[0].value


def test_colours_tell_signs_apart_and_a_mosaic_holds_every_channel():
    warm, cold, nothing = heat.colours(np.array([1.0, -1.0, 0.0]), 1.0)
    assert warm[0] > warm[2] and cold[2] > cold[0] and nothing.tolist() == [0, 0, 0]
    assert heat.mosaic(np.ones((4, 4, 5))).shape == (2 * 5 - 1, 3 * 5 - 1, 3)
    assert heat.mosaic(np.ones(10)).shape == (3, 4, 3)
    assert heat.mosaic(np.zeros((7, 7, 128))).max() == heat.GAP  # nothing but the lines


def test_every_kind_of_layer_in_every_architecture_is_explained():
    for known in PRESETS.values():
        assert all(layer_list.words(layer) for layer in blueprint(known.spec))
