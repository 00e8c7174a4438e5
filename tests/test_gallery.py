"""A gallery on the real images of a plan."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from bench.core.datasets import DATASETS
from bench.core.errors import UserError
from bench.gallery import gallery_of
from bench.store import Store
from tests.commands import bench, run

GRID = """\
title: Pets
datasets: [{name: folder, path: pets, size: 16}]
models: [cnn]
methods: [clean, {name: random, radius: 64/255}, sc]
attacks: [none]
train: {steps: 2, batch_size: 4}
seeds: 1
controls: false
"""


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    """What a run on a folder of two classes left."""
    generator = np.random.default_rng(0)
    for part in ("train", "val"):
        for pet in ("cat", "dog"):
            (tmp_path / "pets" / part / pet).mkdir(parents=True)
            for number in range(3):
                pixels = generator.integers(0, 256, (16, 16, 3), dtype=np.uint8)
                Image.fromarray(pixels).save(tmp_path / "pets" / part / pet / f"{number}.png")
    (tmp_path / "scales.yaml").write_text("paper: {}\n")
    (tmp_path / "grid.yaml").write_text(GRID)
    monkeypatch.chdir(tmp_path)
    assert run("--data-root", ".") == 0
    return Store(Path("results"))


def pixels(png: bytes, tmp_path: Path) -> np.ndarray:
    (tmp_path / "shown.png").write_bytes(png)
    return np.asarray(Image.open(tmp_path / "shown.png").convert("RGB"))


def test_the_page_shows_the_plans_own_images_and_its_noise(store: Store, tmp_path: Path) -> None:
    found = gallery_of(store, "grid-paper", tmp_path)
    first = np.asarray(Image.open("pets/train/cat/0.png"))
    shown = pixels(found.clean, tmp_path)
    assert shown.shape == (16, 6 * 17 - 1, 3)  # all six images, the first of each class before the others
    assert np.array_equal(shown[:, :16], first)
    assert np.array_equal(shown[:, 17:33], np.asarray(Image.open("pets/train/dog/0.png")))
    assert [sheet.title for sheet in found.sheets] == ["random 64/255", "SC"]
    record = next(one for key in store.find("") if (one := store.read(key)) and one["cell"]["method"]["name"] == "sc")
    kept = store.read_noise(record["noise"]["key"])
    assert kept is not None
    released = np.clip(first + kept[0][0].permute(1, 2, 0).numpy().astype(int), 0, 255)
    assert np.array_equal(pixels(found.sheets[1].released, tmp_path)[:, :16], released)
    assert bench("report", "--gallery", "grid-paper", "--data-root", ".") == 0
    page = (store.root / "report" / "index.html").read_text()
    assert "The images are those of folder" in page
    assert "The images are drawn by the suite" not in page


def test_what_cannot_be_drawn_is_said(store: Store, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no such plan or grid in results; did you mean 'grid'"):
        gallery_of(store, "gird", tmp_path)
    Image.fromarray(np.zeros((16, 16, 3), np.uint8)).save("pets/train/cat/0.png")
    with pytest.raises(UserError, match="are not those that its noise was made for"):
        gallery_of(store, "grid-paper", tmp_path)
    with pytest.raises(UserError, match="pets"):
        gallery_of(store, "grid-paper", tmp_path / "nowhere")


def test_without_noise_the_next_step_is_said(store: Store, tmp_path: Path) -> None:
    for file in store.root.glob("noise/*"):
        file.unlink()
    with pytest.raises(UserError, match="results keeps no noise of it; make some with python -m bench run"):
        gallery_of(store, "grid-paper", tmp_path)


def test_faces_are_never_drawn(store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bench.gallery.FACES", ("folder",))
    with pytest.raises(UserError, match="folder are faces, which are never drawn"):
        gallery_of(store, "grid-paper", tmp_path)


def test_a_record_of_an_unknown_data_set_is_one_line(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(DATASETS, "folder")
    with pytest.raises(UserError, match="this version has no data set"):
        gallery_of(store, "grid-paper", tmp_path)


def test_of_two_data_sets_the_first_is_drawn_with_its_own_noise(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "scales.yaml").write_text("paper: {}\n")
    sets = "[{name: synthetic, size: 8, train_images: 40}, {name: synthetic, size: 12, train_images: 40}]"
    (tmp_path / "grid.yaml").write_text(GRID.replace("[{name: folder, path: pets, size: 16}]", sets))
    monkeypatch.chdir(tmp_path)
    assert run() == 0
    store = Store(Path("results"))
    assert {pixels(one.released, tmp_path).shape[0] for one in gallery_of(store, "grid-paper", tmp_path).sheets} == {8}
    for place in store.plans()["grid-paper"]["conditions"]:
        record = store.read(place["cells"][0])
        assert record is not None
        if record["cell"]["dataset"]["size"] == 8:
            Path("results", "noise", f"{record['noise']['key']}.safetensors").unlink(missing_ok=True)
    with pytest.raises(UserError, match="keeps no noise of it"):
        gallery_of(store, "grid-paper", tmp_path)
