"""What the records say of a plan: one row for each cell, and one for each condition."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Any

from analysis.estimates import Estimate, estimate
from analysis.labels import title
from analysis.published import Published, matching
from bench.store import Record, Store, StoreError

PLACE = ["dataset", "model", "method", "attack"]
PLAN_KEYS = {"control", "release", "assumes", "own_controls"}
"""Of each place of a plan, those that earlier versions did not write."""
CLEAN = "clean"
"""The unprotected data set, by its name in every plan: what each attack reaches on it is what there is to recover."""


@dataclass(frozen=True)
class Condition:
    """One place of a table, over its seeds. Accuracies are shares in [0, 1]."""

    label: dict[str, str]
    """What the plan calls it, by data set, model, method and attack."""
    titles: dict[str, str]
    """What people call its method and its attack."""
    control: bool
    """Whether nothing but chance protects here."""
    release: bool
    """Whether an attack decides what is released, which no trainer can."""
    assumes: list[str]
    """What its attacks need beyond the released images and their labels."""
    own_controls: list[tuple[str, str]]
    """Labels of method and attack of the controls that its attacks name."""
    paper: Record
    """Names and settings of the same condition at the paper's scale."""
    accuracies: list[float | None]
    """The final one of each seed; None where it is not finished."""
    failed: int
    estimates: dict[str, Estimate | None]
    """By column of the finished cells, such as `final_accuracy`; None where no cell has it."""
    published: list[Published]
    """The surest first."""
    held_out: bool = False
    """Whether some images only said when to stop, which these accuracies know nothing of: they are of the end."""
    declined: str = ""
    """Why method or attack does not apply here, and there are no cells."""

    @property
    def planned(self) -> int:
        """Cells, one for each seed."""
        return len(self.accuracies)

    @property
    def finished(self) -> int:
        """Those with a result."""
        return sum(accuracy is not None for accuracy in self.accuracies)

    @property
    def missing(self) -> int:
        """Cells without a record."""
        return self.planned - self.finished - self.failed

    @property
    def is_clean(self) -> bool:
        """Whether the images are as they were."""
        return bool(self.paper["method"]["name"] == CLEAN)


@dataclass(frozen=True)
class Results:
    """A plan with all that the store holds of it."""

    name: str
    plan: Record
    conditions: list[Condition]
    cells: list[Record]
    """Each cell once: its PLACE, key, status (finished, failed or missing) and error or QUANTITIES."""
    records: list[Record]
    """The records there are, each once, in the order of the plan."""
    left_out: dict[str, list[str]]
    """Attacks that a reader did not want, by what they assume."""

    @property
    def seeds(self) -> list[int]:
        """How many seeds the conditions have: one number unless they differ."""
        return sorted({condition.planned for condition in self.conditions if not condition.declined})

    def title(self, label: str) -> str:
        """A label of the plan as people read it."""
        return title(label, self.plan["titles"])

    def count(self, status: str) -> int:
        """Cells with that status."""
        return sum(cell["status"] == status for cell in self.cells)


QUANTITIES = {
    "final_accuracy": ("result", "final_accuracy"),
    "peak_accuracy": ("result", "peak_accuracy"),
    "train_accuracy": ("result", "train_accuracy"),
    "noise_psnr": ("noise", "size", "psnr"),
    "noise_ssim": ("noise", "size", "ssim"),
    "noise_linf": ("noise", "size", "linf"),
    "noise_l2": ("noise", "size", "mean_l2"),
    "noise_l0": ("noise", "size", "mean_l0"),
    "noise_saturated": ("noise", "size", "saturated"),
    "train_passes": ("cost", "train_passes"),
    "noise_passes": ("cost", "noise_passes"),
    "train_seconds": ("time", "train_seconds"),
    "noise_seconds": ("time", "noise_seconds"),
    "noise_key": ("noise", "key"),
}
"""Columns of finished cells, and where their records hold them."""

MEASURED = [name for name in QUANTITIES if name != "noise_key"]


def read_results(name: str, plan: Record, store: Store, without: Collection[str] = ()) -> Results:
    """Read every record of a plan, but not of attacks that assume one of `without`.

    Raises StoreError for a plan or a record that this suite did not write as it does now.
    """
    _check(name, plan, store)
    places = [place for place in plan["conditions"] if not set(place["assumes"]) & set(without)]
    names = {word: [place["attack"] for place in plan["conditions"] if word in place["assumes"]] for word in without}
    left_out = {
        word: [title(attack, plan["titles"]) for attack in dict.fromkeys(attacks)] for word, attacks in names.items()
    }
    plan = plan | {"conditions": places}
    records: dict[str, Record] = {}
    cells: dict[str, Record] = {}
    conditions = []
    for place in plan["conditions"]:
        own = []
        for key in place["cells"]:
            if key not in records and (record := store.read(key)) is not None:
                records[key] = record
            own.append({**{part: place[part] for part in PLACE}, "key": key, **_row(records.get(key), key, store)})
        cells |= {cell["key"]: cell for cell in own if cell["key"] not in cells}
        conditions.append(_condition(place, own, plan["titles"]))
    conditions = against_own_controls(against_clean(conditions))
    return Results(name, plan, conditions, list(cells.values()), list(records.values()), left_out)


