"""REM: robust error-minimising noise, whose generator faces an adversary in both of its steps."""

from bench.core import Maximiser
from methods.error_minimizing import ErrorMinimizing


class Rem(ErrorMinimizing):
    """Robust error-minimising noise: adversarial perturbation of every view, in the noise step and in the surrogate's.

    Its noise step costs `adv_steps` + 1 passes for each of SEM's.
    """

    title = "REM"
    source = "REM (Fu, He, Liu, Shen and Tao, ICLR 2022), released script for CIFAR-10"

    idle = frozenset({"random_radius", "random_clip"})

    noise_step: Maximiser = "pgd"
    surrogate_step: Maximiser = "pgd"
