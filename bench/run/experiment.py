"""One cell from data to record: the only code that makes noise and trains victims for keeps."""

import time
import traceback
from collections.abc import Sequence
from datetime import UTC, datetime

import torch
from torch import Tensor

from bench.core.data import ImageDataset
from bench.core.files import check_entries
from bench.core.keeper import check_kept
from bench.core.measures import Subject, as_promised
from bench.core.memory import CPU, moved
from bench.core.models import Classifier
from bench.core.protocols import Attack
from bench.core.session import Session
from bench.core.settings import STACKED
from bench.core.train import Evaluation, train
from bench.grid.cell import Cell
from bench.grid.stack import seen_by_victim
from bench.run.failures import error_line, failure, write_failed
from bench.run.history import columns, summary
from bench.run.perceptibility import perceptibility
from bench.run.progress import reported
from bench.run.trouble import NO_RESULT
from bench.run.workplace import Workplace
from bench.store import Record, Store


def make_noise(cell: Cell, place: Workplace, device: torch.device) -> tuple[Tensor, Record]:
    """Load the protection that the cell needs, or make and keep it; equal noise is never made twice.

    Returns it with what is known of it: its key, passes, size and time. Raises ValueError if it leaves its budget.
    """
    if not cell.method.settings.cached:
        return _generate(cell, place, device)
    key, store = cell.noise_key, place.store
    shape = place.load(cell.dataset.settings, cell.fingerprint).train.images.shape
    with store.lock(key):
        found = store.read_noise(key, shape)
        if found is not None and store.has_kept(key):
            return found
        # What an earlier run kept would be lost otherwise: one file holds all.
        made, about = _generate(cell, place.keeping(store.kinds_kept(key)), device)
        return found or store.write_noise(key, made, about)


def _generate(cell: Cell, place: Workplace, device: torch.device) -> tuple[Tensor, Record]:
    clean = place.load(cell.dataset.settings, cell.fingerprint).train.to(device)
    start = time.perf_counter()
    method = cell.method.settings
    session = place.open_session(cell.noise_seed, device, shelf=place.store)
    with reported(session, place.progress_file(cell.noise_key)), place.unchanged(cell.method.name, clean):
        protection = method.generate(clean, session)
    released = clean.protected(protection)
    method.check(clean, released)
    place.store.write_kept(cell.noise_key, session.keeper.tensors)
    about = {
        "key": cell.noise_key,
        "passes": session.passes,
        "size": perceptibility(clean.images, released.images),
        "seconds": round(time.perf_counter() - start, 3),
        "provenance": place.provenance(device, session),
        **_notes(session),
    }
    return moved(protection, CPU), about


def run_cell(cell: Cell, place: Workplace, device: torch.device, *, asked: Record) -> Record:
    """Run the cell, unless another run has just done it, and keep and return its record, also if it fails.

    `asked` says which grid and scale wanted it; it stands in the record. Whatever the cell does is its result. What
    the place does is not: that raises one of `NO_RESULT`, and nothing is kept.
    """
    store = place.store
    with store.lock(cell.key):
        earlier = store.read(cell.key, to_replace=True)
        if earlier and _is_settled(earlier, cell, place):
            return earlier
        start = time.perf_counter()
        about: Record = {"key": cell.key, "status": "finished", "asked": asked, "cell": cell.canonical()}
        try:
            record = about | (_measure(cell, place, device) if cell.measure else _test(cell, place, device))
            record["time"] |= _ended(start)
            if not _has_finished(earlier):  # else it ran again for what is to be kept: its first result stays
                store.write(cell.key, record)
        except (KeyboardInterrupt, *NO_RESULT):
            raise
        except BaseException as error:  # whatever a plug-in raises must not stop the other cells
            record = about | failure(error_line(error), traceback.format_exc())
            record |= {"time": _ended(start), "provenance": place.provenance(device)}
            if not _has_finished(earlier):
                write_failed(store, record)
        return record


def is_whole(cell: Cell, store: Store) -> bool:
    """Whether all that is to be kept of a finished cell is there; what a measure needs is kept with its noise."""
    return cell.measure is not None or store.has_kept(cell.key)


def fail_cell(cell: Cell, place: Workplace, reason: str, *, asked: Record) -> Record:
    """Keep and return the record of a cell that failed before it could run, unless it finished elsewhere."""
    with place.store.lock(cell.key):
        earlier = place.store.read(cell.key, to_replace=True)
        if earlier and _has_finished(earlier):
            return earlier
        record = {"key": cell.key, "asked": asked, "cell": cell.canonical(), **failure(reason, "")}
        record |= {"time": _ended(time.perf_counter()), "provenance": place.provenance(torch.device(place.devices[0]))}
        write_failed(place.store, record)
        return record


