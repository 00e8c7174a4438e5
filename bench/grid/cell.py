"""What one honest experiment is, and its key: the same settings always have the same name."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Generic, TypeVar

from bench.core.augment import flip_crop
from bench.core.data import Outline
from bench.core.datasets import DatasetSettings
from bench.core.errors import asked
from bench.core.keeper import Kind
from bench.core.measures import Measure, Training
from bench.core.network_names import maker
from bench.core.plug_in import Cost
from bench.core.protocols import Attack, Method
from bench.core.revision import revisions
from bench.core.settings import PROTOCOL, STACKED, Settings, digest
from bench.core.train import Recipe

S = TypeVar("S", bound=Settings, covariant=True)


@dataclass(frozen=True)
class Choice(Generic[S]):
    """A plug-in by name, with every setting spelled out."""

    name: str
    settings: S

    def canonical(self) -> dict[str, Any]:
        """Name, revision and all settings, defaults included, as JSON values."""
        return {"name": self.name, **self.settings.canonical()}


@dataclass(frozen=True)
class Cell:
    """Protect a data set with a method, train a victim on it under a stack of attacks, test it on clean images.

    Or measure the noise.
    """

    dataset: Choice[DatasetSettings]
    fingerprint: str
    """Content of the data set if its settings do not fix it, else empty."""
    model: str
    method: Choice[Method]
    attacks: tuple[Choice[Attack], ...]
    train: Recipe
    seed: int
    """Fixes the victim's initial weights, batch order, crops and attacks."""
    noise_seed: int
    """Fixes the noise, which all cells that need the same one share."""
    measure: Choice[Measure] | None = None
    """What is measured of the noise instead of the accuracy of a victim; there are no attacks then."""

    def canonical(self) -> dict[str, Any]:
        """Everything that decides the result, as JSON values."""
        training = {"model": self.model, "train": self.train.canonical()} | revisions([maker(self.model), flip_crop])
        what: dict[str, Any]
        if self.measure:
            what = {"measure": self.measure.canonical()} | (training if self.measure.settings.trains else {})
        else:
            attacks = [attack.canonical() | attack.settings.content(self.model) for attack in self.attacks]
            what = training | {"attacks": attacks}
        return {**self.noise_canonical(), **what, "seed": self.seed}

    def cost(self, outline: Outline) -> Cost:
        """What it takes on such data, once the noise is there."""
        images = outline.train_images
        if self.measure:
            with asked(f"what {self.measure.name} costs"):
                return Cost() + self.measure.settings.cost(outline, self.method.settings, self.training)
        with asked(f"what {STACKED.join(attack.name for attack in self.attacks)} costs"):
            cost = self.train.cost([attack.settings for attack in self.attacks], images)
        return cost + self.train.cost_of_looks(outline.test_images)

    @property
    def training(self) -> Training:
        """How its measure trains: as its victims do, with as few looks as can be: nobody reads them."""
        return Training(self.model, self.train.model_copy(update={"evaluate_every": self.train.steps}))

    def noise_cost(self, outline: Outline) -> Cost:
        """What making the noise takes."""
        with asked(f"what {self.method.name} costs"):
            return Cost() + self.method.settings.cost(outline.train_images)

    @property
    def keeps(self) -> frozenset[Kind]:
        """What it needs of the noise's making beside the noise."""
        return frozenset(self.measure.settings.keeps if self.measure else ())

    def noise_canonical(self) -> dict[str, Any]:
        """Everything that decides the noise, as JSON values."""
        dataset = self.dataset.canonical() | ({"fingerprint": self.fingerprint} if self.fingerprint else {})
        method = self.method.canonical()
        return {"protocol": PROTOCOL, "dataset": dataset, "method": method, "noise_seed": self.noise_seed}

    @cached_property
    def key(self) -> str:
        """The cell's name: 16 hexadecimal digits of the hash of its canonical JSON."""
        names = [one.name for one in (self.method, *self.attacks, *([self.measure] if self.measure else []))]
        with asked(f"what decides a cell of {STACKED.join(names)}"):
            return digest(self.canonical())

    @cached_property
    def noise_key(self) -> str:
        """The name of the noise it needs: data set, method and noise seed alone decide it."""
        with asked(f"what decides the noise of {self.method.name}"):
            return digest(self.noise_canonical())
