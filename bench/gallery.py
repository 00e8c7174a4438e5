"""The gallery of a report on the real images of a plan, for those who have them."""

from pathlib import Path
from typing import Any

from analysis.drawing.gallery_images import Gallery, drawn
from analysis.one_table import plan_of
from bench.core.datasets import DATASETS, DatasetSettings
from bench.core.errors import UserError, brief
from bench.grid.cell import Choice
from bench.run.preparation import fetch
from bench.store import Store

FACES = ("facescrub",)
"""Data sets that are never drawn."""
MOST = 1000
"""Images that a spectrum is averaged over, the first ones."""


def gallery_of(store: Store, name: str, data_root: Path) -> Gallery:
    """What the kept noise of a plan looks like on its own images, which are read from `data_root`.

    Raises UserError if there is no such plan, noise or image, and for images of faces.
    """
    name = plan_of(store, name, option="--gallery")
    plan = store.plans()[name]
    places = [(place["dataset"], key) for place in plan["conditions"] for key in place["cells"]]
    found = ((label, record) for label, key in places if (record := store.read(key)))
    label, record = next((one for one in found if one[1]["status"] == "finished"), ("", None))
    if record is None:
        raise UserError(f"--gallery {name}: none of its cells has finished")
    about = record["cell"]["dataset"]
    if about["name"] in FACES:
        raise UserError(f"--gallery {name}: {about['name']} are faces, which are never drawn")
    try:
        dataset = _dataset(about)
    except (KeyError, ValueError):
        raise UserError(f"--gallery {name}: this version has no data set {brief(about)}") from None
    fetch(Choice(about["name"], dataset), data_root)
    if dataset.fingerprint(data_root) != about.get("fingerprint", ""):
        raise UserError(f"--gallery {name}: the images in {data_root} are not those that its noise was made for")
    train = dataset.load(data_root).train
    return drawn(
        store, name, plan, label, train.images[:MOST].numpy().transpose(0, 2, 3, 1), train.labels[:MOST].numpy()
    )


def _dataset(about: dict[str, Any]) -> DatasetSettings:
    """The settings that a record holds."""
    kind = DATASETS[about["name"]]
    return kind.model_validate({key: value for key, value in about.items() if key in kind.model_fields})
