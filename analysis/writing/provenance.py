"""What a reader must know before the numbers: scale, changes, how much is finished, and where it was run."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from analysis.reading.results import Results
from analysis.reading.stopping import CLEAN_IMAGES, left_out
from analysis.writing.brackets import same_recipe
from analysis.writing.sections import Drawing, Section
from bench.store import Record
from bench.words import flat

CELLS = "Cells"
LEFT_OUT = "Left out"
REPLACED = "Replaced"
SCALE_SETS = "The scale sets, where the grid leaves it open"


class Fact(NamedTuple):
    """A heading with one or several statements, which may be assignments: `train: steps=800, batch_size=64`."""

    name: str
    statements: list[str]
    assigns: bool = False


@dataclass(frozen=True)
class Progress:
    """Cells of a plan, each counted once."""

    finished: int
    failed: int
    missing: int

    @property
    def planned(self) -> int:
        """All of them."""
        return self.finished + self.failed + self.missing

    def __str__(self) -> str:
        cells = "cell" if self.planned == 1 else "cells"
        return f"{self.finished} of {self.planned} {cells} finished, {self.failed} failed, {self.missing} missing"


@dataclass(frozen=True)
class Chapter:
    """All that a report says of a plan, in words that every format renders."""

    name: str
    """Of the plan; the names of its files begin so."""
    title: str
    about: str
    subject: str
    """Which grid at which scale, and how a user changed it."""
    progress: Progress
    facts: list[Fact]
    reading: str
    """How to read bold and bracketed values."""
    basis: str
    """What makes a table readable away from its page."""
    sections: list[Section]
    pictures: Sequence[Drawing] = ()
    """Figures that belong to no table."""

    @property
    def heading(self) -> tuple[str, str]:
        """The title up to its colon and beyond."""
        heading, _, rest = self.title.partition(": ")
        return heading, rest


def chapter(results: Results, sections: list[Section]) -> Chapter:
    """The chapter of a plan, whose tables are already made."""
    plan, changed = results.plan, ", ".join(flat(results.plan["set"]))
    counts = progress(results)
    reading = reading_line(results) if any(section.places for section in sections) else ""
    sentences = [f"Scale {scale_line(results)}", f"Set by the user: {changed}" if changed else "", str(counts), reading]
    basis = " ".join(f"{sentence.rstrip('.')}." for sentence in sentences if sentence)
    facts = [*what_was_run(results), *where_it_was_run(results.all_records)]
    subject = f"{plan['grid']} at scale {plan['scale']['name']}" + (f" with {changed}" if changed else "")
    return Chapter(results.name, plan["title"], plan["about"], subject, counts, facts, reading, basis, sections)


def progress(results: Results) -> Progress:
    """How far the plan has come."""
    return Progress(results.count("finished"), results.count("failed"), results.count("missing"))


def is_paper(results: Results) -> bool:
    """Whether the plan repeats the paper's experiment unchanged."""
    scale = results.plan["scale"]
    return scale["name"] == "paper" and not scale["changes"] and not results.plan["set"]


def scale_line(results: Results) -> str:
    """The scale's name and what it is."""
    return f"{results.plan['scale']['name']}. {results.plan['scale']['about']}".strip()


def seeds_line(results: Results) -> str:
    """How many victims and noises each condition has."""
    seeds, noises = (" or ".join(map(str, counts)) or "no" for counts in (results.seeds, results.noises))
    if results.noises == [1]:
        if results.seeds == [1]:
            return "1 victim seed, one noise; no interval over victims"
        return f"{seeds} victim seeds, one noise"
    return f"{noises} noises, {seeds} victim seed(s) on each"


def reading_line(results: Results) -> str:
    """How to read bold, italic and bracketed values."""
    bold = "Bold is the lowest of a column, if it is below the unprotected row; italics cannot be told from it."
    if not any(condition.published for condition in results.conditions):
        return bold
    if not is_paper(results):
        return (
            f"{bold} Published values are of the paper's scale, a different experiment from the one here: only their "
            "order is compared, in a table of its own."
        )
    if same_recipe(results):
        where = "of the same condition"
    else:
        where = "of the same images and attacks, but of other training recipes than ours: compare patterns, not numbers"
    return f"{bold} [Brackets] hold published values {where}; the last table has their sources."


