"""Data sets that come through packages of their own: MedMNIST, and those of Hugging Face."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from bench.core.datasets import DATASETS
from bench.core.errors import UserError
from bench.grid.cell import Choice
from bench.run.preparation import fetch
from tests.core.test_datasets import dataset, md5, random_pixels


@pytest.mark.parametrize("name", ["medmnist", "huggingface"])
def test_a_missing_package_is_named(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    data = dataset(name, **({"path": ".", "size": 8} if name == "huggingface" else {}))
    with pytest.raises(UserError, match=rf"{name}: needs a package: pip install 'unlearnable-bench\[{name}\]'"):
        data.outline(tmp_path)


class TestMedMnist:
    @pytest.fixture(autouse=True)
    def known(self) -> Any:
        return pytest.importorskip("medmnist").INFO

    def write(self, root: Path, known: Any, monkeypatch: pytest.MonkeyPatch, flag: str, *shape: int) -> dict[str, Any]:
        """A small set in the official form, which counts as the official one."""
        arrays = {}
        for part, count in (("train", 6), ("val", 2), ("test", 4)):
            arrays[f"{part}_images"] = random_pixels(count, *shape)
            arrays[f"{part}_labels"] = (np.arange(count, dtype=np.uint8) % 2)[:, None]
        end = "" if shape[0] == 28 else f"_{shape[0]}"
        file = root / f"{flag}{end}.npz"
        np.savez(file, **arrays)
        about = {f"MD5{end}": md5(file), "n_samples": {"train": 6, "val": 2, "test": 4}}
        monkeypatch.setitem(known, flag, known[flag] | about)
        return arrays

    @pytest.mark.parametrize("size", [28, 64])
    def test_colour_images_are_the_official_train_and_test(
        self, size: int, tmp_path: Path, known: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        arrays = self.write(tmp_path, known, monkeypatch, "pathmnist", size, size, 3)
        data = dataset("medmnist", size=size)
        assert data.is_there(tmp_path)
        assert data.fetch(tmp_path) == ""
        split = data.load(tmp_path)
        for name, part in (("train", split.train), ("test", split.test)):
            assert np.array_equal(part.images.permute(0, 2, 3, 1).numpy(), arrays[f"{name}_images"])
            assert part.labels.tolist() == arrays[f"{name}_labels"].flatten().tolist()
            assert part.num_classes == 9
        outline = data.outline(tmp_path)
        assert (outline.train_images, outline.shape, outline.num_classes) == (6, (3, size, size), 9)

    def test_grey_images_get_three_equal_channels(
        self, tmp_path: Path, known: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        arrays = self.write(tmp_path, known, monkeypatch, "breastmnist", 28, 28)
        split = dataset("medmnist", flag="breastmnist").load(tmp_path)
        assert split.train.shape == (3, 28, 28)
        for channel in range(3):
            assert np.array_equal(split.train.images[:, channel].numpy(), arrays["train_images"])
        assert split.train.num_classes == 2

    @pytest.mark.parametrize("flag", ["chestmnist", "organmnist3d", "pathmnits"])
    def test_a_set_of_volumes_or_of_several_labels_is_refused(self, flag: str, tmp_path: Path) -> None:
        with pytest.raises(UserError, match=f"medmnist: flag '{flag}': no such set of flat images with one label each"):
            dataset("medmnist", flag=flag).outline(tmp_path)

    def test_what_cannot_be_downloaded_is_named(
        self, tmp_path: Path, known: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def offline(*arguments: object, **settings: object) -> None:
            raise OSError("no network")

        monkeypatch.setattr("urllib.request.urlopen", offline)
        about = known["bloodmnist"]
        with pytest.raises(UserError) as caught:
            fetch(Choice("medmnist", dataset("medmnist", flag="bloodmnist", size=64)), tmp_path)
        message = str(caught.value)
        assert f"get bloodmnist_64.npz (md5 {about['MD5_64']}) from {about['url_64']} and put it into" in message


class TestHuggingFace:
    SETTINGS = {"path": "pets", "size": 8}

    @pytest.fixture(autouse=True)
    def package(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
        monkeypatch.setenv("HF_HUB_OFFLINE", "1")
        return pytest.importorskip("datasets")

    def rows(self, package: Any, count: int, labels: list[Any], names: list[str] | None = None) -> tuple[Any, Any]:
        """Images with labels as a data set of the package, and their pixels."""
        pixels = random_pixels(count, 8, 8, 3)
        columns = {"image": [Image.fromarray(one) for one in pixels], "label": labels}
        kind = package.ClassLabel(names=names) if names else package.Value("string")
        features = package.Features({"image": package.Image(), "label": kind})
        return package.Dataset.from_dict(columns, features=features), pixels

    @pytest.fixture
    def saved(self, package: Any, request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Any, Any]:
        train, first = self.rows(package, 5, [0, 1, 2, 1, 0], ["cat", "dog", "owl"])
        test, second = self.rows(package, 3, [2, 1, 0], ["cat", "dog", "owl"])
        folder = tmp_path / "pets"
        folder.mkdir()
        if request.param == "parquet":
            train.to_parquet(folder / "train-00000-of-00001.parquet")
            test.to_parquet(folder / "test-00000-of-00001.parquet")
        else:
            package.DatasetDict({"train": train, "test": test}).save_to_disk(str(folder))
        return first, second

    @pytest.mark.parametrize("saved", ["parquet", "disk"], indirect=True)
    def test_images_and_labels_are_those_of_the_files(self, saved: tuple[Any, Any], tmp_path: Path) -> None:
        data = dataset("huggingface", **self.SETTINGS)
        assert "5 images to train on and 3 to test with, 3 classes" in data.fetch(tmp_path)
        split = data.load(tmp_path)
        assert np.array_equal(split.train.images.permute(0, 2, 3, 1).numpy(), saved[0])
        assert np.array_equal(split.test.images.permute(0, 2, 3, 1).numpy(), saved[1])
        assert split.train.labels.tolist() == [0, 1, 2, 1, 0]
        assert split.test.labels.tolist() == [2, 1, 0]
        assert data.outline(tmp_path).num_classes == 3

    @pytest.mark.parametrize("saved", ["parquet"], indirect=True)
    def test_other_files_have_another_fingerprint_and_other_images(
        self, saved: tuple[Any, Any], package: Any, tmp_path: Path
    ) -> None:
        data = dataset("huggingface", **self.SETTINGS)
        before, first = data.fingerprint(tmp_path), data.load(tmp_path).train.images.clone()
        other, _ = self.rows(package, 6, [0, 1, 2, 1, 0, 0], ["cat", "dog", "owl"])
        other.to_parquet(tmp_path / "pets/train-00000-of-00001.parquet")
        assert data.fingerprint(tmp_path) != before
        assert data.load(tmp_path).train.images.shape != first.shape

    def test_labels_without_names_are_their_sorted_values(self, package: Any, tmp_path: Path) -> None:
        (tmp_path / "pets").mkdir()
        self.rows(package, 4, ["owl", "cat", "owl", "ant"])[0].to_parquet(tmp_path / "pets/train.parquet")
        self.rows(package, 3, ["cat", "ant", "owl"])[0].to_parquet(tmp_path / "pets/validation.parquet")
        data = dataset("huggingface", **self.SETTINGS, test_split="validation")
        split = data.load(tmp_path)
        assert split.train.labels.tolist() == [2, 1, 2, 0]
        assert split.test.labels.tolist() == [1, 0, 2]

    def test_broken_images_are_named_by_their_row(self, package: Any, tmp_path: Path) -> None:
        train, _ = self.rows(package, 4, [0, 1, 0, 1], ["cat", "dog"])
        table = train.cast_column("image", package.Image(decode=False)).to_list()
        table[2]["image"]["bytes"] = b"broken"
        features = train.features
        (tmp_path / "pets").mkdir()
        package.Dataset.from_list(table, features=features).to_parquet(tmp_path / "pets/train.parquet")
        self.rows(package, 2, [0, 1], ["cat", "dog"])[0].to_parquet(tmp_path / "pets/test.parquet")
        with pytest.raises(UserError, match=r"pets: 1 file that is no image to use: train\[2\] \(no format that is"):
            dataset("huggingface", **self.SETTINGS).load(tmp_path)
        kept = dataset("huggingface", **self.SETTINGS, skip_broken=True).load(tmp_path)
        assert kept.train.labels.tolist() == [0, 1, 1]

    @pytest.mark.parametrize("saved", ["parquet"], indirect=True)
    @pytest.mark.parametrize(
        ("settings", "message"),
        [
            ({"test_split": "val"}, "pets: no split 'val'; choices: train, test"),
            ({"image_column": "img"}, "pets: no column 'img'; "),
            ({"label_column": "labels"}, "pets: no column 'labels'; did you mean 'label'"),
            ({"path": "birds"}, "birds: no such folder"),
            ({"path": "."}, "holds --data-root, where decoded images are kept"),
            ({"image_column": "label"}, "column 'label': holds no images"),
        ],
    )
    def test_what_is_not_in_the_files_is_named(
        self, saved: tuple[Any, Any], settings: dict[str, Any], message: str, tmp_path: Path
    ) -> None:
        with pytest.raises(UserError, match=message):
            dataset("huggingface", **self.SETTINGS | settings).listing(tmp_path)

    @pytest.mark.parametrize("saved", ["parquet"], indirect=True)
    def test_hidden_folders_are_no_part_of_a_data_set(self, saved: tuple[Any, Any], tmp_path: Path) -> None:
        data = dataset("huggingface", **self.SETTINGS)
        before = data.fingerprint(tmp_path)
        (tmp_path / "pets" / ".git").mkdir()
        (tmp_path / "pets" / ".git" / "index").write_text("1")
        assert data.fingerprint(tmp_path) == before

    def test_a_folder_without_parquet_files_is_refused(self, tmp_path: Path) -> None:
        (tmp_path / "pets").mkdir()
        with pytest.raises(UserError, match=r"pets: no parquet files of images and labels \("):
            dataset("huggingface", **self.SETTINGS).listing(tmp_path)

    def test_an_image_without_a_label_is_refused(self, package: Any, tmp_path: Path) -> None:
        (tmp_path / "pets").mkdir()
        self.rows(package, 2, [0, 1], ["cat", "dog"])[0].to_parquet(tmp_path / "pets/train.parquet")
        self.rows(package, 2, [-1, -1], ["cat", "dog"])[0].to_parquet(tmp_path / "pets/test.parquet")
        with pytest.raises(UserError, match="column 'label': an image has the label -1"):
            dataset("huggingface", **self.SETTINGS).listing(tmp_path)

    def test_two_splits_may_number_their_classes_differently(self, package: Any, tmp_path: Path) -> None:
        (tmp_path / "pets").mkdir()
        self.rows(package, 3, [0, 1, 1], ["cat", "dog"])[0].to_parquet(tmp_path / "pets/train.parquet")
        self.rows(package, 3, [0, 1, 1], ["dog", "cat"])[0].to_parquet(tmp_path / "pets/test.parquet")
        split = dataset("huggingface", **self.SETTINGS).load(tmp_path)
        assert split.train.labels.tolist() == [0, 1, 1]
        assert split.test.labels.tolist() == [1, 0, 0]

    @pytest.mark.parametrize(
        ("kind", "labels", "message"),
        [
            ("string", ["cat", None], "label None; must be one class"),
            (["int64"], [[0, 1], [1]], r"label \[0, 1\]; must be one class"),
            ("int64", [0, 1], "the splits have labels of different kinds"),
            ("float32", [0.5, 1.5], "label 0.5; must be one class"),
        ],
    )
    def test_labels_that_are_no_class_are_refused(
        self, kind: Any, labels: list[Any], message: str, package: Any, tmp_path: Path
    ) -> None:
        (tmp_path / "pets").mkdir()
        test, _ = self.rows(package, 2, ["cat", "dog"])
        test.to_parquet(tmp_path / "pets/test.parquet")
        kinds = package.Value(kind) if isinstance(kind, str) else package.Sequence(package.Value(kind[0]))
        features = package.Features({"image": package.Image(), "label": kinds})
        images = [Image.fromarray(one) for one in random_pixels(2, 8, 8, 3)]
        train = package.Dataset.from_dict({"image": images, "label": labels}, features=features)
        package.DatasetDict({"train": train, "test": test}).save_to_disk(str(tmp_path / "pets"))
        with pytest.raises(UserError, match=message):
            dataset("huggingface", **self.SETTINGS).listing(tmp_path)

    def test_an_image_that_is_missing_or_only_a_path_is_named(self, package: Any, tmp_path: Path) -> None:
        (tmp_path / "pets").mkdir()
        self.rows(package, 2, [0, 1], ["cat", "dog"])[0].to_parquet(tmp_path / "pets/test.parquet")
        train, _ = self.rows(package, 4, [0, 1, 0, 1], ["cat", "dog"])
        table = train.cast_column("image", package.Image(decode=False)).to_list()
        table[2]["image"] = None
        package.Dataset.from_list(table, features=train.features).to_parquet(tmp_path / "pets/train.parquet")
        with pytest.raises(UserError, match=r"pets: 1 file that is no image to use: train\[2\]"):
            dataset("huggingface", **self.SETTINGS).load(tmp_path)
        (tmp_path / "elsewhere.png").touch()
        table[2]["image"] = {"bytes": None, "path": str(tmp_path / "elsewhere.png")}
        package.Dataset.from_list(table, features=train.features).to_parquet(tmp_path / "pets/train.parquet")
        with pytest.raises(UserError, match="column 'image': an image is only the path of a file"):
            dataset("huggingface", **self.SETTINGS).listing(tmp_path)


def test_every_data_set_of_a_package_is_an_extra() -> None:
    text = Path("pyproject.toml").read_text()
    for name in ("medmnist", "huggingface"):
        assert name in DATASETS
        assert f"\n{name} = [" in text
