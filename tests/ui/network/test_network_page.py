"""The Network page shows every layer of a run with people's own pictures, and says what it cannot
show.

The runs here have the shipped network and the offline sample's pictures. Clicks on charts and in
galleries belong to the browser tests; here the functions behind them are called.
"""

from __future__ import annotations

import base64
import html
import io
import json
import re

import numpy as np
import pytest
from PIL import Image, ImageDraw
from streamlit.testing.v1 import AppTest

from core import inference, runs
from core.data import fashion_mnist
from core.explain import activations, embedding_map, steps
from core.labels import CLASS_NAMES
from core.networks import blocks
from core.networks.architectures import blueprint
from core.settings import ROOT
from core.specs.presets import PRESETS, preset
from tests.fixtures import finished_run
from tests.small_networks import template_network
from ui import frame
from ui.answers import answer_set
from ui.classify import canvas
from ui.classify.drawing_history import Sheet
from ui.components import heat
from ui.network import diagram, layer_list, learning, map_view, window_walk
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
        mine = Sheet(
            drawing={"objects": [{"type": "Path", "path": [["M", 1, 1], ["Q", 1, 1, 2, 2]]}]},
            png=out.getvalue(),
        )
        app.session_state["atelier_session"] = Session(
            pages={"ui.classify.drawing_history.Sheet": mine}
        )
    app.switch_page(frame.NETWORK)
    app.query_params.update(params)
    app.run()
    assert not app.exception
    return app


def said(app: AppTest) -> str:
    kinds = (app.error, app.warning, app.info, app.caption, app.markdown, app.header)
    return "\n".join(element.value for kind in kinds for element in kind)


def markup(app: AppTest) -> str:
    return html.unescape("".join(element.proto.body for element in app.get("html")))


def address(app: AppTest) -> dict[str, str]:
    return {
        param: text if isinstance(text, str) else text[-1]
        for param, text in app.query_params.items()
    }


def sent(app: AppTest, component: str) -> dict:
    """What the browser is told by one of our components."""
    (found,) = (
        json.loads(element.proto.json)
        for element in app.get("bidi_component")
        if element.proto.component_name == component
    )
    return found


def drawing(app: AppTest) -> str:
    """The HTML of the network's drawing."""
    return sent(app, "atelier_diagram")["html"]


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


def test_the_network_is_drawn_first_and_every_box_leads_to_its_maps():
    run_id = make_run()
    app = open_page(run=run_id, picture="12")
    assert "with what each part makes of test picture 12" in said(app)
    drawn = drawing(app)
    assert drawn.count("skip connection") == 4 and drawn.count("Residual block") == 6
    linked = re.findall('data-layer="([^"]+)" href="([^"]+)"', html.unescape(drawn))
    assert len(linked) == drawn.count("<a ") == 26
    layers = {layer.name for layer in blueprint(runs.read(run_id).spec)}
    for name, href in linked:
        assert name in layers and f"view=maps&layer={name}" in href and f"run={run_id}" in href
    assert drawn.count("<img ") == drawn.count('class="unit"') == 20


def test_a_test_picture_is_one_line_until_it_is_unfolded():
    app = open_page(run=make_run(), picture="12")
    truth = CLASS_NAMES[fashion_mnist.load("offline-sample").test_labels[12]]
    hides = ".st-key-network_subject { display: none; }"
    assert f"Test picture 12: {truth}" in markup(app) and hides in markup(app)
    app.button(key="network_fold").click().run()
    assert hides not in markup(app) and "The network: " not in markup(app)
    app.segmented_control(key="network_view").set_value("filters").run()
    assert hides in markup(app)
    app.button(key="network_other").click().run()
    shown = int(address(app)["picture"])  # at random, so it may be the same one
    assert f"Test picture {shown}: " in markup(app) and address(app)["view"] == "filters"


def test_without_a_picture_the_boxes_have_no_maps():
    drawn = drawing(open_page())
    assert "<img" not in drawn and "Convolution 3 × 3" in drawn


