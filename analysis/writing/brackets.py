"""Which published value stands in a bracket of a table, and what is said of it."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from analysis.reading.conditions import ConditionResult, by_place
from analysis.reading.published import REM_RECIPE, Published
from analysis.reading.results import Results

REM = "rem"
"""What published values call REM_RECIPE."""


def settled_tables(results: Results) -> dict[tuple[str, str], list[ConditionResult]]:
    """The conditions of each data set and model, each with the value first that its bracket shows."""
    return {place: settled(conditions) for place, conditions in by_place(results.conditions).items()}


def settled(conditions: Sequence[ConditionResult]) -> list[ConditionResult]:
    """The conditions of one table, each with the value first that its bracket shows.

    One laboratory's in the whole table if it has all that anybody has: its numbers alone can be compared with each
    other. Of several such laboratories the one with the most values of its own methods, or the surest. Else each
    method's own authors' value.
    """
    known = [condition.published for condition in conditions if condition.published]
    all_have = (
        [name for name in _measured(known[0]) if all(name in _measured(values) for values in known)] if known else []
    )
    if not all_have:
        return list(conditions)
    own = Counter(value.laboratory for values in known for value in values if value.own)
    one = max(all_have, key=lambda name: own[name])
    return [
        replace(condition, published=sorted(condition.published, key=lambda value: value.laboratory != one))
        for condition in conditions
    ]


def _measured(values: Sequence[Published]) -> list[str]:
    """The laboratories of some values, each once."""
    return list(dict.fromkeys(value.laboratory for value in values))


def shown(conditions: Sequence[ConditionResult]) -> list[Published]:
    """The values in the brackets of a table."""
    return [condition.published[0] for condition in conditions if condition.published]


def laboratories(conditions: Sequence[ConditionResult]) -> list[str]:
    """Who measured the values in the brackets, in the order of the table."""
    return _measured(shown(conditions))


def same_recipe(results: Results) -> bool:
    """Whether every victim, ours and those of the values in brackets, is trained by the recipe of REM."""
    values = [value for conditions in settled_tables(results).values() for value in shown(conditions)]
    return {value.recipe for value in values} == {our_recipe(results)} == {REM}


def our_recipe(results: Results) -> str:
    """What published values call the recipe of our victims; empty if it is nobody's."""
    ours = [{key: recipe.get(key) for key in REM_RECIPE} for recipe in results.recipes]
    return REM if ours == [REM_RECIPE] else ""


def bracket_line(conditions: Sequence[ConditionResult]) -> str:
    """Whose numbers the brackets hold; empty if there are none."""
    names = laboratories(conditions)
    if len(names) == 1:
        return f"[Brackets] hold published values, all measured by one laboratory: {names[0]}."
    if names:
        return (
            "[Brackets] hold published values with the laboratory that measured each. Recipes differ between "
            "laboratories: compare no value with that of another one."
        )
    return ""
