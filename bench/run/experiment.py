"""One cell from data to record: the only code that makes noise and trains victims for keeps."""

import subprocess
import time
import traceback
from collections.abc import Sequence
from dataclasses import asdict, fields
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from bench.core.data import DatasetSettings, ImageDataset, Split
from bench.core.device import describe, peak_memory
from bench.core.keeper import Keeper
from bench.core.memory import CPU, moved
from bench.core.protocols import Attack
from bench.core.session import IMAGES_PER_PASS, Session
from bench.core.train import Evaluation, train
from bench.grid.cell import Cell
from bench.run.perceptibility import perceptibility
from bench.run.tuning import KeptTuner
from bench.store import Record, Store


class BlockedError(RuntimeError):
    """The noise that a cell needs could not be made."""


@lru_cache(maxsize=2)
def _loaded(dataset: DatasetSettings, root: Path) -> Split:
    """The images, read once for each worker process."""
    return dataset.load(root)


def make_noise(
    cell: Cell, store: Store, data_root: Path, device: torch.device, *, compiling: bool = False
) -> tuple[Tensor, Record]:
    """Load the protection that the cell needs, or make and keep it; equal noise is never made twice.

    Returns it with what is known of it: its key, passes, size and time. Raises ValueError where it leaves its budget.
    `compiling` lets networks be compiled where that pays.
    """
    if not cell.method.settings.cached:
        return _generate(cell, store, data_root, device, compiling)
    with store.lock(cell.noise_key):
        if not store.has_noise(cell.noise_key):
            made, about = _generate(cell, store, data_root, device, compiling)
            if not store.has_noise(cell.noise_key, kept=False):
                store.write_noise(cell.noise_key, made, about)
        return store.read_noise(cell.noise_key)


def _generate(
    cell: Cell, store: Store, data_root: Path, device: torch.device, compiling: bool
) -> tuple[Tensor, Record]:
    clean = _loaded(cell.dataset.settings, data_root).train.to(device)
    start = time.perf_counter()
    method = cell.method.settings
    batch = getattr(method, "batch_size", IMAGES_PER_PASS)
    tuner = _tuner(store, clean, device, method.cost(len(clean)).passes, batch) if compiling else None
    session = Session(cell.noise_seed, device, shelf=store, keeper=Keeper(store.keep), tuner=tuner)
    protection = method.generate(clean, session)
    released = clean.protected(protection)
    method.check(clean, released)
    store.write_kept(cell.noise_key, session.keeper.tensors)
    about = {
        "key": cell.noise_key,
        "passes": session.passes,
        "size": perceptibility(clean.images, released.images),
        "seconds": round(time.perf_counter() - start, 3),
        "provenance": provenance(device) | compiled(session),
        **_notes(session),
    }
    return moved(protection, CPU), about


def _tuner(store: Store, data: ImageDataset, device: torch.device, passes: float, batch: int) -> KeptTuner:
    return KeptTuner(store, device, passes, (min(batch, len(data)), *data.shape), data.num_classes)


def run_cell(
    cell: Cell,
    store: Store,
    data_root: Path,
    device: torch.device,
    *,
    asked: Record,
    blocked: str = "",
    compiling: bool = False,
) -> Record:
    """Run the cell, unless another process just finished it, and keep and return its record, also when it fails.

    `asked` says which grid and scale wanted it; it stands in the record. `blocked` says why the noise it needs cannot
    be made: the cell then fails at once. `compiling` lets networks be compiled where that pays.
    """
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
            record |= _measure(cell, store, data_root, device, compiling)
        except Exception as error:  # whatever a plug-in raises is this cell's result and must not stop the others
            record |= {"status": "failed", "error": f"{type(error).__name__}: {error}", "trace": traceback.format_exc()}
        record["time"] = record.pop("time", {}) | {
            "seconds": round(time.perf_counter() - start, 3),
            "ended": datetime.now(UTC).isoformat(timespec="seconds"),
        }
        record["provenance"] = provenance(device) | record.pop("provenance", {})
        if not finished:  # a cell that runs again, for what is to be kept, keeps its first result whatever happens now
            store.write(cell.key, record)
        return record


def _measure(cell: Cell, store: Store, data_root: Path, device: torch.device, compiling: bool) -> Record:
    protection, about = make_noise(cell, store, data_root, device, compiling=compiling)
    split = _loaded(cell.dataset.settings, data_root)
    start = time.perf_counter()
    clean, test = split.train.to(device), split.test.to(device)
    attacks = [attack.settings for attack in cell.attacks]
    passes, batch = cell.train.cost(attacks, len(clean)).passes, cell.train.batch_size
    tuner = _tuner(store, clean, device, passes, batch) if compiling else None
    session = Session(cell.seed, device, keeper=Keeper(store.keep), tuner=tuner)
    validation, clean, data = _held_out(attacks, clean, clean.protected(protection), session)
    for attack in attacks:
        data = attack.prepare(data, clean, session)
    channels, height, width = data.shape
    model = session.build(cell.model, num_classes=data.num_classes, channels=channels, size=(height, width))
    for attack in attacks:
        model = attack.start(model, session)
    history = train(model, data, test=test, attacks=attacks, recipe=cell.train, session=session, validation=validation)
    session.keeper.keep_network(model)
    store.write_kept(cell.key, session.keeper.tensors)
    return {
        "result": summary(history),
        "history": columns(history),
        "cost": {"train_passes": session.passes, "noise_passes": about["passes"]},
        "noise": {name: about[name] for name in ("key", "size", "notes") if name in about},
        **_notes(session),
        "time": {"noise_seconds": about["seconds"], "train_seconds": round(time.perf_counter() - start, 3)},
        "provenance": compiled(session),
    }


def _notes(session: Session) -> Record:
    return {"notes": session.notes} if session.notes else {}


Versions = Sequence[Sequence[ImageDataset]]
"""Parts of a data set, first clean, then the same ones as released; empty where nothing is held out."""


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
    """The history as one list for each quantity; counts on held-out images only where there are any."""
    names = [field.name for field in fields(Evaluation) if field.name != "validation"]
    table = {name: [round(getattr(evaluation, name), 6) for evaluation in history] for name in names}
    versions = zip(*(evaluation.validation for evaluation in history), strict=True)
    held_out = zip(("validation_clean", "validation_protected"), map(list, versions), strict=False)
    return table | dict(held_out)


def provenance(device: torch.device) -> Record:
    """Where a number comes from: code, machine, versions, memory (bytes)."""
    return {"commit": _commit(), **describe(device), "peak_memory": peak_memory(device)}


def compiled(session: Session) -> Record:
    """How each network of the session was called, by its name: for provenance."""
    return {"compiled": {name: asdict(modes) for name, modes in session.modes.items()}}


@lru_cache(maxsize=1)
def _commit() -> str:
    """The checkout this code runs from, with a plus sign where it has uncommitted changes; empty outside a checkout."""
    here = Path(__file__).parent
    try:
        command = ["git", "-C", str(here), "describe", "--always", "--abbrev=12", "--dirty=+", "--exclude=*"]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()  # noqa: S603
    except (OSError, subprocess.CalledProcessError):
        return ""