def test_a_box_says_what_comes_before_and_after_its_weighted_sum():
    spec = preset("champion").spec
    residual = blocks.blocks(blueprint(spec))[2].parts[0].branches[1][0]
    assert diagram.describe(residual) == (
        "norm · ReLU",
        "Convolution 3 × 3",
        "16 filters · norm · ReLU",
    )


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
    assert "<h2>T-shirt/top</h2>" in markup(app)
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


def walk(app: AppTest) -> dict:
    """What the browser is told about the walk of a window."""
    return sent(app, "atelier_walk")


def test_the_walk_of_a_filter_has_the_numbers_of_the_network():
    run_id = make_run()
    told = walk(open_page(run=run_id, picture="12", view="steps", filter="4"))
    inside = activations.load(run_id, inference.load(run_id))
    maps = inside.maps(fashion_mnist.load("offline-sample").test_pixels[12])
    assert np.allclose(told["output"], maps["conv_1"][..., 4], rtol=1e-3, atol=1e-4)
    after = {row["name"]: row["values"] for row in told["after"]}
    assert list(after) == ["norm_1", "activation_1"]
    for name, values in after.items():
        assert np.allclose(values, maps[name][..., 4], rtol=1e-3, atol=1e-4)
    window = np.array(told["input"])[10:13, 7:10]
    assert np.isclose(
        (window * told["weights"]).sum() + told["bias"], told["output"][10][7], atol=1e-3
    )


def test_a_pooling_is_shown_on_the_picture_where_the_network_has_none():
    app = open_page(shirt(), source="draw", view="steps", op="pooling")
    told = walk(app)
    assert "has no max pooling" in said(app) and told["weights"] is None
    values = np.array(told["input"], float)
    assert told["output"][7][9] == values[14:16, 18:20].max()


def test_a_map_of_the_test_set_is_there_at_once_with_the_picture_of_every_point():
    app = open_page(run=make_run(), picture="12", view="map")
    told = sent(app, "atelier_point_map")
    data = fashion_mnist.load("offline-sample")
    assert "All 400 test pictures" in said(app)
    assert told["indices"] == list(range(400)) and told["mark"] is not None
    assert np.allclose(told["mark"], told["positions"][12], atol=0.01)
    sheet = Image.open(io.BytesIO(base64.b64decode(told["sheet"].split(",")[1]))).convert("L")
    row, column = divmod(37, told["columns"])
    tile = np.asarray(sheet)[28 * row : 28 * row + 28, 28 * column : 28 * column + 28]
    assert np.abs(tile.astype(int) - data.test_pixels[37]).mean() < 12  # WebP
    found = answer_set.on_test(runs.read(app.selectbox(key="network_run").value))
    assert told["words"][37].startswith(CLASS_NAMES[found.truth[37]])


@pytest.mark.parametrize(("colour", "count"), [("class", 10), ("right", 2)])
def test_every_picture_is_one_point_of_its_group(colour, count):
    found = answer_set.on_test(runs.read(make_run()))
    indices = embedding_map.choose_pictures(len(found.truth), 100)
    drawn = map_view.groups(found, indices, colour)
    assert len(drawn) == count
    members = np.concatenate([group.members for group in drawn])
    assert sorted(members.tolist()) == list(range(100))
    if colour == "right":
        wrong = indices[drawn[1].members]
        assert (found.truth[wrong] != found.prediction[wrong]).all()


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
    "moves",
    [
        steps.convolve(np.pad(np.eye(6), 4), np.ones((3, 3))),
        steps.pool(np.pad(np.eye(6), 4)),
        steps.convolve(np.pad(np.eye(6), 4) - 1, np.ones((4, 4)), stride=2),
    ],
)
def test_the_steps_begin_where_there_is_something_to_see(moves):
    row, column = divmod(window_walk.liveliest(moves), moves.output.shape[1])
    window = moves.step(row * moves.output.shape[1] + column).window
    assert (
        len(set(window.ravel())) > 1
        and 0 < row < len(moves.output) - 1
        and 0 < column < moves.output.shape[1] - 1
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
