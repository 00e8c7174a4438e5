"""Whether records bear out what a plan says of their cells: a plan that was edited or mixed up is not believed."""

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence

from analysis.reading.conditions import CLEAN, PLAIN
from analysis.reading.published import parse
from bench.core.errors import one_line
from bench.core.settings import STACKED
from bench.store import Record
from bench.words import short

PARTS = ("dataset", "model", "method", "attack", "measure")
ADVICE = "left out; run its grid again, which writes the plan anew and keeps finished cells"
logger = logging.getLogger(__name__)
"""Its warnings are lines on standard error, unless someone configures it."""


def borne_out(plan: str, place: Record, records: Mapping[str, Record | None]) -> list[Record | None]:
    """The record of each cell of one place of a plan; all None, with a warning, if one is not what the plan says."""
    own = [records.get(key) for key in place["cells"]]
    reason = next(_denials(place, own), "")
    if not reason:
        return own
    where = ", ".join(place[part] for part in PARTS if part in place)
    logger.warning("%s", one_line(f"plan {plan}: {where}: {reason}; {ADVICE}"))
    return [None] * len(own)


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
    """What a cell has that is not its place's. Labels have no settings that are left at their defaults."""
    cell = record["cell"]
    for part, own in (
        ("dataset", [cell["dataset"]]),
        ("method", [cell["method"]]),
        ("attack", cell.get("attacks", [])),
    ):
        said = _said(place, part, own)
        if [name for name, _ in said] != [one["name"] for one in own]:
            yield f"the {part} {STACKED.join(map(short, own))}"
            continue
        for (name, written), one in zip(said, own, strict=True):
            yield from (f"{name} {key}={one[key]}" for key, text in written.items() if str(one.get(key, text)) != text)
    if cell.get("model", place["model"]) != place["model"]:
        yield f"the model {cell['model']}"
    if "measure" in place:
        asked = {"name": place["measure"]} | place["settings"]
        other = [key for key, value in cell["measure"].items() if asked.get(key) != value]
        yield from (f"{key} {cell['measure'][key]} of its measure" for key in other)
        found = record.get("result", {})
        lacking = [name for name in place["numbers"] if not isinstance(found.get(name, ""), int | float | None)]
        yield from (f"no number called {name}" for name in lacking if record["status"] == "finished")


def _said(place: Record, part: str, own: Sequence[Record]) -> list[tuple[str, dict[str, str]]]:
    """What the label of a part says; on clean images without an attack on the release, if that spares them."""
    if part not in place:  # what is measured of a noise meets no attack
        return []
    said = parse(place[part])
    spared = part == "attack" and place["release"] and place["method"] == CLEAN
    return said[1:] or [(PLAIN, {})] if spared and said[0][0] != own[0]["name"] else said


def _told_apart(records: Sequence[Record | None], part: str, group: Callable[[int], int]) -> bool:
    """Whether the cells of each group have one seed, and those of other groups another."""
    seeds = {(group(run), record["cell"][part]) for run, record in enumerate(records) if record}
    return len(seeds) == len({one for one, _ in seeds}) == len({seed for _, seed in seeds})
