"""The embedding of perturbations, and the numbers that carry its conclusion."""

from collections.abc import Sequence
from typing import Annotated, Self

from pydantic import AfterValidator, BaseModel, Field, model_validator

from analysis.drawing.scatter import clouds, shapes
from analysis.reading.found import Share, in_unit_interval, read_every
from analysis.reading.measures import generators, places
from analysis.reading.results import Measured, Results
from analysis.writing.noises import INTERVALS, over_noises
from analysis.writing.sections import Entry, Section, file_of, percent, plain_table
from bench.core.errors import brief

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
P_VALUE = "mmd_p"
SHARES = ("saturated", "two_sample", P_VALUE)
"""Between 0 and 1."""
NOTE = (
    "Perturbations of the same whole images: uniform draws, random signs, those of the noise step at several steps of "
    "the surrogate, and those that PGD finds on a victim at several steps. A linear map that tells two sources apart "
    "half of the time knows nothing. It never saw the images that it is asked about, and p is that of permutations "
    "which swap the sources of an image. In the picture, of the first noise, each column shows one source; grey is "
    "where any source lies. It shows what lies near; the numbers carry the conclusion."
)
COMPONENTS = "first components"
SHAPES = (
    "Shares of a source's perturbations by their l2 norm and by the share of their values that are as large as the "
    "source's largest, and the share of its variance in its first principal components, as many as the axis says, of "
    "the first noise. Earlier networks have shorter dashes."
)
Coordinate = Annotated[float, Field(ge=-1e6, le=1e6)]
"""Far beyond what UMAP and t-SNE give, and no NaN: what can be drawn."""
MANY = 20
"""Sources, and embeddings, at most: more cannot be drawn."""
Points = Annotated[list[tuple[Coordinate, Coordinate]], Field(min_length=1)]
Sources = Annotated[dict[str, Points], Field(min_length=1, max_length=MANY)]
Positive = Annotated[float, Field(gt=0, le=1e6)]


def _with_shares(about: dict[str, float | None]) -> dict[str, float | None]:
    for key in SHARES:
        try:
            in_unit_interval(about.get(key) or 0)
        except ValueError as error:
            raise ValueError(f"{key} {error}") from None
    return about


About = Annotated[dict[str, Coordinate | None], AfterValidator(_with_shares)]
"""The numbers of a source."""


class Shape(BaseModel):
    """Shares of every source, by its name, over a quantity."""

    across: Annotated[list[Positive], Field(min_length=1)]
    up: Annotated[dict[str, list[Share]], Field(min_length=1, max_length=MANY)]

    @model_validator(mode="after")
    def _has_a_share_for_each_place(self) -> Self:
        for name, shares in self.up.items():
            if len(shares) != len(self.across):
                raise ValueError(f"{brief(name)} has {len(shares)} shares for {len(self.across)} places")
        return self


class Cloud(BaseModel):
    """What the measure found, as far as it is read here."""

    sources: Annotated[dict[str, About], Field(min_length=1)]
    points: Annotated[dict[str, Sources], Field(min_length=1, max_length=MANY)]
    """Coordinates of some of the sources, the same ones in each, by embedding."""
    shapes: dict[str, Shape] = {}
    """By what they are over."""

    @model_validator(mode="after")
    def _is_of_the_same_sources(self) -> Self:
        placed = {f"points.{kind}": set(one) for kind, one in self.points.items()}
        for where, names in (placed | {f"shapes.{kind}": set(one.up) for kind, one in self.shapes.items()}).items():
            if unknown := sorted(names - self.sources.keys()):
                raise ValueError(f"{where}: {brief(unknown[0])} is none of the sources {', '.join(self.sources)}")
        first, *others = placed
        for other in others:
            if odd := sorted(placed[other] ^ placed[first]):
                raise ValueError(f"{other}: {brief(odd[0])} is in one of it and {first} alone")
        if len({tuple(shape.up) for shape in self.shapes.values()}) > 1:
            raise ValueError("shapes: of different sources, or in another order")
        return self


