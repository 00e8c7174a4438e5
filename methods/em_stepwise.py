"""EM as the REM repository has it: the noise of a batch is made anew for each weight update, without random views."""

from collections.abc import Mapping
from typing import Any, ClassVar, Literal

from methods.error_minimizing import ErrorMinimizing


class EmStepwise(ErrorMinimizing):
    """Error-minimising noise in step with the surrogate: one batch's noise, then one weight update on it.

    Another algorithm than `em`; the EM of the REM and SEM papers' tables was presumably made so.
    """

    title = "EM stepwise"
    source = "EM in the repository of REM (Fu et al., ICLR 2022), released script for CIFAR-10"
    deviations: ClassVar[tuple[str, ...]] = (
        ErrorMinimizing.deviations[0],
        "the noise is made for the image it is added to; the official loader makes it for a flipped and cropped view "
        "and stores it for the whole image",
        "the surrogate learns on noise rounded to grey levels",
    )

    large: ClassVar[Mapping[str, Any]] = {
        key: value for key, value in ErrorMinimizing.large.items() if key != "samples"
    }

    samples: Literal[1] = 1
    views: Literal["identity"] = "identity"
    saturated: Literal["project"] = "project"
    noise_step: Literal["none"] = "none"
    surrogate_step: Literal["none"] = "none"
