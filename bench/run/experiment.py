"""One cell from data to record: the only code that makes noise and trains victims for keeps."""

import time
import traceback
from collections.abc import Sequence
from dataclasses import fields
from datetime import UTC, datetime
from typing import Any

import torch
from torch import Tensor

from bench.core.data import ImageDataset
from bench.core.memory import CPU, moved
from bench.core.protocols import Attack
from bench.core.session import Session
from bench.core.train import Evaluation, train
from bench.grid.cell import Cell
from bench.run.perceptibility import perceptibility
from bench.run.workplace import Workplace
from bench.store import Record


class BlockedError(RuntimeError):
    """The noise that a cell needs could not be made."""


def make_noise(cell: Cell, place: Workplace, device: torch.device) -> tuple[Tensor, Record]:
    """Load the protection that the cell needs, or make and keep it; equal noise is never made twice.

    Returns it with what is known of it: its key, passes, size and time. Raises ValueError if it leaves its budget.
    """
    if not cell.method.settings.cached:
        return _generate(cell, place, device)
    key, store = cell.noise_key, place.store
    with store.lock(key):
        found = store.read_noise(key)
        if found is not None and store.has_kept(key):
            return found
        made, about = _generate(cell, place, device)
        return found or store.write_noise(key, made, about)


def _generate(cell: Cell, place: Workplace, device: torch.device) -> tuple[Tensor, Record]:
    clean = place.load(cell.dataset.settings).train.to(device)
    start = time.perf_counter()
    method = cell.method.settings
    session = place.open_session(cell.noise_seed, device, shelf=place.store)
    protection = method.generate(clean, session)
    released = clean.protected(protection)
    method.check(clean, released)
    place.store.write_kept(cell.noise_key, session.keeper.tensors)
    about = {
        "key": cell.noise_key,
        "passes": session.passes,
        "size": perceptibility(clean.images, released.images),
        "seconds": round(time.perf_counter() - start, 3),
        "provenance": place.provenance(device),
        **_notes(session),
    }
    return moved(protection, CPU), about


def run_cell(cell: Cell, place: Workplace, device: torch.device, *, asked: Record, blocked: str = "") -> Record:
    """Run the cell, unless another process just finished it, and keep and return its record, also if it fails.

    `asked` says which grid and scale wanted it; it stands in the record. `blocked` says why the noise it needs cannot
    be made: the cell then fails at once.
    """
    store = place.store
    with store.lock(cell.key):
        earlier = store.read(cell.key)
        finished = earlier is not None and earlier["status"] == "finished"
        if earlier is not None and finished and store.has_kept(cell.key):
            return earlier
        start = time.perf_counter()
        record: Record = {"key": cell.key, "status": "finished", "asked": asked, "cell": cell.canonical()}
        try:
            if blocked:
                raise BlockedError(blocked)
            record |= _measure(cell, place, device)
        except Exception as error:  # whatever a plug-in raises is this cell's result and must not stop the others
            record |= {"status": "failed", "error": f"{type(error).__name__}: {error}", "trace": traceback.format_exc()}
        record["time"] = record.pop("time", {}) | {
            "seconds": round(time.perf_counter() - start, 3),
            "ended": datetime.now(UTC).isoformat(timespec="seconds"),
        }
        record["provenance"] = place.provenance(device)
        if not finished:  # a cell that runs again, for what is to be kept, keeps its first result whatever happens now
            store.write(cell.key, record)
        return record


def _measure(cell: Cell, place: Workplace, device: torch.device) -> Record:
    protection, about = make_noise(cell, place, device)
    split = place.load(cell.dataset.settings)
    start = time.perf_counter()
    clean, test = split.train.to(device), split.test.to(device)
    attacks = [attack.settings for attack in cell.attacks]
    session = place.open_session(cell.seed, device)
    validation, clean, data = _held_out(attacks, clean, clean.protected(protection), session)
    for attack in attacks:
        data = attack.prepare(data, clean, session)
    channels, height, width = data.shape
    model = session.build(cell.model, num_classes=data.num_classes, channels=channels, size=(height, width))
    for attack in attacks:
        model = attack.start(model, session)
    history = train(model, data, test=test, attacks=attacks, recipe=cell.train, session=session, validation=validation)
    session.keeper.keep_network(model)
    place.store.write_kept(cell.key, session.keeper.tensors)
    return {
        "result": summary(history) | {"test_images": len(test)},
        "history": columns(history),
        "cost": {"train_passes": session.passes, "noise_passes": about["passes"]},
        "noise": {name: about[name] for name in ("key", "size", "notes") if name in about},
        **_notes(session),
        "time": {"noise_seconds": about["seconds"], "train_seconds": round(time.perf_counter() - start, 3)},
    }


def _notes(session: Session) -> Record:
    return {"notes": session.notes} if session.notes else {}


Versions = Sequence[Sequence[ImageDataset]]
"""Parts of a data set, first clean, then the same ones as released; empty if nothing is held out."""


def _held_out(
    attacks: Sequence[Attack], clean: ImageDataset, released: ImageDataset, session: Session
) -> tuple[Versions, ImageDataset, ImageDataset]:
    """What an attack holds out, and the clean and the released images that are left."""
    parts = [part for attack in attacks for part in attack.hold_out(released, session)]
    if not parts:
        return (), clean, released
    left = torch.ones_like(clean.labels, dtype=torch.bool)
    left[torch.cat(parts)] = False
    rest = left.nonzero().flatten()
    validation = [[data.only(part) for part in parts] for data in (clean, released)]
    return validation, clean.only(rest), released.only(rest)


def summary(history: list[Evaluation]) -> dict[str, Any]:
    """Final and peak accuracy (shares in [0, 1]). The peak is chosen on the test set: an oracle, never a validation."""
    final, peak = history[-1], max(history, key=lambda evaluation: evaluation.test_accuracy)
    return {
        "final_accuracy": final.test_accuracy,
        "final_loss": round(final.test_loss, 6),
        "peak_accuracy": peak.test_accuracy,
        "peak_step": peak.step,
        "train_accuracy": round(final.train_accuracy, 6),
    }


def columns(history: list[Evaluation]) -> dict[str, list[Any]]:
    """The history as one list for each quantity; counts on held-out images only if there are any."""
    names = [field.name for field in fields(Evaluation) if field.name != "validation"]
    table = {name: [round(getattr(evaluation, name), 6) for evaluation in history] for name in names}
    versions = zip(*(evaluation.validation for evaluation in history), strict=True)
    held_out = zip(("validation_clean", "validation_protected"), map(list, versions), strict=False)
    return table | dict(held_out)
