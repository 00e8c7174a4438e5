"""REM: robust error-minimising noise, whose generator faces an adversary in both of its steps."""

from typing import Literal

from methods.error_minimizing import ErrorMinimizing

Adversarial = Literal["pgd", "fgsm", "tpgd", "apgd"]


class Rem(ErrorMinimizing):
    """Robust error-minimising noise: adversarial perturbation of every view, in the noise step and in the surrogate's.

    Its noise step costs `adv_steps` + 1 passes for each of SEM's.
    """

    title = "REM"
    source = "REM (Fu, He, Liu, Shen and Tao, ICLR 2022), released script for CIFAR-10"

    idle = frozenset({"random_radius", "random_clip"})

    noise_step: Adversarial = "pgd"
    surrogate_step: Adversarial = "pgd"
