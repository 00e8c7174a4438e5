"""Noise alone: how well a network that sees nothing but the noise tells the classes apart."""

from typing import Annotated, Any

import torch
from pydantic import Field

from bench.core import Cost, Measure, Method, PositiveFraction, Session, Subject, Training, evaluate, train_victim


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
        """Both accuracies, as shares in [0, 1]. Raises ValueError if the share is less than half of an image."""
        released, clean = subject.released, subject.clean
        noise = released.filled(lambda part: (128 + released.images[part].short() - clean.images[part]).clamp_(0, 255))
        generator = session.generator("held out")
        order = torch.randperm(len(noise), generator=generator, device=generator.device)
        rest = max(1, len(noise) - round(self.held_out * len(noise)))
        if rest == len(noise):
            raise ValueError(
                f"held_out: must be more than {0.5 / len(noise):g}, or nothing is left to test on of {len(noise)} "
                f"images, got {self.held_out:g}"
            )
        seen, unseen = noise.only(order[:rest]), noise.only(order[rest:])
        model = session.build_for(training.model, noise)
        history = train_victim(model, seen, test=unseen, attacks=[], recipe=training.recipe, session=session)
        return {
            "noise_accuracy": history[-1].test_accuracy,
            "clean_accuracy": evaluate(model, subject.test)[1],
        }

    def cost(self, images: int, method: Method, training: Training) -> Cost:
        """One training."""
        return training.recipe.cost([], images)
