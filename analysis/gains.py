"""Every cell against the control that its attack names: what an attack gains over simpler means."""

from dataclasses import replace

from analysis.conditions import Results
from analysis.early_stopping import stopped
from analysis.tables import Table, tables_of

NOTE = (
    "Final accuracy less that under the control that the attack names, in points, over the same seeds; the strongest "
    "where there are several. What is not above 0 is no gain: the control explains all."
)


def gained_tables(results: Results) -> list[Table]:
    """Differences to the controls that attacks name, in points, of those tables that have any."""
    compared = [condition for condition in stopped(results) if condition.estimates["gained"]]
    return tables_of(replace(results, conditions=compared), "gained")


def named_controls(results: Results) -> list[str]:
    """What stands against what in these tables: `APGD: against PGD`; of the finished ones, each once."""
    pairs = [
        (condition.titles["attack"], results.title(control))
        for condition in stopped(results)
        if condition.estimates["gained"]
        for _, control in condition.own_controls
    ]
    return [f"{attack}: against {control}" for attack, control in dict.fromkeys(pairs)]
