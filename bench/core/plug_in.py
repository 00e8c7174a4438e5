"""What methods, attacks and measures have in common: what tables and cards say of them, their cost, what they use."""

from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

from pydantic import AfterValidator, Field

from bench.core.errors import brief
from bench.core.network_names import check_name, maker
from bench.core.revision import Part, revisions
from bench.core.session import IMAGES_PER_PASS
from bench.core.settings import HUGE, Settings

FORWARD = 1 / 3
"""Passes that take as long as one without gradients."""


def _one_line(text: str) -> str:
    if not text.isprintable():
        raise ValueError("must be one line of printable text")
    return text


Line = Annotated[str, AfterValidator(_one_line)]
"""Text that tables can show."""
Heading = Annotated[str, Field(min_length=1), AfterValidator(_one_line)]
"""The same, and something."""


@dataclass(frozen=True)
class Cost:
    """Work, in passes: forward and backward of 128 images. It orders the schedule and forecasts the hours.

    Raises ValueError for what is no amount of work: negative, infinite or no number.
    """

    passes: float = 0.0
    """Those that a session counts."""
    other: float = 0.0
    """Roughly, what nothing counts, as the passes that take as long, such as `FORWARD` of one without gradients."""
    seconds: float = 0.0
    """Roughly, of work beside all networks on one thread, such as an embedding, which no pass can stand for."""

    def __post_init__(self) -> None:
        for name, amount in vars(self).items():
            if not (isinstance(amount, int | float) and 0 <= amount <= HUGE):
                raise ValueError(f"{name} of a cost must be a number from 0 to {HUGE:g}, got {brief(amount)}")

    @classmethod
    def of_images(cls, counted: float, other: float = 0.0) -> "Cost":
        """The same work by single images: so many that are counted, and `other` ones."""
        return cls(counted / IMAGES_PER_PASS, other / IMAGES_PER_PASS)

    def __add__(self, more: "Cost") -> "Cost":
        return Cost(self.passes + more.passes, self.other + more.other, self.seconds + more.seconds)

    @property
    def total(self) -> float:
        """Passes that take as long as all of it."""
        return self.passes + self.other


class PlugIn(Settings):
    """What tables and cards say of a method, an attack or a measure."""

    title: ClassVar[Line] = ""
    """How tables call it; empty if its name with spaces for underscores will do."""
    source: ClassVar[str]
    """Paper or code, and the equation or table the defaults come from; `control` if nothing but chance protects."""
    repository: ClassVar[str] = "none"
    """The official code, as OWNER/NAME on GitHub."""
    deviations: ClassVar[tuple[str, ...]] = ()
    """Every known difference from the official code, a sentence each."""
    large_source: ClassVar[str] = ""
    """Where the settings for large images come from, and what the source does differently there; not empty with any."""

    @classmethod
    def called(cls, name: str) -> str:
        """What tables call it if its name is `name`, without any setting."""
        return cls.title or name.replace("_", " ")

    def uses(self) -> tuple[Part, ...]:
        """What else decides its results and has a revision: functions of the core that it calls, other plug-ins.

        Their revisions enter its keys. The networks that `networks` names need not be listed.
        """
        return ()

    def networks(self) -> tuple[str, ...]:
        """The networks that it trains or asks: those that its settings name."""
        fields = type(self).model_fields.items()
        return tuple(getattr(self, name) for name, field in fields if AfterValidator(check_name) in field.metadata)

    def canonical(self) -> dict[str, Any]:
        """Revision, all settings, and the revisions of what it uses that are not 1: what decides a key."""
        return super().canonical() | revisions([*self.uses(), *map(maker, self.networks())])
