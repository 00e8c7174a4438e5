"""What changed between two results folders: cells only in one, and by how much those of both differ."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from analysis.numbers.estimates import Estimate, estimate_over_noises
from analysis.reading.conditions import ACCURACY
from analysis.reading.experiments import differing, identity, seeds_of
from analysis.writing.provenance import way_of
from bench.core.settings import STACKED, is_number
from bench.store import Record, Store
from bench.words import flat, short

SLACK = 1e-9
"""What the arithmetic may add to a difference that is just within the tolerance."""
Pair = tuple[Record, Record]
Seeds = tuple[int, int]
"""Of a noise and of a victim on it."""


@dataclass(frozen=True)
class Change:
    """One number of one experiment in two folders, over its seeds. Accuracies are shares in [0, 1]."""

    label: Mapping[str, str]
    """What tables call its dataset, model, method, attack and scale; `attack` is the measure if it measures."""
    quantity: str
    """The number's key in a result, `final_accuracy` unless it measures."""
    pairs: Sequence[Pair]
    """The same cells in both; of other revisions if only the seeds are the same."""
    first_only: Sequence[Record] = ()
    second_only: Sequence[Record] = ()
    notes: Sequence[str] = ()
    """In which revisions its pairs differ, and how else they were computed."""

    @cached_property
    def first(self) -> Estimate | None:
        """Its mean in the first folder: over the pairs, or over what only that has if there are none."""
        return _over_noises(self._values([pair[0] for pair in self.finished] or self.first_only))

    @cached_property
    def second(self) -> Estimate | None:
        """The same in the second folder."""
        return _over_noises(self._values([pair[1] for pair in self.finished] or self.second_only))

    @cached_property
    def difference(self) -> Estimate | None:
        """Second less first, paired by seed; None without a pair that is finished in both."""
        firsts, seconds = (self._values([pair[side] for pair in self.finished]) for side in (0, 1))
        pairs = zip(firsts, seconds, strict=True)
        return _over_noises([(seeds, after - before) for (seeds, before), (_, after) in pairs])

    @cached_property
    def finished(self) -> list[Pair]:
        """The pairs with this number on both sides."""
        return [pair for pair in self.pairs if all(self._values([record]) for record in pair)]

    @property
    def turned(self) -> list[Pair]:
        """The pairs of which one side only has this number."""
        return [pair for pair in self.pairs if len({bool(self._values([record])) for record in pair}) == 2]

    @property
    def different(self) -> list[Pair]:
        """The pairs with another number, or with one on one side only."""
        apart = [pair for pair in self.finished if self._values([pair[0]]) != self._values([pair[1]])]
        return [*self.turned, *apart]

    def moved(self, tolerance: float) -> bool:
        """Whether it failed in one folder only, or its mean differs by more than the tolerance.

        That is in points of accuracy, and in percent of any other number.
        """
        if self.turned or self.difference is None or self.first is None:
            return bool(self.turned)
        unit = 1.0 if self.quantity == ACCURACY else abs(self.first.mean)
        return abs(self.difference.mean) > tolerance / 100 * unit + SLACK

    def _values(self, records: Sequence[Record]) -> list[tuple[Seeds, float]]:
        """Seeds and number of each record that has it."""
        found = [(seeds_of(record), record.get("result", {}).get(self.quantity)) for record in records]
        return [(seeds, float(value)) for seeds, value in found if is_number(value)]


def compare(first: Store, second: Store) -> list[Change]:
    """A change for each number of each experiment of two folders, in the order of their plans."""
    labels = _labels(first) | _labels(second)
    order = {key: place for place, key in enumerate(labels)}
    groups: dict[str, tuple[list[Record], list[Record]]] = {}
    for side, store in enumerate((first, second)):
        for key in store.find(""):
            if (record := store.read(key)) is not None:
                groups.setdefault(identity(record), ([], []))[side].append(record)
    places = {
        group: min(order.get(one["key"], len(order)) for side in groups[group] for one in side) for group in groups
    }
    return [change for group in sorted(groups, key=places.__getitem__) for change in _changes(*groups[group], labels)]


