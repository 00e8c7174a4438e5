"""R_delta_u, how well a fixed noise resists an adversary while a network is trained on it."""

from typing import Any, ClassVar

from torch.nn import functional as F

from bench.core import (
    Cost,
    Count,
    Method,
    Outline,
    Session,
    Subject,
    Training,
    batches,
    check_finite,
    frozen,
    update,
)
from measures._adversary import AdversarialMeasure
from measures._images import balanced, logits_of


class NoiseRobustness(AdversarialMeasure):
    """Robustness of the noise (R_delta_u): minus the loss of a network that trained against an adversary on this noise.

    A fresh network is trained on the released images, each batch perturbed by PGD, without views. The loss is that of
    some of these images, perturbed by PGD on the trained network. Larger is more robust.
    """

    title = "noise robustness"
    source = "SEM (Liu et al., AAAI 2024), Definition 2, with a procedure of our own: the paper's is not known to us"
    deviations: ClassVar[tuple[str, ...]] = (
        "the definition is reconstructed from words: minus the largest loss that an adversary reaches against the "
        "network that makes it smallest",
        "how long the paper trains, and under which views, is not known to us",
    )
    trains = True
    numbers = {"r_delta_u": "R_delta_u"}

    updates: Count = 2000
    """Weight updates; batch size, rates and the shares at which these fall are those of the victim."""
    images: Count = 1000
    """Training images that the loss is measured on, the classes in turn."""

    def measure(self, subject: Subject, training: Training, session: Session) -> dict[str, Any]:
        """R_delta_u, and the accuracy on the same perturbed images."""
        data = subject.released
        model, adversary = session.build_for(training.model, data), self.adversary()
        recipe = training.recipe.model_copy(update={"steps": self.updates})
        optimiser = recipe.optimiser(model)
        rates = recipe.scheduler(optimiser)
        order = batches(len(data), recipe.batch_size, session.generator("batches"))
        starts = session.generator("adversary")
        for _ in range(self.updates):
            index = next(order)
            images, labels = data.floats(index), data.labels[index]
            update(model, adversary.perturb(model, images, labels, starts), labels, optimiser)
            rates.step()
        check_finite(model)
        index = balanced(data.labels, self.images)
        images, labels = data.floats(index), data.labels[index]
        perturbed = adversary.perturb(model, images, labels, session.generator("last adversary"))
        with frozen(model):
            logits = logits_of(model, perturbed)
        right = (logits.argmax(1) == labels).float().mean().item()
        return {"r_delta_u": -F.cross_entropy(logits, labels).item(), "perturbed_accuracy": right}

    def cost(self, data: Outline, method: Method, training: Training) -> Cost:
        """Every update with its adversary, and the last adversary."""
        trained = self.updates * training.recipe.batch_size * (1 + self.adv_steps)
        return Cost.of_images(trained + self.adv_steps * min(self.images, data.train_images))
