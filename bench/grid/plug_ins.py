"""The tables of all plug-ins by name. The only code that imports them."""

from collections.abc import Mapping

from attacks import ATTACKS
from bench.core.datasets import DATASETS
from bench.core.declared import check_names, check_table
from bench.core.measures import Measure
from bench.core.protocols import Attack, Method
from bench.core.settings import Settings
from measures import MEASURES
from methods import METHODS

__all__ = ["ATTACKS", "METHODS", "TABLES"]

TABLES: dict[str, Mapping[str, type[Settings]]] = {
    "datasets": DATASETS,
    "methods": METHODS,
    "attacks": ATTACKS,
    "measures": MEASURES,
}
"""Under the words of a grid file."""

KINDS: dict[str, type[Settings]] = {"methods": Method, "attacks": Attack, "measures": Measure}
for group, base in KINDS.items():
    check_table(group, TABLES[group], base)
check_names({group: TABLES[group] for group in KINDS})
