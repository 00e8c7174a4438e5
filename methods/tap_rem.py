"""TAP as the repositories of REM and SEM have it: small steps, from a uniform start, against an ordinary network."""

from collections.abc import Mapping
from typing import Any, ClassVar, Literal

from bench.core import Count, NonNegative, Positive
from methods._surrogate import Shares
from methods.tap import Tap


class TapRem(Tap):
    """Targeted adversarial noise as in the scripts of the seed paper's repository.

    It travels two radii in all where `tap`, which is the original authors', travels twelve and a half. Its surrogate is
    trained as those scripts train a victim on clean images.
    """

    title = "TAP, SEM repository"
    source = "TAP in the repositories of REM (Fu et al., ICLR 2022) and SEM, released script for CIFAR-10"
    repository = "fshp971/robust-unlearnable-examples"
    deviations: ClassVar[tuple[str, ...]] = (
        "dropout in a surrogate that has it is off while crafting",
        "noise is kept to what changes the pixel; the official code clips images and leaves the noise at its radius",
        "on large images the noise has the image's own size; the official noise has 256 pixels and is cut to 224",
    )
    idle = frozenset({"epochs"})
    large: ClassVar[Mapping[str, Any]] = {"steps": 100, "rel_step_size": 0.02}
    large_source: ClassVar[str] = "released script for the ImageNet subset"

    rel_step_size: Positive = 0.008
    """Their size, relative to the radius: 0.064/255 at 8/255."""
    start: Literal["uniform"] = "uniform"
    views: Literal["flip_crop"] = "flip_crop"
    batch_size: Count = 128
    train_steps: Count = 40_000
    decay_at: Shares = (0.4, 0.8)
    """Shares of the surrogate's training: 16,000 and 32,000 of 40,000 updates."""
    nesterov: bool = False
    weight_decay: NonNegative = 5e-4
