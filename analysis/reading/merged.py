"""Several results folders, read as one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from analysis.reading.experiments import differing, results_differ
from bench.core.errors import UserError
from bench.store import Record, Store
from bench.words import counted

if TYPE_CHECKING:
    from torch import Tensor

TESTED = ("dataset", "model", "method", "attack")
MEASURED = ("dataset", "model", "method", "measure", "title")
OF_ALL = ("model", "train", "multiply")
"""What of a scale every cell is made by."""
FEW = 5
"""So many disagreements are told one by one, and so many differences of settings."""


@dataclass(frozen=True)
class Merged(Store):
    """The folder `root` and those of `others`, which are read only. What is written goes to `root`.

    Of several records of a cell the first counts that is finished. Plans of one name become one.
    """

    others: tuple[Store, ...] = ()

    @classmethod
    def of(cls, folders: Sequence[Path]) -> Merged:
        """The folders, each once; there is at least one."""
        root, *others = dict.fromkeys(folders)
        return cls(root, others=tuple(Store(other, read_only=True) for other in others))

    @property
    def stores(self) -> tuple[Store, ...]:
        """All folders, the first one first."""
        return Store(self.root), *self.others

    def find(self, prefix: str) -> list[str]:
        """The keys of all records that begin with `prefix`."""
        return sorted({key for store in self.stores for key in store.find(prefix)})

    def read(self, key: str, *, to_replace: bool = False) -> Record | None:
        """The record of a cell, or None if no folder has it."""
        found = [record for store in self.stores if (record := store.read(key, to_replace=to_replace))]
        return next((record for record in found if record["status"] == "finished"), found[0] if found else None)

    def read_noise(self, key: str, shape: Sequence[int] | None = None) -> tuple[Tensor, Record] | None:
        """A protection and what is known of its making, or None if no folder keeps it."""
        return next(filter(None, (store.read_noise(key, shape) for store in self.stores)), None)

    def state(self) -> frozenset[tuple[Path, int, int]]:
        """What changes with every record and plan that is written to any of them."""
        return frozenset().union(*(store.state() for store in self.stores))

    def plans(self) -> dict[str, Record]:
        """All plans by name, in alphabetical order. Raises UserError if two of a name cannot be read together."""
        plans: dict[str, Record] = {}
        for store in self.stores:
            for name, plan in store.plans().items():
                plans[name] = self._joined(name, plans[name], plan, store) if name in plans else plan
        return dict(sorted(plans.items()))

    def disagreements(self) -> Iterator[str]:
        """A line for each cell of which two folders have different results: a few of them, then how many more."""
        count = 0
        for key in sorted({key for store in self.others for key in store.find("")}):
            found = [(store, record) for store in self.stores if (record := store.read(key))]
            for store, other in found[1:]:
                first, record = found[0]
                if results_differ(record, other):
                    count += 1
                    if count <= FEW:
                        counts = "first" if record["status"] == other["status"] else "finished one"
                        yield (
                            f"cell {key}: {_result(record)} in {first.root}, {_result(other)} in {store.root}; "
                            f"the {counts} counts"
                        )
        if count > FEW:
            yield f"{counted(count - FEW, 'cell')} more with two results; compare the folders to see them all"

    def _joined(self, name: str, one: Record, other: Record, store: Store) -> Record:
        """One plan of two with the same name, of which `other` is that of `store`."""
        first, second = (plan["scale"]["changes"] for plan in (one, other))
        apart = [part for part in OF_ALL if not _agree(part, first.get(part), second.get(part))]
        if apart:
            raise self._refusal(store, name, f"its scale {one['scale']['name']} has another {' and '.join(apart)}")
        joined = one | {"titles": other["titles"] | one["titles"]}
        for places, parts in (("conditions", TESTED), ("measures", MEASURED)):
            found = {tuple(place[part] for part in parts): place for place in one.get(places, [])}
            for place in other.get(places, []):
                label = tuple(place[part] for part in parts)
                wider = _wider(found[label], place) if label in found else place
                if wider is None:
                    raise self._refusal(store, name, f"{' '.join(label[2:4])} is {self._why(found[label], place)}")
                found[label] = wider
            joined[places] = list(found.values())
        return joined

    def _refusal(self, store: Store, name: str, reason: str) -> UserError:
        before = ", ".join(str(other.root) for other in self.stores[: self.stores.index(store)])
        return UserError(f"{store.root}: plan {name} cannot be read together with that of {before}: {reason}")

    def _why(self, one: Record, other: Record) -> str:
        """In what the cells of one place differ from those of another."""
        first, second = (
            next((record for key in place["cells"] if (record := self.read(key))), None) for place in (one, other)
        )
        if first is None or second is None:
            return "of other cells, of which none is finished"
        settings = differing(first, second)
        return f"of other cells: {'; '.join(settings[:FEW]) or 'of other seeds'}"


def _agree(part: str, one: Any, other: Any) -> bool:
    """Whether two scales do in a part. A setting that only one multiplies is newer than the other: no cell had it."""
    if part == "multiply" and one and other:
        return all(one[name] == other[name] for name in one.keys() & other.keys())
    return bool(one == other)


def _wider(one: Record, other: Record) -> Record | None:
    """The place that has all cells of both; None if neither has."""
    cells, others = set(one["cells"]), set(other["cells"])
    return one if cells >= others else other if others > cells else None


def _result(record: Record) -> str:
    if record["status"] == "failed":
        return "failed"
    return "other numbers" if "measure" in record["cell"] else f"{100 * record['result']['final_accuracy']:.2f} %"
