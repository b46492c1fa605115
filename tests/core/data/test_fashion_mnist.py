"""Finding, downloading, checking and splitting the data, on small files of the same form.

The only server is one on this machine.
"""

from __future__ import annotations

import gzip
import hashlib
import http.server
import os
import threading
import time
from pathlib import Path
from typing import get_args

import numpy as np
import pytest
from sklearn.model_selection import KFold, train_test_split

from core import labels
from core.data import fashion_mnist as dataset
from core.data import idx_files, splits
from core.errors import DataDamaged, DataUnavailable, InvalidSpec, StorageProblem
from core.specs.fields import Validation

NOBODY = "http://127.0.0.1:9/"  # the discard port, where nothing answers


def idx(values: np.ndarray) -> bytes:
    """An IDX file as its description says: magic number, sizes, bytes."""
    return (
        bytes([0, 0, 8, values.ndim])
        + b"".join(n.to_bytes(4, "big") for n in values.shape)
        + values.tobytes()
    )


@pytest.fixture
def small(tmp_path, monkeypatch):
    """A folder with four small files that pass for the official ones; no source answers."""
    rng, folder, files = np.random.default_rng(0), tmp_path / "published", []
    folder.mkdir()
    for name, n in (("train", 40), ("t10k", 20)):
        for kind, values in (
            ("images-idx3", rng.integers(0, 256, (n, 28, 28), dtype=np.uint8)),
            ("labels-idx1", np.arange(n, dtype=np.uint8) % 10),
        ):
            path = folder / f"{name}-{kind}-ubyte.gz"
            path.write_bytes(gzip.compress(idx(values), mtime=0))
            content = path.read_bytes()
            files.append(
                idx_files.DataFile(path.name, len(content), hashlib.sha256(content).hexdigest())
            )
    monkeypatch.setattr(idx_files, "FILES", tuple(files))
    monkeypatch.setattr(idx_files, "SOURCES", (NOBODY,))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    return folder


@pytest.fixture
def serve(request):
    """Serve a folder on a free port of this machine; gives the address and the requested paths."""

    def start(folder: Path) -> tuple[str, list[str]]:
        asked = []

        class Handler(http.server.SimpleHTTPRequestHandler):
            def __init__(self, *args):
                super().__init__(*args, directory=str(folder))

            def log_message(self, *args):
                asked.append(self.path)

        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        request.addfinalizer(server.server_close)
        request.addfinalizer(server.shutdown)
        return f"http://127.0.0.1:{server.server_address[1]}/", asked

    return start


@pytest.fixture
def users_folder(small, monkeypatch):
    """The same files in a folder that the user named."""
    monkeypatch.setenv("ATELIER_DATA", str(small))
    return small


def flip_byte(path: Path, position: int) -> None:
    content = bytearray(path.read_bytes())
    content[position] ^= 0xFF
    path.write_bytes(bytes(content))


# Finding it


def test_the_folder_that_the_user_named_is_read(users_folder):
    data = dataset.load()
    assert dataset.status().origin == "ATELIER_DATA" and dataset.status().available
    assert data.train_pixels.shape == (40, 28, 28) and data.test_pixels.shape == (20, 28, 28)
    assert (
        data.train_labels.tolist() == [n % 10 for n in range(40)]
        and data.train_labels.dtype == np.int64
    )
    assert not data.is_sample and data.title == "Fashion-MNIST"


def test_arrays_shared_by_visitors_cannot_be_written_to(users_folder):
    for data in (dataset.load(), dataset.load("offline-sample")):
        for array in (data.train_pixels, data.train_labels, data.test_pixels, data.test_labels):
            with pytest.raises(ValueError, match="read-only"):
                array[0] = 0


def test_without_data_the_sentence_has_the_remedies_and_nothing_is_downloaded(
    small, serve, monkeypatch
):
    address, asked = serve(small)
    monkeypatch.setattr(idx_files, "SOURCES", (address,))
    with pytest.raises(
        DataUnavailable, match=r"Download it .* ATELIER_DATA, or use the offline sample\."
    ):
        dataset.load()
    assert not dataset.status().available and dataset.status().downloadable
    assert asked == [] and not dataset.own_folder().exists()


def test_three_of_the_four_files_are_not_enough_and_the_fourth_is_named(users_folder):
    (users_folder / "t10k-labels-idx1-ubyte.gz").unlink()
    with pytest.raises(DataUnavailable, match=r"lacks t10k-labels-idx1-ubyte\.gz"):
        dataset.load()
    assert "lacks t10k-labels-idx1-ubyte.gz" in dataset.status().sentence


