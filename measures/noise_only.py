"""Noise alone: how well a network that sees nothing but the noise tells the classes apart."""

from typing import Annotated, Any

import torch
from pydantic import Field

from bench.core import (
    Cost,
    Measure,
    Method,
    Outline,
    PositiveFraction,
    Session,
    Subject,
    Training,
    evaluate,
    train_victim,
)


class NoiseOnly(Measure):
    """Accuracy of a network trained on the noise alone, grey where there is none, on noise that it has not seen.

    Beside it, its accuracy on clean test images: what it learnt there is of no use.
    """

    title = "noise alone"
    source = "training on perturbations alone, as in EM (Huang et al., ICLR 2021) and SC (Yu et al., KDD 2022)"
    trains = True
    numbers = {"noise_accuracy": "accuracy on noise alone"}

    held_out: Annotated[PositiveFraction, Field(lt=1)] = 0.1
    """Share of the images whose noise is kept for the test."""

    def measure(self, subject: Subject, training: Training, session: Session) -> dict[str, Any]:
        """Both accuracies, as shares in [0, 1]."""
        released, clean = subject.released, subject.clean
        noise = released.filled(lambda part: (128 + released.images[part].short() - clean.images[part]).clamp_(0, 255))
        generator = session.generator("held out")
        order = torch.randperm(len(noise), generator=generator, device=generator.device)
        rest = self._rest(len(noise))
        seen, unseen = noise.only(order[:rest]), noise.only(order[rest:])
        model = session.build_for(training.model, noise)
        history = train_victim(model, seen, test=unseen, attacks=[], recipe=training.recipe, session=session)
        return {
            "noise_accuracy": history[-1].test_accuracy,
            "clean_accuracy": evaluate(model, subject.test)[1],
        }

    def declines(self, data: Outline, method: Method) -> str:
        """The share must not round to none of the images."""
        images = data.train_images
        if self._rest(images) < images:
            return ""
        return f"held_out {self.held_out:g} of {images} images leaves nothing to test on"

    def _rest(self, images: int) -> int:
        """Images whose noise is trained on: at least one."""
        return max(1, images - round(self.held_out * images))

    def cost(self, data: Outline, method: Method, training: Training) -> Cost:
        """One training."""
        return training.cost(data)
