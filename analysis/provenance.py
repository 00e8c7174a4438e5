"""What a reader must know before the numbers: scale, changes, how much is finished, and where it was run."""

from dataclasses import dataclass

from analysis.conditions import Results
from analysis.early_stopping import CLEAN_IMAGES, left_out
from analysis.labels import flat, grouped
from bench.store import Record

CELLS = "Cells"
LEFT_OUT = "Left out"
Facts = list[tuple[str, list[str]]]
"""Headings, each with one or several statements."""


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
        return f"{self.finished} of {self.planned} cells finished, {self.failed} failed, {self.missing} missing"


def progress(results: Results) -> Progress:
    """How far the plan has come."""
    return Progress(results.count("finished"), results.count("failed"), results.count("missing"))


def changed_by_user(results: Results) -> list[str]:
    """What --set and --seeds changed, as assignments."""
    return flat(results.plan["set"])


def is_paper(results: Results) -> bool:
    """Whether the plan repeats the paper's experiment unchanged."""
    return results.plan["scale"]["name"] == "paper" and not results.plan["set"]


def scale_line(results: Results) -> str:
    """The scale's name and what it is."""
    return f"{results.plan['scale']['name']}. {results.plan['scale']['about']}".strip()


def seeds_line(results: Results) -> str:
    """How many victims each condition has, and what that says of the intervals."""
    counts = results.seeds
    if counts == [1]:
        return "1 victim seed, one noise; no interval"
    seeds = " or ".join(str(count) for count in counts) or "no"
    return f"{seeds} victim seeds, one noise; ± is half of the 95 % Student interval of the mean"


def reading_line(results: Results, *, sources: str) -> str:
    """How to read bold and bracketed values; `sources` says where the latter's are listed."""
    bold = "Bold is the lowest of a column, if it is below the unprotected row."
    if not any(condition.published for condition in results.conditions):
        return bold
    if is_paper(results):
        return f"{bold} [Brackets] hold published values of the same condition; sources {sources}."
    return (
        f"{bold} [Brackets] hold published values at the paper's scale, a different experiment from the one here: "
        f"compare patterns, not numbers; sources {sources}."
    )


def what_was_run(results: Results) -> Facts:
    """Scale, its changes, the user's changes, attacks that a reader left out, seeds, progress."""
    return [
        ("Scale", [scale_line(results)]),
        ("The scale changes", grouped(results.plan["scale"]["changes"]) or ["nothing"]),
        ("Set by the user", changed_by_user(results) or ["nothing"]),
        *([(LEFT_OUT, _left_out(results))] if results.left_out else []),
        ("Seeds", [seeds_line(results)]),
        (CELLS, [str(progress(results))]),
    ]


def _left_out(results: Results) -> list[str]:
    """A statement for each assumption that the reader did not want."""
    named = {
        word: [*names, *(left_out(results) if word == CLEAN_IMAGES else [])] for word, names in results.left_out.items()
    }
    return [f"attacks that assume {word}: {', '.join(names) or 'none in this grid'}" for word, names in named.items()]


def where_it_was_run(records: list[Record]) -> Facts:
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
        ("Machine" + _plural(machines), _counted(machines)),
        ("Commit" + _plural(commits), _counted(commits)),
        ("Versions", _counted(versions)),
        ("Cells ended", [span]),
    ]


def _processors(origin: Record) -> str:
    return f"{origin['device']} ({origin['processor']})" if origin["device"] != "cpu" else str(origin["processor"])


def _plural(values: list[str]) -> str:
    return "s" if len(set(values)) > 1 else ""


def _counted(values: list[str]) -> list[str]:
    """The different values, the most frequent first; with how many cells have each, where they differ."""
    counts = {value: values.count(value) for value in sorted(set(values))}
    if len(counts) == 1:
        return list(counts)
    return [
        f"{value} ({count} cell{'s' if count > 1 else ''})"
        for value, count in sorted(counts.items(), key=lambda item: -item[1])
    ]


def summary_line(results: Results) -> str:
    """One line for the terminal."""
    changed = ", ".join(changed_by_user(results))
    changes = f" with {changed}" if changed else ""
    return f"{results.plan['grid']} at scale {results.plan['scale']['name']}{changes}: {progress(results)}"
