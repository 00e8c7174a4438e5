"""What a record says of one training: its numbers, and the looks at the victim that they are taken from."""

from itertools import pairwise
from typing import Annotated, Any, Self

from pydantic import Field, model_validator

from bench.checked import Number, Part, Share
from bench.core.settings import Count, CountOrZero

ROUNDING = 1e-6
"""What a number of the result may be from the same one of the history, which has six decimals."""


class Result(Part):
    """Of one training; accuracies are shares in [0, 1]."""

    final_accuracy: Share
    final_loss: Number
    peak_accuracy: Share
    peak_step: CountOrZero
    train_accuracy: Share
    test_images: Count = 10_000
    chance: Share | None = None

    def check_against(self, history: "History") -> None:
        """Raise ValueError, which names it, for a number that the looks do not bear out."""
        peak = max(history.test_accuracy)
        looked = {
            "final_accuracy": history.test_accuracy[-1],
            "final_loss": history.test_loss[-1],
            "peak_accuracy": peak,
            "peak_step": history.step[history.test_accuracy.index(peak)],
            "train_accuracy": history.train_accuracy[-1],
        }
        for name, value in looked.items():
            if abs(getattr(self, name) - value) > ROUNDING:
                raise ValueError(f"result.{name} is {getattr(self, name)}, but {value} by the history")


class History(Part):
    """One list for each quantity, with an entry for each look; right predictions on each part of a validation set."""

    step: Annotated[list[CountOrZero], Field(min_length=1)]
    train_loss: list[Number]
    train_accuracy: list[Share]
    test_loss: list[Number]
    test_accuracy: list[Share]
    validation_clean: list[list[CountOrZero]] | None = None
    validation_protected: list[list[CountOrZero]] | None = None

    @model_validator(mode="after")
    def _is_rectangular(self) -> Self:
        lists: list[list[Any]] = [self.step, self.train_loss, self.train_accuracy, self.test_loss, self.test_accuracy]
        clean, protected = self.validation_clean, self.validation_protected
        if clean is not None and protected is not None:
            lists += [clean, protected]
            if len({len(look) for look in [*clean, *protected]}) != 1:
                raise ValueError("its looks have different parts")
        elif clean is not protected:
            raise ValueError("it has half of a validation set")
        if len(set(map(len, lists))) > 1:
            raise ValueError("its lists have different lengths")
        if any(earlier >= later for earlier, later in pairwise(self.step)):
            raise ValueError("its steps do not ascend")
        return self