def test_a_named_folder_that_does_not_exist_is_reported(small, monkeypatch, tmp_path):
    monkeypatch.setenv("ATELIER_DATA", str(tmp_path / "elsewhere"))
    assert "elsewhere, named in ATELIER_DATA, does not exist" in dataset.status().sentence


def test_an_incomplete_named_folder_gives_way_to_ateliers_own(
    users_folder, serve, monkeypatch, tmp_path
):
    monkeypatch.setattr(idx_files, "SOURCES", (serve(users_folder)[0],))
    dataset.download()
    monkeypatch.setenv("ATELIER_DATA", str(tmp_path))
    assert len(dataset.load().train_pixels) == 40
    assert (
        dataset.status().folder == dataset.own_folder()
        and dataset.status().origin == "Atelier's folder"
    )


def test_an_unknown_data_set_is_refused_with_the_known_ones():
    with pytest.raises(InvalidSpec, match="fashion-mnist, offline-sample"):
        dataset.load("imagenet")


# Damage


def corrupt(kind: str, path: Path) -> None:
    """Damage a file in one of the ways in which files get damaged."""
    content, plain = path.read_bytes(), gzip.decompress(path.read_bytes())
    damaged = {
        "empty": b"",
        "truncated": content[: len(content) // 2],
        "far too long": content + bytes(300_000),
        "a page in HTML": b"<html>Please log in</html>",
        "wrong magic": gzip.compress(b"\x00\x00\x0d\x03" + plain[4:]),
        "other contents": gzip.compress(plain[:-1] + bytes([plain[-1] ^ 1])),
    }
    path.write_bytes(damaged[kind])


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("empty", "ends within its header"),
        ("truncated", "ends too early"),
        ("far too long", "longer than the official"),
        ("a page in HTML", "magic number 0x3C68746D"),
        ("wrong magic", "magic number 0x00000D03"),
        ("other contents", "SHA-256 differs"),
    ],
)
def test_a_damaged_file_in_the_users_folder_is_named_and_left_alone(users_folder, kind, words):
    path = users_folder / "train-images-idx3-ubyte.gz"
    corrupt(kind, path)
    before = path.read_bytes()
    with pytest.raises(DataDamaged, match=words) as caught:
        dataset.load(download=True)
    assert str(path) in str(
        caught.value
    ) and "replace the file there, or unset ATELIER_DATA" in str(caught.value)
    assert path.read_bytes() == before and not list(users_folder.glob("*.damaged"))


@pytest.mark.parametrize("position", [0, 4, 100, -20, -1])
def test_a_flipped_byte_anywhere_is_found_even_if_the_length_is_right(users_folder, position):
    path = users_folder / "t10k-images-idx3-ubyte.gz"
    flip_byte(path, position)
    assert dataset.status().available, "names and lengths alone do not show it"
    with pytest.raises(DataDamaged, match=r"t10k-images-idx3-ubyte\.gz"):
        dataset.load()


def test_a_truncated_file_already_shows_in_the_status(users_folder):
    corrupt("truncated", users_folder / "train-images-idx3-ubyte.gz")
    status = dataset.status()
    assert not status.available and not status.downloadable
    assert (
        "train-images-idx3-ubyte.gz" in status.sentence and "unset ATELIER_DATA" in status.sentence
    )


def test_a_damaged_file_of_ateliers_own_is_set_aside_and_downloaded_again(
    small, serve, monkeypatch
):
    address, asked = serve(small)
    monkeypatch.setattr(idx_files, "SOURCES", (address,))
    folder = dataset.download()
    flip_byte(folder / "train-labels-idx1-ubyte.gz", -10)
    damaged = (folder / "train-labels-idx1-ubyte.gz").read_bytes()
    asked.clear()
    assert dataset.load(download=True).train_labels[:3].tolist() == [0, 1, 2]
    assert (folder / "train-labels-idx1-ubyte.gz.damaged").read_bytes() == damaged
    assert asked == ["/train-labels-idx1-ubyte.gz"], "undamaged files are not downloaded again"


