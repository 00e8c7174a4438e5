"""What one honest experiment is, and its key: the same settings always have the same name."""

from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from bench.core.augment import flip_crop
from bench.core.datasets import DatasetSettings
from bench.core.models import maker
from bench.core.protocols import Attack, Method
from bench.core.revision import revisions
from bench.core.settings import PROTOCOL, Settings, digest
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
    """Protect a data set with a method, train a victim on it under a stack of attacks, test it on clean images."""

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

    def canonical(self) -> dict[str, Any]:
        """Everything that decides the result, as JSON values."""
        return {
            **self._noise_canonical(),
            "model": self.model,
            "attacks": [attack.canonical() | attack.settings.content(self.model) for attack in self.attacks],
            "train": self.train.canonical(),
            "seed": self.seed,
            **revisions([maker(self.model), flip_crop]),
        }

    def _noise_canonical(self) -> dict[str, Any]:
        dataset = self.dataset.canonical() | ({"fingerprint": self.fingerprint} if self.fingerprint else {})
        method = self.method.canonical() | self.method.settings.content()
        return {"protocol": PROTOCOL, "dataset": dataset, "method": method, "noise_seed": self.noise_seed}

    @property
    def key(self) -> str:
        """The cell's name: 16 hexadecimal digits of the hash of its canonical JSON."""
        return digest(self.canonical())

    @property
    def noise_key(self) -> str:
        """The name of the noise it needs: data set, method and noise seed alone decide it."""
        return digest(self._noise_canonical())