def _changes(first: list[Record], second: list[Record], labels: Mapping[str, Mapping[str, str]]) -> Iterator[Change]:
    """One for each number of one experiment."""
    pairs = _paired(first, second)
    met = [{pair[side]["key"] for pair in pairs} for side in (0, 1)]
    alone = [[one for one in own if one["key"] not in keys] for own, keys in zip((first, second), met, strict=True)]
    every = [*second, *first]
    label = next((labels[one["key"]] for one in every if one["key"] in labels), None) or _plain(every[0])
    notes = list(dict.fromkeys(words for pair in pairs for words in [*differing(*pair), *_ways(*pair)]))
    for quantity in _quantities(every):
        yield Change(label, quantity, pairs, alone[0], alone[1], notes)


def _ways(first: Record, second: Record) -> list[str]:
    """How each was computed, if not alike."""
    ways = [way_of(one["provenance"]) for one in (first, second)]
    return [f"computed in {' and '.join(ways)}"] if ways[0] != ways[1] else []


def _paired(first: Sequence[Record], second: Sequence[Record]) -> list[Pair]:
    """Records of the same key; then, of those that are left, of the same seeds."""
    others = {record["key"]: record for record in second}
    same = {record["key"]: (record, others.pop(record["key"])) for record in first if record["key"] in others}
    left = {seeds_of(record): record for record in others.values()}
    more = [
        (record, left.pop(seeds_of(record)))
        for record in first
        if record["key"] not in same and seeds_of(record) in left
    ]
    return sorted([*same.values(), *more], key=lambda pair: seeds_of(pair[0]))


def _quantities(records: Sequence[Record]) -> list[str]:
    """The numbers to compare: the final accuracy, or all that a measure found."""
    if "measure" not in records[0]["cell"]:
        return [ACCURACY]
    results = [record["result"] for record in records if "result" in record]
    numbers = (name for result in results for name, value in result.items() if is_number(value))
    return list(dict.fromkeys(numbers)) or ["result"]


def _over_noises(values: Sequence[tuple[Seeds, float]]) -> Estimate | None:
    """The mean over noises, each the mean of its victims; of a single noise, over these."""
    known = dict(values)
    noises, seeds = (sorted({one[at] for one in known}) for at in (0, 1))
    return estimate_over_noises([known.get((noise, seed)) for noise in noises for seed in seeds], len(noises))


def _labels(store: Store) -> dict[str, dict[str, str]]:
    """What tables call each cell of a plan, by its key, in the order of the plans."""
    labels: dict[str, dict[str, str]] = {}
    for plan in store.plans().values():
        scale = _scale(plan["scale"]["name"], plan["set"])
        for place in [*plan["conditions"], *plan.get("measures", [])]:
            words = {name: plan["titles"][place[name]]["title"] for name in ("method", "attack") if name in place}
            label = {"dataset": place["dataset"], "model": place["model"], "attack": place.get("title", ""), **words}
            labels |= {key: label | {"scale": scale} for key in place["cells"] if key not in labels}
    return labels


def _plain(record: Record) -> dict[str, str]:
    """The same for a record that no plan asks for."""
    cell, asked = record["cell"], record["asked"]
    return {
        "dataset": cell["dataset"]["name"],
        "model": cell.get("model", ""),
        "method": short(cell["method"]),
        "attack": STACKED.join(map(short, cell["attacks"])) if "attacks" in cell else short(cell["measure"]),
        "scale": _scale(asked["scale"], asked["set"]) if asked else "",
    }


def _scale(name: str, changed: Mapping[str, object]) -> str:
    return " with ".join([name, *([", ".join(flat(changed))] if changed else [])])