def test_a_damaged_file_that_may_not_be_downloaded_is_set_aside_and_then_missing(
    small, serve, monkeypatch
):
    monkeypatch.setattr(idx_files, "SOURCES", (serve(small)[0],))
    folder = dataset.download()
    flip_byte(folder / "t10k-images-idx3-ubyte.gz", 50)
    with pytest.raises(DataDamaged, match=r"t10k-images-idx3-ubyte\.gz .*Download it again"):
        dataset.load()
    assert (folder / "t10k-images-idx3-ubyte.gz.damaged").exists()
    assert (
        not dataset.status().available
        and "lacks t10k-images-idx3-ubyte.gz" in dataset.status().sentence
    )


def test_a_file_is_hashed_once_until_it_changes(users_folder, monkeypatch):
    hashed = []
    honest = hashlib.sha256
    monkeypatch.setattr(
        idx_files.hashlib, "sha256", lambda raw=b"": hashed.append(len(raw)) or honest(raw)
    )
    lengths = [file.size for file in idx_files.FILES]

    def files_hashed_by_a_load() -> list[int]:
        hashed.clear()
        dataset.load()
        return [length for length in hashed if length in lengths]

    assert files_hashed_by_a_load() == lengths
    assert files_hashed_by_a_load() == []
    path = users_folder / "t10k-labels-idx1-ubyte.gz"
    path.write_bytes(path.read_bytes())
    assert files_hashed_by_a_load() == [path.stat().st_size]


def test_files_that_do_not_belong_together_are_refused(users_folder, monkeypatch):
    path = users_folder / "train-labels-idx1-ubyte.gz"
    path.write_bytes(gzip.compress(idx(np.zeros(39, dtype=np.uint8))))
    content = path.read_bytes()
    impostor = idx_files.DataFile(path.name, len(content), hashlib.sha256(content).hexdigest())
    files = tuple(impostor if file.name == path.name else file for file in idx_files.FILES)
    monkeypatch.setattr(idx_files, "FILES", files)
    with pytest.raises(DataDamaged, match="do not belong together"):
        dataset.load()


# Downloading


def test_a_download_reports_its_bytes_and_leaves_exactly_the_four_files(small, serve, monkeypatch):
    monkeypatch.setattr(idx_files, "SOURCES", (serve(small)[0],))
    monkeypatch.setattr(idx_files, "_CHUNK", 1000)
    seen = []
    folder = dataset.download(lambda *report: seen.append(report))
    assert sorted(path.name for path in folder.iterdir()) == sorted(
        file.name for file in idx_files.FILES
    )
    total = sum(file.size for file in idx_files.FILES)
    assert {report[2] for report in seen} == {total} and seen[-1][1] == total
    assert [report[1] for report in seen if report[1]] == sorted(
        report[1] for report in seen if report[1]
    )
    assert list(dict.fromkeys(report[0] for report in seen)) == [
        file.name for file in idx_files.FILES
    ]
    assert len(seen) > 20, "many steps, not one for each file"


def test_a_second_download_requests_nothing(small, serve, monkeypatch):
    address, asked = serve(small)
    monkeypatch.setattr(idx_files, "SOURCES", (address,))
    dataset.download()
    asked.clear()
    dataset.download()
    assert asked == []


def test_the_second_source_steps_in_when_the_first_is_silent(small, serve, monkeypatch):
    monkeypatch.setattr(idx_files, "SOURCES", (NOBODY, serve(small)[0]))
    assert len(dataset.load(download=True).test_labels) == 20


def test_the_second_source_steps_in_when_the_first_delivers_something_else(
    small, serve, monkeypatch, tmp_path
):
    wrong = tmp_path / "portal"
    wrong.mkdir()
    for file in idx_files.FILES:
        (wrong / file.name).write_text("<html>Please log in</html>")
    first, asked_first = serve(wrong)
    monkeypatch.setattr(idx_files, "SOURCES", (first, serve(small)[0]))
    assert len(dataset.load(download=True).test_labels) == 20
    assert len(asked_first) == 1, "a source that failed is not asked first again"


def test_a_file_that_one_source_lacks_is_requested_from_the_other(
    small, serve, monkeypatch, tmp_path
):
    (tmp_path / "bare").mkdir()
    empty, _ = serve(tmp_path / "bare")
    monkeypatch.setattr(idx_files, "SOURCES", (empty,))
    with pytest.raises(DataUnavailable, match="HTTP status 404"):
        dataset.download()
    monkeypatch.setattr(idx_files, "SOURCES", (empty, serve(small)[0]))
    assert len(dataset.load(download=True).train_labels) == 40


