"""What the store holds of a plan, read once: a row for each cell, and results for each condition."""

from collections.abc import Collection, Mapping, Sequence
from functools import reduce
from typing import Any

from analysis.numbers.estimates import estimate_over_noises
from analysis.reading.borne_out import borne_out
from analysis.reading.collapse import has_collapsed, test_images
from analysis.reading.conditions import LABEL, ConditionResult, Words
from analysis.reading.controls import against_clean, against_own_controls
from analysis.reading.published import matching
from analysis.reading.results import Measured, Results
from bench.store import Record, Store

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
    "robust_accuracy": ("notes", "robust_accuracy"),
    "robust_images": ("notes", "robust_images"),
    "noise_key": ("noise", "key"),
}
"""Columns of finished cells, and where their records hold them. Older records lack some."""

TESTED = ("final_accuracy", "peak_accuracy")
"""Shares of the test images."""
MISSING: Record = {"status": "missing"}
"""A cell without a record."""
MEASURED = [name for name in QUANTITIES if name != "noise_key"]


def read_results(name: str, plan: Record, store: Store, without: Collection[str] = ()) -> Results:
    """Read every record of a plan, but not of attacks that assume one of `without`."""
    places = [place for place in plan["conditions"] if not set(place["assumes"]) & set(without)]
    titles = [(plan["titles"][place["attack"]]["title"], place["assumes"]) for place in plan["conditions"]]
    left_out = {word: list(dict.fromkeys(one for one, assumed in titles if word in assumed)) for word in without}
    plan = plan | {"conditions": places}
    records: dict[str, Record] = {}
    cells: dict[str, Record] = {}
    conditions = []
    for place in plan["conditions"]:
        read = {key: records.get(key) or _read(store, key, measured=False) for key in place["cells"]}
        found = borne_out(name, place, read)
        records |= {key: record for key, record in found.items() if record}
        label = {part: place[part] for part in LABEL}
        own = [{**label, "key": key, **_row(record)} for key, record in found.items()]
        cells |= {row["key"]: row for row in own if _lacks(cells, row["key"])}
        made: Record = next((record["cell"]["method"] for record in found.values() if record), {})
        conditions.append(_condition(place, own, plan["titles"], made))
    conditions = against_own_controls(against_clean(conditions))
    places = plan.get("measures", [])
    read = {key: _read(store, key, measured=True) for place in places for key in place["cells"]}
    believed = [(place, borne_out(name, place, read)) for place in places]
    measure_cells: dict[str, Record] = {}
    measure_records: dict[str, Record] = {}
    for place, found in believed:
        rows = [_measure_cell(place, key, record) for key, record in found.items()]
        measure_cells |= {row["key"]: row for row in rows if _lacks(measure_cells, row["key"])}
        measure_records |= {key: record for key, record in found.items() if record}
    return Results(
        name,
        plan,
        conditions,
        list(cells.values()),
        list(records.values()),
        left_out,
        store.root,
        measured=[_measured(place, plan["titles"], found) for place, found in believed],
        measure_cells=list(measure_cells.values()),
        measure_records=list(measure_records.values()),
    )


def _lacks(cells: Mapping[str, Record], key: str) -> bool:
    """Whether a cell has no row yet, or one of a place that does not believe its record."""
    return bool(cells.get(key, MISSING)["status"] == "missing")


def _read(store: Store, key: str, *, measured: bool) -> Record | None:
    """The record of a measure or else of a victim, or None if there is none of that kind."""
    record = store.read(key)
    return record if record and ("measure" in record["cell"]) == measured else None


def _measured(place: Record, titles: Record, records: Mapping[str, Record | None]) -> Measured:
    """One place of the measures of a plan."""
    return Measured(
        place=(place["dataset"], place["model"]),
        label=place["method"],
        method=Words(**titles[place["method"]]),
        control=place["control"],
        measure=place["measure"],
        title=place["title"],
        numbers=place["numbers"],
        settings=place["settings"],
        found=[_found(record) for record in records.values()],
        declined=place["declined"],
        keys=place["cells"],
        written=place.get("written", {}),
    )


def _measure_cell(place: Record, key: str, record: Record | None) -> Record:
    status = record["status"] if record else "missing"
    error = {"error": record["error"]} if record and status == "failed" else {}
    return {"title": place["title"], "method": place["method"], "key": key, "status": status, **error}


def _found(record: Record | None) -> Record | None:
    if record is None or record["status"] != "finished":
        return None
    result: Record = record["result"]
    return result


def _row(record: Record | None) -> Record:
    if record is None:
        return MISSING
    if record["status"] != "finished":
        return {"status": "failed", "error": record["error"]}
    held_out = record["history"].get("validation_clean") is not None
    return {
        "status": "finished",
        "held_out": held_out,
        "test_images": test_images(record),
        "collapsed": has_collapsed(record),
        **{name: _value(record, path) for name, path in QUANTITIES.items()},
    }


def _value(record: Record, path: Sequence[str]) -> Any:
    *parents, last = path
    return reduce(lambda part, key: part.get(key, {}), parents, record).get(last)


def _condition(place: Record, rows: list[Record], titles: Record, made: Record) -> ConditionResult:
    finished = [row for row in rows if row["status"] == "finished"]
    images = next((row["test_images"] for row in finished), None)
    tested = {name: images if name in TESTED else None for name in MEASURED}
    return ConditionResult(
        label={part: place[part] for part in LABEL},
        method=Words(**titles[place["method"]]),
        attack=Words(**titles[place["attack"]]),
        control=place["control"],
        release=place["release"],
        assumes=place["assumes"],
        own_controls=[(control["method"], control["attack"]) for control in place["own_controls"]],
        paper=place["paper"],
        accuracies=[row.get("final_accuracy") for row in rows],
        statuses=["collapsed" if row.get("collapsed") else row["status"] for row in rows],
        estimates={
            name: estimate_over_noises([row.get(name) for row in rows], place["noises"], tested[name])
            for name in MEASURED
        },
        others={"peak_accuracy": [row.get("peak_accuracy") for row in rows]},
        test_images=images,
        published=matching(place),
        held_out=any(row["held_out"] for row in finished),
        noises=place["noises"],
        declined=place["declined"],
        keys=place["cells"],
        made=made,
    )
