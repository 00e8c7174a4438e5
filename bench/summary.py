"""What the record of one cell says, in lines for people."""

import re
from bisect import bisect
from collections.abc import Iterator

from bench.core.errors import UserError, cut
from bench.core.settings import STACKED
from bench.store import Record, Store
from bench.words import command, duration, flat, short

KEY = re.compile("[0-9a-f]{1,16}")
FEW = 5
"""So many keys of cells are listed at most."""
NAMES = ("method", "attack", "dataset", "model")


def named(cell: str, store: Store) -> Record:
    """The record of the one cell whose key begins so. Raises UserError if there is none, or several."""
    if not KEY.fullmatch(cell):
        example = [*store.find(""), "0" * 16][0]
        raise UserError(f"show {cut(cell)}: a key has up to 16 hexadecimal digits, such as {example}")
    keys = store.find(cell)
    if len(keys) > 1:
        listed = [*keys[:FEW], *(["..."] if keys[FEW:] else [])]
        raise UserError(f"show {cell}: {len(keys)} cells begin so: {', '.join(listed)}")
    if not keys:
        where = f"{store.root} (--results names another folder)"
        raise UserError(f"show {cell}: no such cell in {where}; {_neighbours(cell, store.find(''))}")
    record = store.read(keys[0])
    if record is None:
        raise UserError(f"show {cell}: its record did not hold")
    return record


def summary(record: Record, store: Store) -> Iterator[str]:
    """What was asked, what came out, at what cost, and where: a line for each."""
    yield f"cell {record['key']}: {record['status']}"
    yield from (f"  {word:<9} {text}" for word, text in _facts(record, store) if text)
    if record.get("trace"):
        yield from ("", record["trace"].rstrip())


def _facts(record: Record, store: Store) -> Iterator[tuple[str, str]]:
    cell, plans = record["cell"], _plans_with(record["key"], store)
    titles: dict[str, str] = next(iter(plans.values()), {})
    yield "asked", _asked(cell, titles)
    if training := cell.get("train"):
        yield "training", f"{training['steps']:,} steps of {training['batch_size']} images"
    yield "grids", ", ".join(plans) or "in no plan of this folder"
    yield "first by", _first_by(record["asked"])
    yield "error", record.get("error", "")
    if record["status"] == "finished":
        yield "result", _found(record["result"]) if "measure" in cell else _reached(record["result"])
        yield "noise", _noise(record["noise"])
        yield "cost", _cost(record)
    yield "notes", ", ".join(flat(record.get("notes", {})))
    origin = record["provenance"]
    yield "made", f"{record['time']['ended'][:16].replace('T', ' ')} UTC, commit {origin['commit'] or 'unknown'}"
    yield "machine", f"{origin['device']} ({origin['processor']}), {origin['system']}, {origin['precision']}"
    yield "versions", ", ".join(f"{name} {number}" for name, number in origin["versions"].items())
    yield "whole", command(f"show {record['key']} --json", store.root)


def _plans_with(key: str, store: Store) -> dict[str, dict[str, str]]:
    """The plans that hold the cell, each with what its tables call the parts of the cell."""
    found: dict[str, dict[str, str]] = {}
    for name, plan in store.plans().items():
        for place in [*plan["conditions"], *plan.get("measures", [])]:
            if key in place["cells"]:
                words = {part: place[part] for part in NAMES if part in place}
                titles = {part: plan["titles"].get(text, {}).get("title", text) for part, text in words.items()}
                found[name] = titles
    return found


def _asked(cell: Record, titles: dict[str, str]) -> str:
    """The experiment in the words of a table, else by its names and radii."""
    seeds = f"seed {cell['seed']}, noise seed {cell['noise_seed']}"
    if "measure" in cell:
        words = {"method": short(cell["method"]), "dataset": cell["dataset"]["name"]} | titles
        return f"{short(cell['measure'])} of {words['method']} on {words['dataset']}; {seeds}"
    names = {"method": short(cell["method"]), "dataset": cell["dataset"]["name"], "model": cell["model"]}
    words = names | {"attack": STACKED.join(map(short, cell["attacks"]))} | titles
    seeds = f"victim {seeds}"
    return f"{words['method']} against {words['attack']}; {words['model']} on {words['dataset']}; {seeds}"


def _first_by(asked: Record) -> str:
    if not asked:
        return ""
    changed = f", with {', '.join(flat(asked['set']))}" if asked["set"] else ""
    return f"grid {asked['grid']} at scale {asked['scale']}{changed}"


def _found(result: Record) -> str:
    """The numbers of a measure."""
    numbers = {name: value for name, value in result.items() if not isinstance(value, str | list | dict)}
    return ", ".join(f"{name} {_number(value)}" for name, value in numbers.items())


def _reached(result: Record) -> str:
    """The accuracies of a victim."""
    tested = f" of {result['test_images']:,} test images" if "test_images" in result else " of the test images"
    peak = f"peak {100 * result['peak_accuracy']:.1f} % at step {result['peak_step']:,}"
    return f"{100 * result['final_accuracy']:.1f} %{tested} ({peak}; training {100 * result['train_accuracy']:.1f} %)"


def _number(value: float | None) -> str:
    """A number that a measure found, a whole one with all its digits."""
    return "none" if value is None else str(value) if isinstance(value, int) else f"{value:.4g}"


def _noise(noise: Record) -> str:
    size = noise["size"]
    return f"l-inf {255 * size['linf']:.0f}/255, l2 {size['mean_l2']:.2f} on average; key {noise['key']}"


def _cost(record: Record) -> str:
    cost, time = record["cost"], record["time"]
    work = "measure" if "measure" in record["cell"] else "train"
    done = f"{cost[f'{work}_passes']:,.0f} passes in {duration(time[f'{work}_seconds'])}"
    return f"{done}; its noise {cost['noise_passes']:,.0f} passes in {duration(time['noise_seconds'])}"


def _neighbours(key: str, keys: list[str]) -> str:
    """The keys around the place where `key` would be."""
    start = max(0, min(bisect(keys, key) - FEW // 2, len(keys) - FEW))
    return f"the nearest: {', '.join(keys[start : start + FEW])}" if keys else "there is none yet"
