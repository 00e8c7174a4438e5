"""The embedding of perturbations, and the numbers that carry its conclusion."""

import re

from analysis.measured import generators, places
from analysis.results import Measured, Results
from analysis.scatter import clouds
from analysis.sections import MISSING, Entry, Section, plain_table

MEASURE = "perturbations"
COLUMNS = {
    "mean_l2": "mean l2 norm",
    "saturated": "saturated values",
    "participation_ratio": "dimensions filled",
    "cosine": "cosine within",
    "cosine_with_victim": "cosine with the victim's last",
    "two_sample": "told apart from the victim's last",
    "mmd_p": "p of equal distributions",
}
NOTE = (
    "Perturbations of the same images: uniform draws, random signs, those that the noise step adds at several steps of "
    "the surrogate, and those that PGD finds on a victim at several steps. A linear map that tells two sources apart "
    "half of the time knows nothing. A picture shows what lies near; the numbers carry the conclusion."
)


def sections(results: Results) -> list[Section]:
    """One for each generator whose perturbations were collected."""
    return [
        _section(results, place, measures[MEASURE], result)
        for place in places(results)
        for measures in generators(results, place).values()
        if MEASURE in measures
        for result in measures[MEASURE].found[:1]
        if result is not None
    ]


def _section(results: Results, place: tuple[str, str], one: Measured, result: dict[str, object]) -> Section:
    sources = result["sources"]
    points = result["points"]
    assert isinstance(sources, dict)
    assert isinstance(points, dict)
    rows = [[Entry(name), *(_number(about.get(key)) for key in COLUMNS)] for name, about in sources.items()]
    placed = list(next(iter(points.values())))
    file = "-perturbations-" + re.sub(r"[^\w=.]", "-", one.label)
    return Section(
        f"Perturbations of {one.method.title} and of its victim",
        plain_table(["source", *COLUMNS.values()], rows),
        context=results.context(place),
        note=NOTE,
        figure=clouds(points, placed, file),
        file=file,
        numbers=[{"method": one.label, "source": name, **about} for name, about in sources.items()],
    )


def _number(value: float | None) -> Entry:
    return Entry(MISSING) if value is None else Entry(f"{value:.3g}")
