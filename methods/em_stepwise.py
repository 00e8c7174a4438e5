"""EM as the repositories of REM and SEM have it: the noise of a batch is made anew for each weight update."""

from collections.abc import Mapping
from typing import Any, ClassVar, Literal

from methods.error_minimizing import ErrorMinimizing


class EmStepwise(ErrorMinimizing):
    """Error-minimising noise in step with the surrogate: one batch's noise, then one weight update on a view of it.

    Another algorithm than `em`, which is the original authors'. The noise step sees no random views.
    """

    revision = 2  # the surrogate learns from flipped and cropped views
    title = "EM, SEM repository"
    source = "EM in the repositories of REM (Fu et al., ICLR 2022) and SEM, released script for CIFAR-10"
    deviations: ClassVar[tuple[str, ...]] = (
        ErrorMinimizing.deviations[0],
        "the noise is made for the image that it is added to; the official loader flips and crops the image first, "
        "makes the noise for that view and stores it for the whole image",
        "the surrogate learns on noise rounded to grey levels",
    )

    large: ClassVar[Mapping[str, Any]] = {
        key: value for key, value in ErrorMinimizing.large.items() if key != "samples"
    }

    idle = frozenset({
        *("adv_radius", "adv_steps", "adv_rel_step_size", "noise_adv_radius", "noise_adv_steps"),
        *("random_radius", "random_clip"),
    })  # fmt: skip

    samples: Literal[1] = 1
    views: Literal["identity"] = "identity"
    surrogate_views: Literal["flip_crop"] = "flip_crop"
    saturated: Literal["project"] = "project"
    noise_step: Literal["none"] = "none"
    surrogate_step: Literal["none"] = "none"