def _check(name: str, plan: Record, store: Store) -> None:
    if "titles" not in plan or not all(set(place) >= PLAN_KEYS for place in plan["conditions"]):
        raise StoreError(
            f"{store.plan_file(name)}: written by an earlier version; run its grid again, which keeps finished cells"
        )


def against_clean(conditions: Sequence[Condition]) -> list[Condition]:
    """The same, with two more estimates: what the attack reaches on clean images, and the share of it reached here.

    They are `control_accuracy` and `recovered`, a ratio of means, both over the seeds that are finished here and there.
    """
    clean = {_opponent(condition): condition.accuracies for condition in conditions if condition.is_clean}
    return [replace(one, estimates=one.estimates | _shares(one, clean.get(_opponent(one), []))) for one in conditions]


def against_own_controls(conditions: Sequence[Condition]) -> list[Condition]:
    """The same, with one more estimate where an attack names a control: `gained`, the difference to its accuracy.

    Where there are several it is that to the strongest; over the seeds that are finished here and there.
    """
    known = {(*_opponent(one), one.label["method"]): one.accuracies for one in conditions}
    return [replace(one, estimates=one.estimates | {"gained": _gained(one, known)}) for one in conditions]


def _gained(condition: Condition, known: dict[tuple[str, ...], list[float | None]]) -> Estimate | None:
    dataset, model, _ = _opponent(condition)
    differences = []
    for method, attack in condition.own_controls:
        pairs = _finished_pairs(condition.accuracies, known.get((dataset, model, attack, method), []))
        differences.append(estimate([ours - theirs for ours, theirs in pairs]))
    return min((one for one in differences if one), key=lambda one: one.mean, default=None)


def _opponent(condition: Condition) -> tuple[str, ...]:
    return condition.label["dataset"], condition.label["model"], condition.label["attack"]


def _shares(condition: Condition, clean: list[float | None]) -> dict[str, Estimate | None]:
    both = _finished_pairs(condition.accuracies, clean)
    ours, control = estimate([pair[0] for pair in both]), estimate([pair[1] for pair in both])
    share = Estimate(ours.mean / control.mean, None, len(both)) if ours and control and control.mean else None
    return {"control_accuracy": control, "recovered": share}


def _finished_pairs(ours: list[float | None], theirs: list[float | None]) -> list[tuple[float, float]]:
    """Accuracies of the seeds that are finished in both."""
    return [(one, other) for one, other in zip(ours, theirs, strict=False) if one is not None and other is not None]


def _row(record: Record | None, key: str, store: Store) -> Record:
    if record is None:
        return {"status": "missing"}
    try:
        if record["status"] != "finished":
            return {"status": "failed", "error": record["error"]}
        held_out = "validation_clean" in record.get("history", {})
        values = {name: _value(record, path) for name, path in QUANTITIES.items()}
        return {"status": "finished", "held_out": held_out, **values}
    except (KeyError, TypeError) as error:
        file = store.cell_file(key)
        raise StoreError(f"{file}: no record of this suite ({error}); delete it to run its cell again") from None


def _value(record: Record, path: Sequence[str]) -> Any:
    *parents, last = path
    value: Any = record
    for key in parents:
        value = value[key]
    # Measures of the noise have been added over time: an older record lacks the newer ones.
    return value.get(last) if "size" in parents else value[last]


def _condition(place: Record, rows: list[Record], titles: dict[str, str]) -> Condition:
    finished = [row for row in rows if row["status"] == "finished"]
    return Condition(
        label={part: place[part] for part in PLACE},
        titles={part: title(place[part], titles) for part in ("method", "attack")},
        control=place["control"],
        release=place["release"],
        assumes=place["assumes"],
        own_controls=[(control["method"], control["attack"]) for control in place["own_controls"]],
        paper=place["paper"],
        accuracies=[row.get("final_accuracy") for row in rows],
        failed=sum(row["status"] == "failed" for row in rows),
        estimates={name: estimate([row[name] for row in finished if row[name] is not None]) for name in MEASURED},
        published=matching(place),
        held_out=any(row["held_out"] for row in finished),
        declined=place.get("declined", ""),
    )