def what_was_run(results: Results) -> list[Fact]:
    """Scale, what it sets and replaced, the user's changes, training, attacks left out, seeds, progress."""
    return [
        Fact("Scale", [scale_line(results)]),
        _assignments(SCALE_SETS, grouped(_of_plan(results.plan))),
        *([Fact(REPLACED, replaced)] if (replaced := results.plan["scale"].get("replaced", [])) else []),
        _assignments("Set by the user", flat(results.plan["set"])),
        *([Fact("Training", _recipes(results), assigns=True)] if results.recipes else []),
        *([Fact(LEFT_OUT, _left_out(results))] if results.left_out else []),
        Fact("Seeds", [seeds_line(results)]),
        Fact(CELLS, [str(progress(results))]),
    ]


def _of_plan(plan: Record) -> Record:
    """What the scale sets for all plug-ins, and for those that the plan has."""
    papers = [place["paper"] for place in plan["conditions"]]
    met = {
        "datasets": {paper["dataset"].split()[0] for paper in papers},
        "methods": {paper["method"]["name"] for paper in papers},
        "attacks": {attack["name"] for paper in papers for attack in paper["attacks"]},
        "measures": {place["measure"] for place in plan.get("measures", [])},
    }
    return {
        group: {name: own for name, own in values.items() if name in {"*", *met[group]}} if group in met else values
        for group, values in plan["scale"]["changes"].items()
    }


def _assignments(name: str, lines: list[str]) -> Fact:
    return Fact(name, lines or ["nothing"], assigns=bool(lines))


def _recipes(results: Results) -> list[str]:
    """How victims were trained, whoever decided it: scale, grid or user."""
    return [f"victims: {', '.join(flat(recipe))}" for recipe in results.recipes]


def _left_out(results: Results) -> list[str]:
    """A statement for each assumption that the reader did not want."""
    named = {
        word: [*names, *(left_out(results) if word == CLEAN_IMAGES else [])] for word, names in results.left_out.items()
    }
    return [f"attacks that assume {word}: {', '.join(names) or 'none in this grid'}" for word, names in named.items()]


def where_it_was_run(records: list[Record]) -> list[Fact]:
    """Machines, commits, versions and dates of the records, each different one with its number of cells."""
    if not records:
        return []
    origins = [record["provenance"] for record in records]
    commits = [origin["commit"] or "unknown" for origin in origins]
    machines = [
        f"{_processors(origin)}, {origin['system']}, {origin['precision']}, threads: {origin['threads']}"
        for origin in origins
    ]
    versions = [", ".join(f"{name} {number}" for name, number in origin["versions"].items()) for origin in origins]
    days = sorted(record["time"]["ended"][:16].replace("T", " ") for record in records)
    span = f"{days[0]} to {days[-1]} UTC" if days[0] != days[-1] else f"{days[0]} UTC"
    return [
        Fact("Machine" + _plural(machines), _counted(machines)),
        *([Fact("Computed in different ways", mixed)] if (mixed := ways(records)) else []),
        Fact("Commit" + _plural(commits), _counted(commits)),
        Fact("Versions", _counted(versions)),
        Fact("Cells ended", [span]),
    ]


def ways(records: Sequence[Record]) -> list[str]:
    """The ways in which records were computed, each with its number of them; none if all are of one way."""
    told = _counted([way_of(record["provenance"]) for record in records])
    return told if told[1:] else []


def way_of(origin: Record) -> str:
    """How a record was computed, where that changes its numbers: precision and kind of device."""
    return f"{origin['precision']} on {origin['device']}"


def _processors(origin: Record) -> str:
    return f"{origin['device']} ({origin['processor']})" if origin["device"] != "cpu" else str(origin["processor"])


def _plural(values: list[str]) -> str:
    return "s" if len(set(values)) > 1 else ""


def _counted(values: list[str]) -> list[str]:
    """The different values, the most frequent first; with how many cells have each, if they differ."""
    counts = {value: values.count(value) for value in sorted(set(values))}
    if len(counts) == 1:
        return list(counts)
    return [
        f"{value} ({count} cell{'s' if count > 1 else ''})"
        for value, count in sorted(counts.items(), key=lambda item: -item[1])
    ]


def grouped(settings: Mapping[str, Any], prefix: str = "") -> list[str]:
    """Nested settings in few lines, one for each mapping: `train: steps=800, batch_size=64`."""
    here = {key: value for key, value in settings.items() if not isinstance(value, Mapping)}
    lines = [f"{prefix}: {', '.join(flat(here))}" if prefix else line for line in flat(here)[: 1 if prefix else None]]
    for key, value in settings.items():
        if isinstance(value, Mapping):
            lines += grouped(value, f"{prefix}.{key}" if prefix else key)
    return lines
