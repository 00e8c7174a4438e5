"""R_theta, how well the surrogate at the end of its training resists an adversary while the noise is updated."""

from typing import Any, ClassVar

from torch import Tensor
from torch.nn import functional as F

from bench.core import (
    Classifier,
    Cost,
    Count,
    Measure,
    Method,
    Outline,
    Positive,
    Radius,
    Session,
    Subject,
    Training,
    ascend,
    frozen,
    loss_gradient,
    uniform,
)
from measures._images import balanced, logits_of


class SurrogateRobustness(Measure):
    """Robustness of the surrogate (R_theta): minus the loss that is left after noise and adversary took turns.

    The network is fixed. A noise descends on the loss and an adversary ascends on it, in turns, on the same images
    without views. Larger is more robust.
    """

    title = "surrogate robustness"
    source = "SEM (Liu et al., AAAI 2024), Definition 1, with a procedure of our own: the paper's is not known to us"
    deviations: ClassVar[tuple[str, ...]] = (
        "the definition is reconstructed from words: minus the largest loss that an adversary reaches against the "
        "noise that makes it smallest",
        "how many steps the paper takes, and under which views, is not known to us",
    )
    keeps = frozenset({"surrogates"})
    numbers = {"r_theta": "R_theta", "loss_after_descent": "loss after descent"}

    radius: Radius = 8 / 255
    """l-inf bound of the noise that is updated."""
    adv_radius: Radius = 4 / 255
    """l-inf bound of the adversary."""
    images: Count = 1000
    """Training images, the classes in turn."""
    turns: Count = 10
    """How often noise and adversary take turns."""
    steps: Count = 10
    """Signed-gradient steps of one turn, for each of them."""
    rel_step_size: Positive = 0.2
    """Their size, relative to the radius."""

    def measure(self, subject: Subject, training: Training, session: Session) -> dict[str, Any]:
        """R_theta, and the loss after one more descent of the noise: minus it is R_theta if the noise moves last."""
        index = balanced(subject.clean.labels, self.images)
        images, labels = subject.clean.floats(index), subject.clean.labels[index]
        model = _surrogate(subject, session)
        with frozen(model):
            noise = uniform(images, self.radius, session.generator("noise"))
            adversary = uniform(images, self.adv_radius, session.generator("adversary"))

            def descend(noise: Tensor, adversary: Tensor) -> Tensor:
                return self._turn(model, noise, images + adversary, labels, -self.radius)

            for _ in range(self.turns):
                noise = descend(noise, adversary)
                adversary = self._turn(model, adversary, images + noise, labels, self.adv_radius)
            after_ascent = logits_of(model, (images + noise + adversary).clamp(0, 1))
            noise = descend(noise, adversary)
            after_descent = logits_of(model, (images + noise + adversary).clamp(0, 1))
        return {
            "r_theta": -F.cross_entropy(after_ascent, labels).item(),
            "loss_after_descent": F.cross_entropy(after_descent, labels).item(),
        }

    def _turn(self, model: Classifier, change: Tensor, images: Tensor, labels: Tensor, radius: float) -> Tensor:
        """Steps of one side within its radius, the other being in `images`: up the loss, down if it is negative.

        Images are clipped to [0, 1]; a pixel beyond has no gradient.
        """

        def gradient(change: Tensor) -> Tensor:
            point = images + change
            # Not by autograd: releases of torch differ in whether a pixel at exactly 0 or 1 has a gradient.
            return loss_gradient(model, point.clamp(0, 1), labels) * ((point >= 0) & (point <= 1))

        bound, step_size = abs(radius), self.rel_step_size * radius
        return ascend(
            change, gradient, lambda change: change.clamp(-bound, bound), step_size=step_size, steps=self.steps
        )

    def declines(self, data: Outline, method: Method) -> str:
        return "" if "surrogate" in type(method).model_fields else "makes its noise without a surrogate"

    def cost(self, data: Outline, method: Method, training: Training) -> Cost:
        """Every step of both."""
        return Cost.of_images((2 * self.turns + 1) * self.steps * min(self.images, data.train_images))


def _surrogate(subject: Subject, session: Session) -> Classifier:
    """The network of the method as its noise left it."""
    model = session.build_for(subject.method.network, subject.clean)
    kept = {key.removeprefix("weights/"): value for key, value in subject.kept.items() if key.startswith("weights/")}
    model.load_state_dict(kept)
    return model
