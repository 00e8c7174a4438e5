"""What the measure of perturbations found, of each noise whose record holds what it should."""

from collections.abc import Iterator
from typing import Annotated, NamedTuple, Self

from pydantic import BaseModel, Field, model_validator

from analysis.reading.found import Share, read_every
from analysis.reading.measures import generators, places
from analysis.reading.results import Measured, Results
from bench.core.errors import brief

MEASURE = "perturbations"
Coordinate = Annotated[float, Field(strict=True, ge=-1e6, le=1e6)]
"""Far beyond what UMAP and t-SNE give, and no NaN: what can be drawn."""
MANY = 20
"""Sources, and embeddings, at most: more cannot be drawn."""
Points = Annotated[list[tuple[Coordinate, Coordinate]], Field(min_length=1)]
Sources = Annotated[dict[str, Points], Field(min_length=1, max_length=MANY)]
Positive = Annotated[float, Field(strict=True, gt=0, le=1e6)]


class Apart(BaseModel):
    """How far two sources differ."""

    two_sample: Share | None = None
    cosine: Coordinate | None = None
    mmd: Coordinate | None = None
    mmd_p: Share | None = None


class About(BaseModel):
    """The numbers of a source by itself, and against the victim's, by their names."""

    mean_l2: Coordinate | None = None
    spread_of_l2: Coordinate | None = None
    saturated: Share | None = None
    participation_ratio: Coordinate | None = None
    cosine: Coordinate | None = None
    against: Annotated[dict[str, Apart], Field(max_length=MANY)] = {}


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

    sources: Annotated[dict[str, About], Field(min_length=1, max_length=MANY)]
    points: Annotated[dict[str, Sources], Field(min_length=1, max_length=MANY)]
    """Coordinates of some of the sources, the same ones in each, by embedding."""
    shapes: dict[str, Shape] = {}
    """By what they are over."""

    @model_validator(mode="after")
    def _is_of_the_same_sources(self) -> Self:
        placed = {f"points.{kind}": set(one) for kind, one in self.points.items()}
        shaped = {f"shapes.{kind}": set(one.up) for kind, one in self.shapes.items()}
        beside = {f"sources.{name}.against": set(about.against) for name, about in self.sources.items()}
        for where, names in (placed | shaped | beside).items():
            if unknown := sorted(names - self.sources.keys()):
                raise ValueError(f"{where}: {brief(unknown[0])} is none of the sources {', '.join(self.sources)}")
        first, *others = placed
        for other in others:
            if odd := sorted(placed[other] ^ placed[first]):
                raise ValueError(f"{other}: {brief(odd[0])} is in one of it and {first} alone")
        if len({tuple(shape.up) for shape in self.shapes.values()}) > 1:
            raise ValueError("shapes: of different sources, or in another order")
        return self


class First(NamedTuple):
    """The first noise of a method that has anything to draw."""

    noise: int
    """From 0."""
    cloud: Cloud

    @property
    def words(self) -> str:
        """`the first noise`, or which one."""
        return f"noise {self.noise + 1}, the first that has any" if self.noise else "the first noise"


class Collected(NamedTuple):
    """The perturbations of one method, collected in one way."""

    place: tuple[str, str]
    """Data set and model."""
    measured: Measured
    varied: list[str]
    """What is said of the way, if there are several."""
    noises: dict[str, Cloud]
    """By the key of their cells; noises without a whole record are left out."""
    damaged: list[str]
    """What is wrong with records."""

    def heading(self, words: str) -> str:
        """A heading, `words` with the method's title in the place of {}."""
        return ", ".join([words.format(self.measured.method.title), *self.varied])

    @property
    def labels(self) -> list[str]:
        """What the names of its files end with."""
        return [*self.place, self.measured.label, *self.varied]

    @property
    def every(self) -> list[Cloud | None]:
        """What each noise of the plan has."""
        return [self.noises.get(key) for key in self.measured.keys]

    @property
    def first(self) -> First | None:
        """The noise that pictures are of."""
        return next((First(noise, cloud) for noise, cloud in enumerate(self.every) if cloud), None)

    @property
    def columns(self) -> dict[str, str]:
        """What the rows of its data files begin with."""
        return {"dataset": self.place[0], "model": self.place[1], "method": self.measured.label}


def collected(results: Results) -> Iterator[Collected]:
    """Every method whose perturbations were collected, once for each way of it."""
    for place in places(results):
        for measures in generators(results, place).values():
            own = read_every(measures.values(), MEASURE, Cloud)
            for one, whole, damaged in own:
                yield Collected(place, one, [one.title] if len(own) > 1 else [], dict(whole), damaged)
