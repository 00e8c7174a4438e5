"""Which cells `--only` picks, by the names that people see: plug-ins, labels of plans, and titles of tables."""

from collections.abc import Mapping, Sequence

from bench.core.errors import UserError, cut, suggestion
from bench.core.settings import STACKED
from bench.grid.cell import Cell
from bench.grid.condition import Condition, Variant

FILTERS = ("dataset", "model", "method", "attack", "measure", "seed", "noise_seed")
KEYS = f", KEY one of {', '.join(FILTERS)}"
SEEDS = FILTERS[-2:]
"""Those that pick some of a condition's cells."""
Wanted = Mapping[str, set[str]]
"""For each filter in use, the names that it lets pass, as `_plain` writes them."""


def wanted_by(only: Sequence[str], conditions: Sequence[Condition]) -> Wanted:
    """Read `KEY=VALUE`s. Values of one key add up. Raises UserError for what no condition is called."""
    wanted: dict[str, set[str]] = {}
    for text in only:
        key, equals, value = text.partition("=")
        if not equals or key not in FILTERS:
            raise UserError(f"--only {cut(text)}: write KEY=VALUE{suggestion(key, FILTERS) if equals else KEYS}")
        if not value.strip():
            raise UserError(f"--only {key}: the value is empty")
        known = {_plain(name): name for one in conditions for name in reversed(_names(one)[key])}
        if _plain(value) not in known:
            raise UserError(f"--only {cut(text)}: no such {key} in the grid{suggestion(value, known.values())}")
        wanted.setdefault(key, set()).add(_plain(value))
    return wanted


def meets(condition: Condition, cell: Cell | None, wanted: Wanted) -> bool:
    """Whether a cell of the condition is wanted; without a cell, whether the condition is, whatever the seed."""
    if not wanted:  # as most often, and names take time
        return True
    seeds = {"seed": cell.seed, "noise_seed": cell.noise_seed} if cell else {}
    names = _names(condition) | {key: [str(seeds[key])] if seeds else list(wanted.get(key, ())) for key in SEEDS}
    return all(values & set(map(_plain, names[key])) for key, values in wanted.items())


def _plain(name: str) -> str:
    """A name as it is compared: in small letters, with single spaces."""
    return " ".join(name.lower().split())


def _names(condition: Condition) -> dict[str, list[str]]:
    """What each filter may call the condition: the name, the label and the title of each part."""
    dataset, method, attacks = condition.dataset, condition.method, condition.attacks
    return {
        "dataset": [dataset.choice.name, dataset.label],
        "model": [condition.model],
        "method": [method.choice.name, method.label, method.title],
        "attack": [
            *(attack.choice.name for attack in attacks),
            condition.attack_label,
            STACKED.join(attack.title for attack in attacks),
        ]
        if attacks
        else [],
        "measure": _names_of_measure(condition.measure) if condition.measure else [],
        **{key: [str(getattr(cell, key)) for cell in condition.cells] for key in SEEDS},
    }


def _names_of_measure(measure: Variant) -> list[str]:
    """Its name, its title, and the titles of its numbers, which tables print."""
    return [measure.choice.name, measure.title, *measure.choice.settings.numbers.values()]
