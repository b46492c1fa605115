"""Classify: hand the network a drawing, files, a camera shot or a test picture, and see what it
says and why.
"""

from __future__ import annotations

import streamlit as st

from core import pictures as picture
from core.labels import CLASS_NAMES
from core.pictures import scribble
from ui import frame, state
from ui.answers import test_set_picture
from ui.classify import canvas, crop_box, how_well, result, uploads
from ui.classify.result import Contender
from ui.components import thumbnails

MODES = {"draw": "Draw", "upload": "Upload", "camera": "Camera", "test": "A test picture"}
KINDS = ["png", "jpg", "jpeg", "webp", "bmp", "gif"]


@st.fragment
def draw(asked: list[Contender]) -> None:
    """A sheet beside the answer, which follows every stroke."""
    with st.container(horizontal=True, gap="medium"):
        left, right = st.container(width=canvas.WIDTH), st.container(key="classify_answer")
    with left:
        drawn = canvas.sheet()
    if drawn is None:
        with right:
            result.nothing(
                "Nothing yet",
                "Draw the outline of a T-shirt: neck, sleeves, sides, hem. Close it and it is filled for "
                "you. The answer follows every stroke.",
            )
        return
    how = result.adjusted(fill=False)
    prepared = picture.prepare(
        picture.from_canvas(drawn.rgba), polarity=how.polarity, trim=how.trim, fill=drawn.fill
    )
    with right:
        given = result.answers(
            asked,
            prepared.pixels,
            blank=prepared.blank,
            doubt=scribble.doubt(drawn.rgba, drawn.pen),
        )
    result.remarks(prepared)
    result.adjust(fill=False)
    result.steps(prepared)
    result.why(asked, prepared.pixels, given)


@st.fragment
def upload(asked: list[Contender]) -> None:
    """Several files at once; the one that is chosen is looked at closely."""
    files = st.file_uploader(
        "Pictures of single garments", KINDS, accept_multiple_files=True, key="classify_files"
    )
    if not files:
        st.info(
            "A photograph of one garment on a plain background works best. Nothing you bring leaves this server or is kept.",
            icon=":material/photo_camera:",
        )
        return
    if len(files) > uploads.MOST_FILES:
        st.warning(
            f"Up to {uploads.MOST_FILES} pictures are answered at once; the {len(files) - uploads.MOST_FILES} after them are "
            "left out. Take some away to see those.",
            icon=":material/info:",
        )
    found = uploads.read_all(files[: uploads.MOST_FILES], result.adjusted(fill=True))
    good = [one for one in found if not one.problem]
    for one in found:
        if one.problem:
            st.error(one.problem, icon=":material/broken_image:")
    if len(good) > 1:
        result.overview(asked, good)
    if good:
        first = next((one for one in good if not one.blank), good[0])
        chosen = next((one for one in good if one.file.file_id == uploads.desk().chosen), first)
        closer(asked, chosen, chosen.file.name, fill=True)


@st.fragment
def camera(asked: list[Contender]) -> None:
    """One shot from the camera."""
    shot = st.camera_input(
        "Hold up one garment before a plain background", key="classify_camera", width=480
    )
    if shot is None:
        st.caption(
            "Browsers give the camera only to pages on this computer or behind https. A shot is not kept."
        )
        return
    found = uploads.read_all([shot], result.adjusted(fill=False))[0]
    if found.problem:
        st.error(found.problem, icon=":material/broken_image:")
    else:
        closer(asked, found, "Your photograph", fill=False)


def closer(asked: list[Contender], one: uploads.Upload, name: str, *, fill: bool) -> None:
    """One file: the picture, of which a part may be chosen, beside what the network says; then the
    steps between.
    """
    file, desk = one.file, uploads.desk()
    with st.container(horizontal=True, gap="medium"):
        left, right = st.container(width=canvas.WIDTH), st.container(key="classify_answer")
    with left:
        crop_box.choose(
            file.file_id,
            uploads.whole(file),
            name,
            desk.crops.get(file.file_id),
            desk.crop,
            key="classify_crop",
        )
    with right:
        given = result.answers(asked, one.pixels, blank=one.blank)
    prepared = uploads.closely(file, result.adjusted(fill=fill))
    result.remarks(prepared)
    result.adjust(fill=fill)
    result.steps(prepared)
    result.why(asked, one.pixels, given)


def from_test_set(asked: list[Contender]) -> None:
    """A picture of the test set, any or of one class, with its truth."""
    data = frame.data_or_stop()
    index = test_set_picture.choose(data, "classify")
    truth = int(data.test_labels[index])
    with st.container(horizontal=True, gap="medium"):
        left, right = st.container(width=canvas.WIDTH), st.container(key="classify_answer")
    with left:
        thumbnails.show(
            data.test_pixels[index],
            alt=f"Test picture {index}: {CLASS_NAMES[truth]}",
            width=canvas.WIDTH,
            caption=f"Test picture {index:,}. The truth: {CLASS_NAMES[truth]}.",
        )
    with right:
        given = result.answers(asked, data.test_pixels[index], truth=truth)
    result.why(asked, data.test_pixels[index], given)


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
        {text: text for text in MODES},
        "the mode",
        "draw",
        lambda options: st.segmented_control(
            "Bring a picture",
            options,
            key="classify_mode",
            required=True,
            format_func=MODES.get,
            label_visibility="collapsed",
        ),
    )
    if mode != "test":
        state.put({"picture": None, "class": None})
    with st.container(key="classify_networks"):
        asked = result.choose()
    if not asked:
        st.stop()
    {"draw": draw, "upload": upload, "camera": camera, "test": from_test_set}[mode](asked)
    how_well.panel(asked[0].run)
