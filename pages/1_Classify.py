"""Classify: show the network a drawing, files, a camera shot or a test picture, and see its answer
and the reasons.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import streamlit as st

from core.labels import CLASS_NAMES
from ui import frame, state
from ui.answers import test_set_picture
from ui.classify import canvas, crop_box, how_well, result, sheet, uploads
from ui.classify.result import Contender
from ui.classify.uploads import Refusal, Upload
from ui.components import thumbnails

Mode = Literal["draw", "upload", "camera", "test"]
MODES: dict[Mode, str] = {
    "draw": "Draw",
    "upload": "Upload",
    "camera": "Camera",
    "test": "Test picture",
}


@st.fragment
def upload(contenders: list[Contender]) -> None:
    """Several files at once, one of which is looked at closely."""
    files = st.file_uploader(
        "Pictures of single garments",
        uploads.ACCEPTED,
        accept_multiple_files=True,
        key="classify_files",
    )
    if not files:
        st.info(
            "A photograph of one garment on a plain background works best. Your pictures stay on "
            "this server and are not stored.",
            icon=":material/photo_camera:",
        )
        return
    most = uploads.MOST_FILES
    if len(files) > most:
        st.warning(
            f"Up to {most} pictures are classified at once; the last {len(files) - most} are left "
            "out. Remove some of the others to see those.",
            icon=":material/info:",
        )
    results = uploads.read_all(files[:most], result.chosen_options())
    readable = [one for one in results if isinstance(one, Upload)]
    for one in results:
        if isinstance(one, Refusal):
            st.error(one.problem, icon=":material/broken_image:")
    if len(readable) > 1:
        result.draw_overview(contenders, readable)
    if readable:
        first = next((one for one in readable if not one.blank), readable[0])
        chosen_id = uploads.upload_state().chosen
        chosen = next((one for one in readable if one.file.file_id == chosen_id), first)
        look_closely(contenders, chosen, chosen.file.name)


@st.fragment
def camera(contenders: list[Contender]) -> None:
    """One shot from the camera."""
    shot = st.camera_input(
        "Hold up one garment in front of a plain background", key="classify_camera", width=480
    )
    if shot is None:
        st.caption(
            "Browsers allow the camera only on this computer or over https. Shots are not stored."
        )
        return
    (outcome,) = uploads.read_all([shot], result.chosen_options())
    if isinstance(outcome, Refusal):
        st.error(outcome.problem, icon=":material/broken_image:")
    else:
        look_closely(contenders, outcome, "Your photograph")


def look_closely(contenders: list[Contender], picture: Upload, name: str) -> None:
    """The picture, of which a part may be chosen, with the answer next to it; then the steps."""
    file, uploaded = picture.file, uploads.upload_state()
    with st.container(horizontal=True, gap="medium"):
        left, right = st.container(width=canvas.WIDTH), st.container(key="classify_answer")
    with left:
        crop_box.draw(
            file.file_id,
            uploads.source_of(file),
            name,
            uploaded.crops.get(file.file_id),
            uploaded.crop,
            key="classify_crop",
        )
    with right:
        predictions = result.draw_answers(
            contenders, picture.pixels, blank=picture.blank, kind=picture.kind
        )
    prepared = uploads.prepare(file, result.chosen_options()).prepared
    result.draw_remarks(prepared)
    result.draw_options(fill=True)
    result.draw_steps(prepared)
    result.draw_reasons(contenders, picture.pixels, predictions)


def from_test_set(contenders: list[Contender]) -> None:
    """A picture of the test set, any or one of a class, with its truth."""
    data = frame.data_or_stop()
    index = test_set_picture.choose(data, "classify")
    pixels, truth = data.test_pixels[index], int(data.test_labels[index])
    with st.container(horizontal=True, gap="medium"):
        left, right = st.container(width=canvas.WIDTH), st.container(key="classify_answer")
    with left:
        thumbnails.show(
            pixels,
            alt=f"Test picture {index}: {CLASS_NAMES[truth]}",
            width=canvas.WIDTH,
            caption=f"Test picture {index:,}. Truth: {CLASS_NAMES[truth]}.",
        )
    with right:
        predictions = result.draw_answers(contenders, pixels, truth=truth)
    result.draw_reasons(contenders, pixels, predictions)


VIEWS: dict[Mode, Callable[[list[Contender]], None]] = {
    "draw": sheet.show,
    "upload": upload,
    "camera": camera,
    "test": from_test_set,
}

frame.begin(
    "Classify",
    "Draw, upload or photograph a garment, and see what the network says and why.",
    icon=":material/draw:",
)
st.html(f"<style>{result.style()}</style>")
with frame.errors():
    mode = state.linked(
        "mode",
        "classify_mode",
        {str(mode): mode for mode in MODES},
        "the mode",
        "draw",
        lambda options: st.segmented_control(
            "Where the picture comes from",
            options,
            key="classify_mode",
            required=True,
            format_func=MODES.__getitem__,
            label_visibility="collapsed",
        ),
    )
    if mode != "test":
        state.put({"picture": None, "class": None})
    with st.container(key="classify_networks"):
        contenders = result.choose_networks()
    if not contenders:
        st.stop()
    VIEWS[mode](contenders)
    how_well.draw(contenders[0].run)
