"""What a record says of its cost, its time and its noise."""

from typing import Annotated

from pydantic import Field

from bench.checked import Amount, Key, Number, Part, Record, Share


class Cost(Part):
    """Forward+backward passes of 128 images."""

    train_passes: Amount
    noise_passes: Amount


class CostOfMeasure(Part):
    """Forward+backward passes of 128 images."""

    measure_passes: Amount
    noise_passes: Amount


class Ended(Part):
    """When a cell ended, and how long it took in all, which older records lack."""

    seconds: Amount = 0.0
    ended: Annotated[str, Field(pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d")]


class Time(Ended):
    """The same with seconds of work."""

    noise_seconds: Amount
    train_seconds: Amount


class TimeOfMeasure(Ended):
    """When a measure ended, with seconds of work."""

    noise_seconds: Amount
    measure_seconds: Amount


class Size(Part):
    """Measures of a noise; they have been added over time, and older records lack the newer ones."""

    linf: Share
    mean_l2: Amount
    mean_l0: Amount | None = None
    saturated: Share | None = None
    psnr: Number | None = None
    ssim: Number | None = None


class Noise(Part):
    """Which noise, and how large it is."""

    key: Key
    size: Size


class Making(Noise):
    """What is known of a noise beside its values, and stands in the records of its cells."""

    passes: Amount
    seconds: Amount
    notes: Record = {}
