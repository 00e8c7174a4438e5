"""SEM: stable error-minimising noise, the method of the seed paper."""

from typing import ClassVar, Literal

from methods.error_minimizing import ErrorMinimizing


class Sem(ErrorMinimizing):
    """Stable error-minimising noise: random perturbation in the noise step, adversarial training of the surrogate.

    The two switches are what makes it SEM, so they cannot be set; the random radius is free.
    """

    title = "SEM"
    source = "SEM (Liu, Xu, Chen and Sun, AAAI 2024, arXiv 2311.13091), released script for CIFAR-10"
    repository = "liuyixin-louis/Stable-Unlearnable-Example"
    deviations: ClassVar[tuple[str, ...]] = (
        *ErrorMinimizing.deviations,
        "the random perturbation has a radius of its own; in the official code it is the adversary's",
    )

    idle = frozenset({"noise_adv_radius", "noise_adv_steps"})

    noise_step: Literal["random"] = "random"
    surrogate_step: Literal["pgd"] = "pgd"
