"""What a measure is: numbers of one noise, beside the accuracy of victims; the page that its author reads."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from torch import Tensor

from bench.core.data import ImageDataset, Outline
from bench.core.errors import brief
from bench.core.files import check_entries
from bench.core.keeper import Kind
from bench.core.plug_in import Cost, Heading, PlugIn
from bench.core.protocols import Method
from bench.core.session import Session
from bench.core.settings import is_usable
from bench.core.train import Recipe


@dataclass(frozen=True)
class Subject:
    """One noise, and what it was made of."""

    method: Method
    clean: ImageDataset
    """The training images."""
    released: ImageDataset
    """The same with their protection."""
    test: ImageDataset
    kept: Mapping[str, Tensor]
    """What the measure asked to keep of the noise's making, by the names that the keeper gives."""


@dataclass(frozen=True)
class Training:
    """How a measure that trains networks of its own does it: as the victims of its grid."""

    model: str
    recipe: Recipe

    def cost(self, data: Outline, adv_steps: int = 0) -> Cost:
        """Of one network on such data, with its looks; an adversary takes so many steps on each view."""
        trained = self.recipe.steps * self.recipe.batch_size
        return Cost.of_images((1 + adv_steps) * trained) + self.recipe.cost_of_looks(data.test_images)


class Measure(PlugIn, ABC):
    """Numbers of one noise. Its settings, the noise and, if it trains, the victim's recipe name the result."""

    keeps: ClassVar[frozenset[Kind]] = frozenset()
    """What it needs of the noise's making: the noise is made again if that was not kept."""
    trains: ClassVar[bool] = False
    """Whether it trains networks: only then its result depends on the grid's victim and recipe."""
    numbers: ClassVar[Mapping[Heading, Heading]]
    """The results that tables show, by key, with their titles; the others are for figures."""

    @abstractmethod
    def measure(self, subject: Subject, training: Training, session: Session) -> dict[str, Any]:
        """Return JSON values: at least those of `numbers`, finite or None.

        All randomness comes from `session.generator(...)`, every network from `session.build(...)`.
        """

    def declines(self, data: Outline, method: Method) -> str:
        """Why it cannot measure the noise of `method` on such data, in a few words; empty if it can."""
        return ""

    def cost(self, data: Outline, method: Method, training: Training) -> Cost:
        """What `measure` takes on such data, beside the noise."""
        return Cost()


def as_promised(found: Any, name: str, measure: Measure) -> dict[str, Any]:
    """What a measure found. Raises TypeError or ValueError for what no file gives back or a missing number."""
    if not isinstance(found, dict):
        raise TypeError(f"{name} must return a mapping, got {brief(found)}")
    for key in measure.numbers:
        if key not in found:
            raise ValueError(f"{name} promises {key!r} among its numbers, and found {', '.join(found) or 'none'}")
        value = found[key]
        if not (value is None or (type(value) in (int, float) and is_usable(value))):
            plain = "; numbers of NumPy or torch need .item()" if hasattr(value, "item") else ""
            raise ValueError(f"{name}: {key} must be a finite number or None, got {brief(value)}{plain}")
    check_entries(found, name)
    return found