def sections(results: Results) -> list[Section]:
    """One or two for each generator whose perturbations were collected, and each way of it.

    Numbers are those of all its noises, pictures those of the first. A record that does not hold what it should is
    told, and its noise left out.
    """
    found = []
    for place in places(results):
        for measures in generators(results, place).values():
            own = read_every(measures.values(), MEASURE, Cloud)
            for one, whole, damaged in own:
                varied = [one.title] if len(own) > 1 else []
                found.append(_section(results, place, one, dict(whole), varied, damaged))
                if whole and COMPONENTS in whole[0][1].shapes:
                    found.append(_shapes(results, place, one, whole[0][1], varied))
    return found


def _section(
    results: Results,
    place: tuple[str, str],
    one: Measured,
    noises: dict[str, Cloud],
    varied: Sequence[str],
    damaged: list[str],
) -> Section:
    first = next(iter(noises.values()), None)
    sources = _by_source([noises[key].sources if key in noises else {} for key in one.keys])
    rows = [
        [Entry(name), *(_number([about.get(key) for about in found], key, one.keys) for key in COLUMNS)]
        for name, found in sources.items()
    ]
    file = "-perturbations" + file_of((*place, one.label, *varied))
    return Section(
        ", ".join([f"Perturbations of {one.method.title} and of its victim", *varied]),
        plain_table(["source", *COLUMNS.values()], rows),
        context=results.context(place),
        note=NOTE,
        intervals=INTERVALS,
        remarks=damaged,
        figure=clouds(first.points, list(next(iter(first.points.values()))), file) if first else None,
        file=file,
        numbers=[
            {"dataset": place[0], "model": place[1], "method": one.label, "noise": noise, "source": name, **about}
            for name, found in sources.items()
            for noise, about in enumerate(found)
            if about
        ],
    )


def _by_source(noises: Sequence[dict[str, About]]) -> dict[str, list[About]]:
    """The numbers of each source, noise by noise; empty ones of a noise that lacks it."""
    names = dict.fromkeys(name for sources in noises for name in sources)
    return {name: [sources.get(name, {}) for sources in noises] for name in names}


def _shapes(results: Results, place: tuple[str, str], one: Measured, cloud: Cloud, varied: Sequence[str]) -> Section:
    components = cloud.shapes[COMPONENTS]
    told = [(number, f"{count:g}") for number, count in enumerate(components.across) if number % 2 == 0]
    file = "-shapes" + file_of((*place, one.label, *varied))
    return Section(
        ", ".join([f"Sizes and dimensions of the perturbations of {one.method.title} and of its victim", *varied]),
        plain_table(
            ["source", *(f"variance in {count} component{'s' if count != '1' else ''}, %" for _, count in told)],
            [[name, *(percent(shares[number]) for number, _ in told)] for name, shares in components.up.items()],
        ),
        context=results.context(place),
        note=SHAPES,
        figure=shapes({name: (shape.across, shape.up) for name, shape in cloud.shapes.items()}, COMPONENTS, file),
        file=file,
        numbers=[
            {"dataset": place[0], "model": place[1], "method": one.label, "source": source, "over": name}
            | {"at": at, "share": share}
            for name, shape in cloud.shapes.items()
            for source, shares in shape.up.items()
            for at, share in zip(shape.across, shares, strict=True)
        ],
        folded=True,
    )


def _number(values: Sequence[float | None], key: str, keys: Sequence[str]) -> Entry:
    """The mean over noises; of p-values, which have none that means anything, the least and the largest."""
    known = sorted(value for value in values if value is not None)
    if key != P_VALUE or not known:
        return over_noises(values, keys)
    least, largest = f"{known[0]:.3f}", f"{known[-1]:.3f}"
    return Entry(least if least == largest else f"{least} to {largest}", keys=keys)
