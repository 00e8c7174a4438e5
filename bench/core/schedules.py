"""Learning-rate schedules, by the names that recipes give them."""

from collections.abc import Sequence
from typing import Literal

from torch.optim import SGD
from torch.optim.lr_scheduler import CosineAnnealingLR, LRScheduler, MultiStepLR, OneCycleLR

Schedule = Literal["steps", "cosine", "one_cycle"]


def schedule_rates(schedule: Schedule, optimiser: SGD, length: int, decay_at: Sequence[float]) -> LRScheduler:
    """A learning-rate schedule that takes `length` steps; `decay_at` holds shares of these, in [0, 1].

    `steps` multiplies the rate by 0.1 at each of `decay_at`; `cosine` and `one_cycle` end near 0.
    """
    if schedule == "cosine":
        return CosineAnnealingLR(optimiser, length)
    if schedule == "one_cycle":
        [group] = optimiser.param_groups
        return OneCycleLR(optimiser, group["lr"], total_steps=length, cycle_momentum=False)
    return MultiStepLR(optimiser, sorted({round(share * length) for share in decay_at}), 0.1)
