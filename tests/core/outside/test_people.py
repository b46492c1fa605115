"""People's own drawings, icons and photographs: how their folders are read, and that no picture is
both learned from and measured.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from core.errors import UnreadablePicture
from core.outside import auxiliary, measured, people, sources

SQUARE = [[[0, 255, 255, 0, 0], [0, 0, 255, 255, 0]]]


def icon(path: Path, ground: tuple[int, int, int, int] = (0, 0, 0, 0)) -> None:
    """A black rectangle, on a transparent background unless told otherwise."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.full((64, 64, 4), ground, np.uint8)
    pixels[10:54, 16:48] = 0, 0, 0, 255
    Image.fromarray(pixels).save(path)


@pytest.fixture
def folders(tmp_path) -> dict[people.Source, Path]:
    """A folder of each source: eighty pictures of two classes, and forty of none of the ten."""
    drawings, icons, snapshots = (tmp_path / name for name in ("d", "i", "s"))
    drawings.mkdir()
    lines = [{"class": n % 2, "key_id": str(n), "drawing": SQUARE} for n in range(80)]
    lines.append({"class": 0, "key_id": "blob", "seen": "unclear", "drawing": SQUARE})
    none = [{"class": None, "key_id": f"n{n}", "drawing": SQUARE} for n in range(40)]
    for name, rows in (("garments", lines), ("none", none)):
        text = "\n".join(map(json.dumps, rows))
        (drawings / f"{name}.ndjson").write_text(text, encoding="utf-8")
    for root in (icons, snapshots):
        names = [(f"{n % 2}_c/{n}.png", str(n % 2)) for n in range(80)]
        names += [(f"none_hat/{n}.png", "") for n in range(40)]
        names += [("none_other-shoes/1.png", "")]
        for name, _ in names:
            icon(root / name, (255, 255, 255, 255) if root is snapshots else (0, 0, 0, 0))
        rows_text = "".join(f"{name},{label},x\n" for name, label in names)
        (root / "manifest.csv").write_text(f"file,class,tag\n{rows_text}", encoding="utf-8")
    (snapshots / "shoes-labels.csv").write_text("file,class\na.png,7\nb.png,\n", encoding="utf-8")
    return {"drawings": drawings, "pictograms": icons, "snapshots": snapshots}


@pytest.mark.parametrize("source", people.SOURCES)
def test_every_picture_is_in_one_part_and_has_its_right_answer(source, folders):
    by_part = {part: people.list_pictures(source, folders[source], part) for part in sources.PARTS}
    names = [one.name for found in by_part.values() for one in found]
    assert len(names) == len(set(names)) == 120
    assert len(by_part["learn"]) > len(by_part["held-out"]) > 0
    accepted = [one.accepted for found in by_part.values() for one in found]
    assert {answers: accepted.count(answers) for answers in set(accepted)} == {
        (0,): 40,
        (1,): 40,
        (): 40,
    }
    assert not any("blob" in name or "other-shoes" in name for name in names)


@pytest.mark.parametrize("source", people.SOURCES)
def test_views_are_balanced_different_and_the_same_every_time(source, folders, monkeypatch):
    learned = people.list_pictures(source, folders[source], "learn")
    number = sum(one.accepted == (0,) for one in learned)
    monkeypatch.setitem(people.BALANCE, source, (3 * number, (1, 5)))
    made = list(people.views(source, folders[source]))
    answers = [accepted for _, accepted in made]
    assert answers.count((0,)) == 3 * number
    assert answers.count(()) == people.NONE_VIEWS[source] * sum(not one.accepted for one in learned)
    again = list(people.views(source, folders[source]))
    assert all(a[0].tobytes() == b[0].tobytes() for a, b in zip(made, again, strict=True))
    assert len({image.tobytes() for image, _ in made}) > len(made) // 2


def test_a_drawing_is_strokes_with_a_black_pen_on_white(folders):
    one = people.list_pictures("drawings", folders["drawings"], "learn")[0]
    pixels = np.asarray(one.open())
    assert pixels.shape == (people.PAPER, people.PAPER)
    assert pixels[people.PAPER // 2, people.PAPER // 2] == 255  # an outline, not an area
    dark = np.argwhere(pixels < 128)
    assert dark.min(0) == pytest.approx([13, 13], abs=2)


def test_an_icon_is_on_white(folders):
    one = people.list_pictures("pictograms", folders["pictograms"], "learn")[0]
    image = one.open()
    assert image.mode == "RGB" and image.getpixel((1, 1)) == (255, 255, 255)
    assert image.getpixel((32, 32)) == (0, 0, 0)


def test_labels_of_shoes_replace_what_their_folder_says(folders, tmp_path):
    labels = people.shoe_labels(folders["snapshots"])
    assert labels == {"shoes/a.png": (7,)}
    assert people.shoe_labels(None) == people.shoe_labels(folders["drawings"]) == {}
    for name in ("a.png", "b.png"):
        icon(tmp_path / "photographs" / "shoes" / name)
    for number in range(30):
        icon(tmp_path / "photographs" / "shirt" / f"{number}.png")
    found = {
        one.name: one.accepted
        for part in sources.PARTS
        for one in sources.list_photographs(tmp_path / "photographs", part, labels)
    }
    assert found["shoes/a.png"] == (7,) and found["shoes/b.png"] == (5, 7, 9)


def test_people_s_pictures_are_measured_and_found_again_by_name(folders):
    held_out = measured.held_out(2, None, folders)
    assert set(people.SOURCES) < set(held_out)
    for source in people.SOURCES:
        one = held_out[source][0]
        again = measured.find(one.name, None, folders)
        assert again is not None and again.open().tobytes() == one.open().tobytes()
        assert measured.find(one.name, None, {}) is None


def test_tuning_takes_few_pictures_of_none_of_the_ten(folders):
    tuning = auxiliary.tuning_pictures(None, 4, folders)
    for source in people.SOURCES:
        garments = tuning[source].accepted.any(axis=1)
        assert garments.any() and (~garments).sum() <= garments.sum() // 4


@pytest.mark.parametrize(
    ("source", "file", "content", "words"),
    [
        ("drawings", "garments.ndjson", "{not json", "cannot be read as people's drawings"),
        ("drawings", "none.ndjson", '{"class": 1}', "cannot be read as people's drawings"),
        ("pictograms", "manifest.csv", "name\nx\n", "columns file and class"),
        ("snapshots", "manifest.csv", "file,class\n", "no pictures"),
        ("snapshots", "manifest.csv", "file,class\na.png,seven\n", "columns file and class"),
    ],
)
def test_a_folder_of_another_layout_is_refused_in_a_sentence(source, file, content, words, folders):
    (folders[source] / file).write_text(content, encoding="utf-8")
    with pytest.raises(UnreadablePicture, match=words):
        people.list_pictures(source, folders[source], "learn")


def test_a_folder_that_is_not_there_is_refused(tmp_path):
    for source in people.SOURCES:
        with pytest.raises(UnreadablePicture, match="cannot be read"):
            people.list_pictures(source, tmp_path / "none", "learn")
