"""The pictures that a training sees: all of them once an epoch, augmented as the spec asks, and the
same after an interruption.
"""

from __future__ import annotations

import numpy as np
import pytest

from core.specs.spec import TrainSpec
from core.training.augmentation import augment
from core.training.batches import Batches

PLAIN = TrainSpec(batch=64, seed=5)


@pytest.fixture
def pixels() -> np.ndarray:
    # Never 0, so that what is black came from outside.
    return np.random.default_rng(0).integers(1, 256, (200, 28, 28), dtype=np.uint8)


@pytest.fixture
def targets() -> np.ndarray:
    return np.eye(10, dtype=np.float32)[np.arange(200) % 10]


def all_of(batches: Batches) -> tuple[np.ndarray, np.ndarray]:
    pictures, targets = zip(*(batches[number] for number in range(len(batches))), strict=True)
    return np.concatenate(pictures)[..., 0], np.concatenate(targets)


def rng() -> np.random.Generator:
    return np.random.default_rng(1)


def test_an_epoch_shows_every_picture_once_with_its_target(pixels, targets):
    batches = Batches(pixels, targets, PLAIN)
    assert [len(batches[number][0]) for number in range(len(batches))] == [64, 64, 64, 8]
    pictures, seen = all_of(batches)
    assert (pictures.dtype, batches[0][0].shape) == (np.float32, (64, 28, 28, 1))
    where = np.array([np.flatnonzero((pixels == picture).all((1, 2)))[0] for picture in pictures])
    assert sorted(where) == list(range(200)) and (seen == targets[where]).all()
    assert not (where == np.arange(200)).all()


def test_each_epoch_has_its_own_order_and_a_resumed_training_continues_with_the_next(
    pixels, targets
):
    spec = PLAIN.replace(flip=True, shift=2, rotate=10.0, erase=0.5)
    running, first = Batches(pixels, targets, spec), all_of(Batches(pixels, targets, spec))
    assert all((one == other).all() for one, other in zip(all_of(running), first, strict=True))
    running.on_epoch_end()
    assert not (all_of(running)[0] == first[0]).all()
    resumed = Batches(pixels, targets, spec, epochs_done=1)
    assert all(
        (one == other).all() for one, other in zip(all_of(running), all_of(resumed), strict=True)
    )


def test_nothing_is_augmented_unasked_and_the_originals_never_change(pixels):
    assert augment(pixels, PLAIN, rng()) is pixels
    before = pixels.copy()
    augment(pixels, PLAIN.replace(flip=True, shift=3, rotate=20.0, erase=1.0), rng())
    assert (pixels == before).all()


def test_about_half_are_mirrored(pixels):
    augmented = augment(pixels, PLAIN.replace(flip=True), rng())
    mirrored = (augmented == pixels[:, :, ::-1]).all((1, 2))
    assert (mirrored | (augmented == pixels).all((1, 2))).all() and 70 < mirrored.sum() < 130


def test_shifts_reach_every_whole_pixel_up_to_the_most_and_black_moves_in(pixels):
    augmented = augment(pixels, PLAIN.replace(shift=2), rng())
    found = set()
    for picture, original in zip(augmented, pixels, strict=True):
        framed = np.pad(original, 2)
        places = [
            (down, right)
            for down in range(5)
            for right in range(5)
            if (framed[down : down + 28, right : right + 28] == picture).all()
        ]
        assert len(places) == 1
        found.add(places[0])
    assert len(found) == 25


def test_a_rectangle_is_erased_in_the_share_that_was_asked_for(pixels):
    augmented = augment(pixels, PLAIN.replace(erase=0.5), rng())
    changed = augmented != pixels
    touched = changed.any((1, 2))
    assert 70 < touched.sum() < 130
    areas = []
    for mask in changed[touched]:
        rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
        areas.append((rows[-1] - rows[0] + 1) * (columns[-1] - columns[0] + 1) / 784)
        assert mask.sum() / (areas[-1] * 784) > 0.9  # noise hits the old value one time in 256
    assert min(areas) > 0.01 and max(areas) < 0.36 and max(areas) - min(areas) > 0.15
    assert (augment(pixels, PLAIN.replace(erase=1.0), rng()) != pixels).any((1, 2)).all()


def test_rotation_keeps_the_middle_and_shows_black_corners():
    square = np.full((40, 28, 28), 200, np.uint8)
    augmented = augment(square, PLAIN.replace(rotate=30.0), rng())
    assert (augmented[:, 9:19, 9:19] == 200).all()
    corners = augmented[:, [0, 0, -1, -1], [0, -1, 0, -1]]
    assert (corners == 0).mean() > 0.5 and len({picture.tobytes() for picture in augmented}) > 20
