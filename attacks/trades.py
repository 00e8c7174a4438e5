"""TRADES: adversarial training that keeps the predictions on clean and perturbed views close together."""

from torch import Tensor, nn
from torch.nn import functional as F

from attacks.gradient import Tpgd
from bench.core import Cost, Positive, Radius


class Trades(Tpgd):
    """The loss of the clean views plus the divergence of the predictions on their worst neighbours."""

    title = "TRADES"
    source = "TRADES (Zhang et al., ICML 2019), released settings for CIFAR-10"
    repository = "yaodongyu/TRADES"
    deviations = (
        "the radius is 8/255, where the official one is 0.031",
        "length, learning rate and weight decay are the victim recipe's; the official ones are 76 epochs and 2e-4",
    )

    radius: Radius = 8 / 255
    """l-inf bound of the perturbation."""
    rel_step_size: Positive = 0.225
    """Size of a step, relative to the radius: 0.007 at 0.031."""
    beta: Positive = 6.0
    """Weight of the divergence."""

    def loss(self, views: Tensor, model: nn.Module, images: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        """Cross-entropy on the views plus `beta` times KL(f(views) || f(images)), both means over the batch."""
        clean, perturbed = model(views), model(images)
        divergence = F.kl_div(perturbed.log_softmax(1), clean.softmax(1), reduction="batchmean")
        return F.cross_entropy(clean, labels) + self.beta * divergence, clean

    def cost(self, images: int, trained: int) -> Cost:
        """One pass for each step, and one more image in the loss."""
        return Cost.of_images((self.steps + 1) * trained)
