"""Whether records bear out what a plan says of their cells: a plan that was edited or mixed up is not believed."""

import logging
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import combinations

from analysis.reading.conditions import CLEAN, PLAIN
from bench.core.errors import one_line
from bench.core.settings import STACKED, is_number
from bench.store import Record
from bench.words import short

PARTS = ("dataset", "model", "method", "attack", "measure")
ADVICE = "left out; run its grid again, which writes the plan anew and keeps finished cells"
REPAIR = "left out; delete its record and run its grid again"
logger = logging.getLogger(__name__)
"""Its warnings are lines on standard error, unless someone configures it."""


def borne_out(plan: str, place: Record, records: Mapping[str, Record | None]) -> dict[str, Record | None]:
    """The record of each cell of one place of a plan, by key; all None, with a warning, if one is not what it says.

    The record of a measure that lacks a number is None alone.
    """
    own = {key: records[key] for key in place["cells"]}
    told = f"plan {plan}: {', '.join(place[part] for part in PARTS if part in place)}"
    if reason := next(_denials(place, list(own.values())), ""):
        logger.warning("%s", one_line(f"{told}: {reason}; {ADVICE}"))
        return dict.fromkeys(own)
    for key, record in own.items():
        if record and "measure" in place and (lacking := _lacking(place["numbers"], record)):
            logger.warning("%s", one_line(f"{told}: cell {key} has no number for {lacking}; {REPAIR}"))
            own[key] = None
    return own


def _denials(place: Record, records: Sequence[Record | None]) -> Iterator[str]:
    """What the records of a place say, and the plan does not."""
    for record in filter(None, records):
        for other in _others(place, record):
            yield f"cell {record['key']} has {other}"
    measured = "measure" in place
    noises = len(records) if measured else place["noises"]
    victims = max(1, len(records) // max(noises, 1))
    apart = _told_apart(records, "noise_seed", lambda run: run // victims)
    if not (apart and (measured or _told_apart(records, "seed", lambda run: run % victims))):
        told = "" if measured else f" with {victims} victims each"
        yield f"its cells are not of {noises} noises{told}, in order"


def _others(place: Record, record: Record) -> Iterator[str]:
    """What a cell has that is not its place's."""
    cell = record["cell"]
    for part in ("dataset", "method"):
        if not _is_called([cell[part]], place[part], place):
            yield f"the {part} {short(cell[part])}"
    if "attack" in place and not _meets(place, cell["attacks"]):
        yield f"the attack {STACKED.join(map(short, cell['attacks']))}"
    if cell.get("model", place["model"]) != place["model"]:
        yield f"the model {cell['model']}"
    if "measure" in place:
        asked = {"name": place["measure"]} | place["settings"]
        other = [key for key, value in cell["measure"].items() if asked.get(key) != value]
        yield from (f"{key} {cell['measure'][key]} of its measure" for key in other)


def _lacking(numbers: Sequence[str], record: Record) -> str:
    """The keys of numbers for which the record of a measure has something else, or all if it has none of them."""
    found = record.get("result", {})
    if record["status"] == "finished" and numbers and not found.keys() & set(numbers):
        return " and ".join(numbers)
    return " and ".join(name for name in numbers if not (found.get(name) is None or is_number(found[name])))


def _meets(place: Record, attacks: Sequence[Record]) -> bool:
    """Whether attacks are those of the place's label, or on clean images those of it that do not spare them."""
    label = place["attack"]
    if _is_called(attacks, label, place):
        return True
    if place["method"] != CLEAN or not (place["release"] or place.get("spared")):
        return False
    parts = label.split(STACKED)
    left = (STACKED.join(chosen) for count in range(1, len(parts)) for chosen in combinations(parts, count))
    return [one["name"] for one in attacks] == [PLAIN] or any(_is_called(attacks, each, place) for each in left)


def _is_called(plug_ins: Sequence[Record], label: str, place: Record) -> bool:
    """Whether a label names these plug-ins, with the settings that they have. It has none that are at their defaults.

    A value may hold anything, also what stands between attacks or begins a setting, so that none is cut out.
    """
    names = re.escape(STACKED).join(f"{re.escape(one['name'])}(?: .*)?" for one in plug_ins)
    untold = {"name", "revision", *place.get("replaced", [])}
    settings = [(f" {key}=", str(value)) for one in plug_ins for key, value in one.items() if key not in untold]
    told = [(key, value) for key, value in settings if key in label]
    between = label.count(STACKED) - sum(value.count(STACKED) for _, value in told)
    return (
        between == len(plug_ins) - 1
        and bool(re.fullmatch(names, label))
        and all(f"{key}{value}" in label for key, value in told)
    )


def _told_apart(records: Sequence[Record | None], part: str, group: Callable[[int], int]) -> bool:
    """Whether the cells of each group have one seed, and those of other groups another."""
    seeds = {(group(run), record["cell"][part]) for run, record in enumerate(records) if record}
    return len(seeds) == len({one for one, _ in seeds}) == len({seed for _, seed in seeds})
