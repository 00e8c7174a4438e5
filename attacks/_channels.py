"""Which images an operation on colours can have."""

from bench.core import Outline


def lack_of_channels(data: Outline, *allowed: int) -> str:
    """Why images of other channel counts than the `allowed` ones are declined; empty for those."""
    channels, wanted = data.shape[0], " or ".join(map(str, allowed))
    return "" if channels in allowed else f"needs images of {wanted} channels, got {channels}"
