"""Which records are of the same experiment, whatever their seeds and revisions, and in what two experiments differ."""

from collections.abc import Iterator
from typing import Any

from bench.core.settings import digest
from bench.store import Record

SEEDS = ("seed", "noise_seed")
"""Of a cell; a setting of the same name, such as the seed of a split, belongs to the experiment."""
REVISIONS = ("protocol", "revision", "revisions")
"""What two runs of one experiment may differ in too, wherever it stands in a cell."""


def identity(record: Record) -> str:
    """The same for all seeds, noises, revisions and protocols of an experiment: 16 hexadecimal digits."""
    return digest(_without_revisions(_without_seeds(record["cell"])))


def seeds_of(record: Record) -> tuple[int, int]:
    """Noise seed and victim seed of a record."""
    return record["cell"]["noise_seed"], record["cell"]["seed"]


def differing(first: Record, second: Record) -> list[str]:
    """The settings in which two records differ besides their seeds: `train.steps 800 and 6400`."""
    return list(_differing(_without_seeds(first["cell"]), _without_seeds(second["cell"]), ""))


def results_differ(first: Record, second: Record) -> bool:
    """Whether two records have another status, or another value of a number that both have."""
    if first["status"] != second["status"]:
        return True
    one, other = first.get("result", {}), second.get("result", {})
    return any(one[name] != other[name] for name in one.keys() & other.keys())


def _without_seeds(cell: Record) -> Record:
    return {key: value for key, value in cell.items() if key not in SEEDS}


def _without_revisions(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_revisions(item) for key, item in value.items() if key not in REVISIONS}
    return [_without_revisions(item) for item in value] if isinstance(value, list) else value


def _differing(first: Any, second: Any, path: str) -> Iterator[str]:
    if isinstance(first, list) and isinstance(second, list) and len(first) == len(second):
        first, second = (dict(enumerate(value)) for value in (first, second))
    if isinstance(first, dict) and isinstance(second, dict):
        for key in [*first, *(key for key in second if key not in first)]:
            yield from _differing(first.get(key), second.get(key), f"{path}.{key}" if path else str(key))
    elif first != second:
        yield f"{path} {_said(first)} and {_said(second)}"


def _said(value: Any) -> str:
    return "none" if value is None else str(value)