def test_no_network_at_all_gives_one_sentence_with_the_remedy_and_leaves_no_half_file(small):
    with pytest.raises(
        DataUnavailable,
        match=r"could not be downloaded: 127\.0\.0\.1:9 could not provide it .*Connect to",
    ):
        dataset.load(download=True)
    assert list(dataset.own_folder().iterdir()) == []


def test_an_interrupted_download_continues_with_the_missing_files(small, serve, monkeypatch):
    class ClosedTab(Exception):
        pass

    def close_at_second_file(name: str, done: int, total: int) -> None:
        if name == idx_files.FILES[1].name:
            raise ClosedTab

    address, asked = serve(small)
    monkeypatch.setattr(idx_files, "SOURCES", (address,))
    with pytest.raises(ClosedTab):
        dataset.download(close_at_second_file)
    assert [path.name for path in dataset.own_folder().iterdir()] == [idx_files.FILES[0].name]
    asked.clear()
    dataset.download()
    assert asked == [f"/{file.name}" for file in idx_files.FILES[1:]]


def test_leftovers_of_a_killed_download_are_deleted_but_not_those_of_a_running_one(
    small, serve, monkeypatch
):
    monkeypatch.setattr(idx_files, "SOURCES", (serve(small)[0],))
    folder = dataset.own_folder()
    folder.mkdir(parents=True)
    for name, age in (("tmpold", 7200), ("tmpyoung", 10)):
        (folder / name).write_bytes(b"half a file")
        os.utime(folder / name, (time.time() - age,) * 2)
    dataset.download()
    assert sorted(path.name for path in folder.glob("tmp*")) == ["tmpyoung"]


def test_a_full_disk_is_reported_as_such(small, serve, monkeypatch):
    resource = pytest.importorskip("resource")
    monkeypatch.setattr(idx_files, "SOURCES", (serve(small)[0],))
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2000, hard))  # no file may grow beyond 2,000 bytes
    try:
        with pytest.raises(StorageProblem, match=r"cannot write to .*Free some space"):
            dataset.download()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert list(dataset.own_folder().iterdir()) == []


def test_a_folder_that_cannot_be_created_is_reported_as_such(small, monkeypatch, tmp_path):
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("ATELIER_HOME", str(tmp_path / "file"))
    with pytest.raises(StorageProblem, match="choose another one with ATELIER_HOME"):
        dataset.download()


# IDX


def test_idx_is_read_plain_and_gzipped():
    pixels = np.random.default_rng(1).integers(0, 256, (3, 28, 28), dtype=np.uint8)
    for raw in (idx(pixels), gzip.compress(idx(pixels))):
        assert np.array_equal(idx_files.parse_idx(raw, name="pictures"), pixels)
    labels = np.array([3, 1, 4], dtype=np.uint8)
    assert idx_files.parse_idx(idx(labels), name="labels").tolist() == [3, 1, 4]


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (b"", "ends within its header"),
        (b"\x00\x00\x08\x03\x00\x00\x00\x01", "ends within its header"),
        (b"\x89PNG\r\n\x1a\n" + b"\x00" * 100, "magic number 0x89504E47"),
        (idx(np.zeros((2, 28, 27), dtype=np.uint8)), "28 x 27 pixels; expected 28 x 28"),
        (idx(np.zeros((2, 28, 28), dtype=np.uint8))[:-1], "ends too early"),
        (idx(np.zeros(5, dtype=np.uint8)) + b"\x00", "longer than its header says"),
        (b"\x00\x00\x08\x01\xff\xff\xff\xff\x00", "ends too early"),
        (gzip.compress(idx(np.zeros(500, dtype=np.uint8)), mtime=0)[:-6], "ends too early"),
        (b"\x1f\x8b not gzip after all", "cannot be unpacked"),
    ],
)
def test_a_faulty_idx_file_is_refused_with_its_name_and_the_reason(raw, words):
    with pytest.raises(DataDamaged, match=f"^some-file .*{words}"):
        idx_files.parse_idx(raw, name="some-file")


def test_a_small_file_cannot_unpack_into_all_of_the_memory(monkeypatch):
    monkeypatch.setattr(idx_files, "_LONGEST", 10_000)
    with pytest.raises(DataDamaged, match="unpacks to more than 10,000 bytes"):
        idx_files.parse_idx(gzip.compress(bytes(1_000_000)), name="bomb")


# Splits


def test_last_keeps_the_order_and_takes_the_end():
    train, validation = splits.split(np.zeros(10), "last", 0.2, seed=0)
    assert train.tolist() == list(range(8)) and validation.tolist() == [8, 9]