def _has_finished(record: Record | None) -> bool:
    return bool(record and record["status"] == "finished")


def _is_settled(record: Record, cell: Cell, place: Workplace) -> bool:
    """Whether nothing is left to do: the cell finished, or another run tried it since this one began."""
    begun = _told(datetime.fromtimestamp(place.since, UTC))
    return is_whole(cell, place.store) if _has_finished(record) else bool(record["time"]["ended"] > begun)


def _ended(start: float) -> Record:
    return {"seconds": round(time.perf_counter() - start, 3), "ended": _told(datetime.now(UTC))}


def _told(moment: datetime) -> str:
    return moment.isoformat(timespec="seconds")


def _measure(cell: Cell, place: Workplace, device: torch.device) -> Record:
    """What the cell's measure finds of its noise."""
    assert cell.measure is not None
    measure, place_of_noise = cell.measure.settings, place.keeping(cell.keeps)
    protection, about = make_noise(cell, place_of_noise, device)
    split = place.load(cell.dataset.settings, cell.fingerprint)
    start = time.perf_counter()
    clean, test = split.train.to(device), split.test.to(device)
    kept = place.store.read_kept(cell.noise_key) if cell.keeps else {}
    check_kept(cell.keeps, kept, cell.method.name)
    subject = Subject(cell.method.settings, clean, clean.protected(protection), test, kept)
    given = (clean, subject.released, test)
    session = place.open_session(cell.seed, device)
    with reported(session, place.progress_file(cell.key)), place.unchanged(cell.measure.name, *given):
        found = measure.measure(subject, cell.training, session)
    return {
        "result": as_promised(found, cell.measure.name, measure),
        "cost": {"measure_passes": session.passes, "noise_passes": about["passes"]},
        "noise": {name: about[name] for name in ("key", "size", "notes") if name in about},
        **_notes(session),
        "time": {"noise_seconds": about["seconds"], "measure_seconds": round(time.perf_counter() - start, 3)},
        "provenance": place.provenance(device, session),
    }


def _test(cell: Cell, place: Workplace, device: torch.device) -> Record:
    """How accurate the cell's victim is."""
    protection, about = make_noise(cell, place, device)
    split = place.load(cell.dataset.settings, cell.fingerprint)
    start = time.perf_counter()
    clean, test = split.train.to(device), split.test.to(device)
    keeping = place.keeping(place.store.kinds_kept(cell.key))  # what an earlier run kept would be lost otherwise
    session = keeping.open_session(cell.seed, device)
    with place.unchanged(STACKED.join(attack.name for attack in cell.attacks), clean, test):
        with reported(session, place.progress_file(cell.key)):
            model, history = _train(cell, clean, clean.protected(protection), test, session)
        session.keeper.keep_network(model)
        passes = session.passes
        for attack in cell.attacks:
            attack.settings.examine(model, test, cell.train.steps * cell.train.batch_size, session)
    keeping.store.write_kept(cell.key, session.keeper.tensors)
    return {
        "result": summary(history) | {"test_images": len(test), "chance": _chance(clean, test)},
        "history": columns(history),
        "cost": {"train_passes": passes, "noise_passes": about["passes"]},
        "noise": {name: about[name] for name in ("key", "size", "notes") if name in about},
        **_notes(session),
        "time": {"noise_seconds": about["seconds"], "train_seconds": round(time.perf_counter() - start, 3)},
        "provenance": place.provenance(device, session),
    }


def _chance(*parts: ImageDataset) -> float:
    """What a network that names one class reaches at most."""
    return round(max(int(part.labels.cpu().bincount().max()) / len(part) for part in parts), 6)


def _train(
    cell: Cell, clean: ImageDataset, data: ImageDataset, test: ImageDataset, session: Session
) -> tuple[Classifier, list[Evaluation]]:
    """Let the cell's attacks prepare `data`, the released images, and train its victim on them."""
    attacks = [attack.settings for attack in cell.attacks]
    validation, clean, data = _held_out(attacks, clean, data, session)
    for attack in attacks:
        data = attack.prepare(data, clean, session)
    channels, height, width = seen_by_victim(cell.attacks, data.shape)
    model = session.build(cell.model, num_classes=data.num_classes, channels=channels, size=(height, width))
    for attack in attacks:
        model = attack.start(model, session)
    history = train(model, data, test=test, attacks=attacks, recipe=cell.train, session=session, validation=validation)
    return model, history


def _notes(session: Session) -> Record:
    """What plug-ins noted. Raises ValueError, naming the entry, for what no file gives back."""
    check_entries(session.notes, "notes")
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
