"""Pictures from outside: every source knows its right answers, and what is learned from is never
what is measured.
"""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from core.errors import UnreadablePicture
from core.outside import generated, measured, sources


def garment(path: Path, level: int = 40) -> Path:
    """A dark rectangle on white, as a file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.full((80, 60), 255, np.uint8)
    pixels[10:70, 15:45] = level
    Image.fromarray(pixels).save(path)
    return path


@pytest.fixture
def photographs(tmp_path) -> Path:
    """Sixty photographs of three folders, and one folder of another name."""
    for number in range(20):
        for name in ("shirt", "shoes", "hat"):
            garment(tmp_path / "photographs" / name / f"{number}.jpg")
    garment(tmp_path / "photographs" / "curtain" / "1.jpg")
    return tmp_path / "photographs"


def test_a_folder_is_read_by_the_class_index_that_its_folders_begin_with(tmp_path):
    for name in (
        "0_t-shirt/a.png",
        "9_ankle boot/b.jpg",
        "7/c.png",
        "none_hats/d.png",
        "10_more/e.png",
        "notes/f.png",
    ):
        garment(tmp_path / name)
    (tmp_path / "0_t-shirt" / "notes.txt").write_text("not a picture")
    found = {one.name: one.accepted for one in sources.list_folder(tmp_path)}
    assert found == {
        "0_t-shirt/a.png": (0,),
        "9_ankle boot/b.jpg": (9,),
        "7/c.png": (7,),
        "none_hats/d.png": (),
    }
    assert sources.list_folder(tmp_path)[0].open().size == (60, 80)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda path: sources.list_folder(path / "missing"), "cannot be opened as a folder"),
        (lambda path: sources.list_folder(path), "has no folders such as 0_T-shirt-top"),
        (
            lambda path: sources.list_photographs(path, "held-out"),
            "has no photographs in folders named t-shirt",
        ),
        (
            lambda path: sources.list_folder(garment(path / "file.png")),
            "cannot be opened as a folder",
        ),
        (lambda path: measured.held_out(1, path), "has no photographs"),
    ],
)
def test_a_folder_with_nothing_of_use_gets_a_sentence(make, words, tmp_path):
    with pytest.raises(UnreadablePicture, match=words):
        make(tmp_path)


def test_photographs_are_dealt_out_once_and_always_the_same_way(photographs):
    parts = {
        part: [one.name for one in sources.list_photographs(photographs, part)]
        for part in sources.PARTS
    }
    everything = [*itertools.chain(*parts.values())]
    assert len(everything) == len(set(everything)) == 60
    assert all(parts.values())
    garment(photographs / "shirt" / "later.jpg")  # a new one moves no other
    for part, names in parts.items():
        assert set(names) <= {one.name for one in sources.list_photographs(photographs, part)}


def test_a_photograph_accepts_what_its_folder_says(photographs):
    accepted = {
        one.name.split("/")[0]: one.accepted
        for part in sources.PARTS
        for one in sources.list_photographs(photographs, part)
    }
    assert accepted == {"shirt": (6,), "shoes": (5, 7, 9), "hat": ()}


@pytest.mark.parametrize("kind", generated.KINDS)
def test_drawings_are_the_same_at_every_opening_and_of_no_other_part(kind):
    first, again = (sources.list_drawings(kind, "held-out", count) for count in (4, 12))
    assert [one.name for one in first] == [one.name for one in again][:4]
    drawn = {
        part: [np.asarray(one.open()).tobytes() for one in sources.list_drawings(kind, part, 4)]
        for part in sources.PARTS
    }
    assert drawn["held-out"] == [np.asarray(one.open()).tobytes() for one in again[:4]]
    assert len({*itertools.chain(*drawn.values())}) == 4 * len(sources.PARTS)


def test_drawings_go_through_the_classes_in_turn_and_scribbles_have_none():
    assert [one.accepted for one in sources.list_drawings("icons", "held-out", 12)] == [
        (label % 10,) for label in range(12)
    ]
    assert {one.accepted for one in sources.list_drawings("scribbles", "held-out", 12)} == {()}


def test_a_part_that_does_not_exist_is_refused(photographs):
    with pytest.raises(ValueError, match="held-out"):
        sources.list_drawings("icons", "test", 1)
    with pytest.raises(ValueError, match="held-out"):
        sources.list_photographs(photographs, "test")


def test_a_picture_is_found_again_by_its_name(photographs):
    for one in (
        *sources.list_drawings("sketches", "held-out", 3),
        *sources.list_photographs(photographs, "held-out")[:3],
    ):
        again = measured.find(one.name, photographs)
        assert again.accepted == one.accepted
        assert np.array_equal(np.asarray(again.open()), np.asarray(one.open()))


@pytest.mark.parametrize(
    "name",
    [
        "sketches/learn/1",
        "sketches/held-out/99999999",
        "paintings/held-out/1",
        "../../etc/passwd",
        "",
        "shirt/no.jpg",
    ],
)
def test_a_name_of_no_held_out_picture_finds_nothing(name, photographs):
    assert measured.find(name, photographs) is None
    assert measured.find(name) is None