@pytest.mark.parametrize("method", ["random", "stratified"])
def test_shuffled_splits_are_those_of_scikit_learn(method):
    labels = np.arange(200) % 10
    expected = train_test_split(
        np.arange(200),
        test_size=0.15,
        random_state=7,
        stratify=labels if method == "stratified" else None,
    )
    for got, wanted in zip(splits.split(labels, method, 0.15, seed=7), expected, strict=True):
        assert np.array_equal(got, wanted)


@pytest.mark.parametrize("method", get_args(Validation))
def test_every_split_is_a_partition(method):
    train, validation = splits.split(np.arange(100) % 10, method, 0.3, seed=1)
    assert sorted([*train, *validation]) == list(range(100))
    assert len(validation) == {"none": 0, "test": 0, "fold": 20}.get(method, 30)


@pytest.mark.parametrize("shuffle", [True, False])
def test_folds_are_those_of_scikit_learn(shuffle):
    expected = list(
        KFold(5, shuffle=shuffle, random_state=1 if shuffle else None).split(np.arange(203))
    )
    for fold, (train, kept) in enumerate(expected, 1):
        found = splits.split(np.zeros(203), "fold", 0.1, 1, folds=5, fold=fold, shuffle=shuffle)
        assert np.array_equal(found[0], train) and np.array_equal(found[1], kept)


@pytest.mark.parametrize(("folds", "fold"), [(5, 6), (5, 0), (1, 1), (11, 1)])
def test_a_fold_that_does_not_exist_is_refused(folds, fold):
    with pytest.raises(InvalidSpec, match="There is no fold"):
        splits.split(np.zeros(10), "fold", 0.1, 0, folds=folds, fold=fold)


def test_a_stratified_split_has_every_class_in_its_share():
    labels = np.repeat(np.arange(10), 30)
    _, validation = splits.split(labels, "stratified", 0.1, seed=3)
    assert np.bincount(labels[validation]).tolist() == [3] * 10


@pytest.mark.parametrize("fraction", [0.0, 1.0, -0.5, 7.0, float("nan"), 0.999])
def test_a_share_that_leaves_one_side_empty_is_refused(fraction):
    with pytest.raises(InvalidSpec, match="between 0 and 1"):
        splits.split(np.zeros(50), "last", fraction, seed=0)


def test_unknown_and_impossible_splits_are_refused():
    with pytest.raises(InvalidSpec, match="last, random, stratified, fold, test, none"):
        splits.split(np.zeros(10), "every second", 0.2, seed=0)
    with pytest.raises(InvalidSpec, match="or the random split"):
        splits.split(np.arange(10), "stratified", 0.2, seed=0)


# The data themselves


def test_the_offline_sample_needs_neither_disk_nor_network(tmp_path):
    data = dataset.load("offline-sample")
    assert data.is_sample and data.title == "Offline sample"
    assert np.bincount(data.train_labels).tolist() == [200] * 10
    assert np.bincount(data.test_labels).tolist() == [40] * 10
    assert not dataset.own_folder().exists()


def test_the_official_files_hold_what_their_publisher_says(fashion_mnist):
    data = dataset.load()
    assert data.train_pixels.shape == (60_000, 28, 28) and data.test_pixels.shape == (
        10_000,
        28,
        28,
    )
    assert np.bincount(data.train_labels).tolist() == [6000] * 10
    assert np.bincount(data.test_labels).tolist() == [1000] * 10
    # Mean and deviation as they are widely quoted for normalisation.
    assert data.train_pixels.mean() / 255 == pytest.approx(0.2860, abs=1e-4)
    assert data.train_pixels[::10].std() / 255 == pytest.approx(0.3530, abs=2e-3)
    assert [labels.CLASS_NAMES[label] for label in data.train_labels[:4]] == [
        "Ankle boot",
        "T-shirt/top",
        "T-shirt/top",
        "Dress",
    ]


def test_a_flipped_byte_in_the_official_files_is_found(fashion_mnist, tmp_path, monkeypatch):
    for file in idx_files.FILES:
        (tmp_path / file.name).write_bytes((Path(fashion_mnist) / file.name).read_bytes())
    flip_byte(tmp_path / "train-images-idx3-ubyte.gz", 20_000_000)
    monkeypatch.setenv("ATELIER_DATA", str(tmp_path))
    with pytest.raises(DataDamaged, match=r"train-images-idx3-ubyte\.gz"):
        dataset.load()
