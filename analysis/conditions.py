"""What the records say of a plan: one row for each cell, and one for each condition."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from analysis.reported import Published, matching
from analysis.statistics import Estimate, estimate
from bench.store import Record, Store, StoreError

PLACE = ["dataset", "model", "method", "attack"]


@dataclass(frozen=True)
class Condition:
    """One place of a table, over its seeds. Accuracies are shares in [0, 1]."""

    label: dict[str, str]
    """What the plan calls it, by data set, model, method and attack."""
    paper: Record
    """Names and settings of the same condition at the paper's scale."""
    planned: int
    finished: int
    failed: int
    estimates: dict[str, Estimate | None]
    """By column of the finished cells, such as `final_accuracy`; None where no cell has it."""
    published: list[Published]
    """The surest first."""

    @property
    def missing(self) -> int:
        """Cells without a record."""
        return self.planned - self.finished - self.failed


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

    @property
    def seeds(self) -> list[int]:
        """How many seeds the conditions have: one number unless they differ."""
        return sorted({condition.planned for condition in self.conditions})

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


def read_results(name: str, plan: Record, store: Store) -> Results:
    """Read every record of a plan. Raises StoreError for one that this suite did not write."""
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
        conditions.append(_condition(place, own))
    return Results(name, plan, conditions, list(cells.values()), list(records.values()))


def _row(record: Record | None, key: str, store: Store) -> Record:
    if record is None:
        return {"status": "missing"}
    try:
        if record["status"] != "finished":
            return {"status": "failed", "error": record["error"]}
        return {"status": "finished", **{name: _value(record, path) for name, path in QUANTITIES.items()}}
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


def _condition(place: Record, rows: list[Record]) -> Condition:
    finished = [row for row in rows if row["status"] == "finished"]
    return Condition(
        label={part: place[part] for part in PLACE},
        paper=place["paper"],
        planned=len(rows),
        finished=len(finished),
        failed=sum(row["status"] == "failed" for row in rows),
        estimates={name: estimate([row[name] for row in finished if row[name] is not None]) for name in MEASURED},
        published=matching(place),
    )


def tidy(results: Results) -> pd.DataFrame:
    """All numbers of a plan, one row for each condition in the plan's order, accuracies as shares in [0, 1].

    `noise_psnr` is in dB; `noise_linf` and `noise_l2` (mean over images) are in [0, 1] units; `noise_l0` is the mean
    number of changed pixels, `noise_saturated` the share of released values that are 0 or 255; passes are
    forward+backward of 128 images. All are means over the finished seeds, `_half_width` is half of Student's 95 %
    interval. Empty where nothing is known.
    """
    return pd.DataFrame([_tidy_row(results, condition) for condition in results.conditions])


def _tidy_row(results: Results, condition: Condition) -> Record:
    values: Record = {}
    for name, value in condition.estimates.items():
        values[name] = round(value.mean, 6) if value else None
        if name.endswith("accuracy"):
            values[f"{name}_half_width"] = (
                round(value.half_width, 6) if value and value.half_width is not None else None
            )
    first = condition.published[0] if condition.published else None
    return {
        "plan": results.name,
        "scale": results.plan["scale"]["name"],
        **condition.label,
        "seeds_planned": condition.planned,
        "finished": condition.finished,
        "failed": condition.failed,
        "missing": condition.missing,
        **values,
        "published_accuracy": round(first.accuracy, 6) if first else None,
        "published_source": f"{first.source}, {first.place}" if first else None,
    }
