"""REM: robust error-minimising noise, whose generator faces an adversary in both of its steps."""

from typing import Literal

from methods.error_minimizing import ErrorMinimizing

Adversarial = Literal["pgd", "fgsm", "tpgd", "apgd"]


class Rem(ErrorMinimizing):
    """Robust error-minimising noise: adversarial perturbation of every view, in the noise step and in the surrogate's.

    The cost is `adv_steps` passes for each pass of SEM's noise step.
    """

    source = "REM (Fu, He, Liu, Shen and Tao, ICLR 2022), released script for CIFAR-10"

    noise_step: Adversarial = "pgd"
    surrogate_step: Adversarial = "pgd"
