"""AR: autoregressive noise, one random linear process for each class, made without any network."""

from collections.abc import Iterable, Iterator
from typing import ClassVar

import torch
from torch import Tensor
from torch.nn import functional as F

from bench.core import ImageDataset, Method, Norm, Outline, Positive, Session, as_int8

MARGIN = 4
"""Rows and columns, the first ones, that are generated and dropped: they still show the random start."""
TRIALS, TRIAL_SIZE, TRIAL_NORM = 3, 32, 50.0
"""Patterns that tell whether a process diverges: how many, their side in pixels, the largest l2 norm allowed."""
LARGE = 128
"""Pixels of a side from which on the noise of some classes does not fit into 8 bits, or fills a corner only."""
WINDOWS, MAX_WINDOWS = 1024, 1_000_000
"""Windows of one channel drawn at a time, and in all before the search gives up."""
IMAGES = 250
"""Images whose noise is generated together: bounds the memory."""


class Ar(Method):
    """Autoregressive noise: every value is a weighted sum of its eight earlier neighbours, with weights of its class.

    Each image's noise starts from its own random values. The classes' processes are searched for from the seed;
    they are tested at 32x32, and on larger images some of them grow towards the lower right corner.
    """

    title = "AR"
    source = "AR (Sandoval-Segura et al., NeurIPS 2022, arXiv 2206.03693), released settings for CIFAR-10 and CIFAR-100"
    repository = "psandovalsegura/autoregressive-poisoning"
    deviations = (
        "each noise seed has coefficients of its own, where the official code ships one set for every run",
        "all three trial patterns must stay finite and answer the filters of the other classes; the official search "
        "tests the last one only",
        "the search draws and screens channel by channel, which leaves the distribution of the coefficients as it is "
        "and affords more tries",
    )
    norm: ClassVar[Norm] = "l2"

    l2_radius: Positive = 1.0
    """l2 norm of one image's noise. The paper has 1.0 at 32x32 and 3.0 at 96x96, in proportion to the side."""
    min_response: Positive | None = None
    """Least summed response of every class's filter to the processes found after it; null is 10 up to ten classes and 3
    beyond, as released."""

    def declines(self, data: Outline) -> str:
        side = max(data.shape[1:])
        return f"processes that stay in bounds at 32x32 leave them on images of {side} pixels" if side >= LARGE else ""

    def generate(self, data: ImageDataset, session: Session) -> Tensor:
        """Find a process for each class and run it from a random start for each image.

        Raises ValueError if the search finds too few processes or the noise does not fit into int8.
        """
        channels, height, width = data.shape
        candidates = stable_processes(channels, session.generator("processes"))
        windows = select(candidates, data.num_classes, self.min_response or (10 if data.num_classes <= 10 else 3))
        starts = session.generator("starts")

        def make(part: slice) -> Tensor:
            labels = data.labels[part]
            shape = (len(labels), channels, height + MARGIN, width + MARGIN)
            fields = torch.randn(shape, generator=starts, device=session.device)
            return self._levels(evolve(fields, windows[labels])[:, :, MARGIN:, MARGIN:])

        return data.noise(IMAGES, make)

    def _levels(self, fields: Tensor) -> Tensor:
        """Patterns (N, C, H, W), each scaled to the l2 radius, as int8 noise."""
        norms = torch.linalg.vector_norm(fields, dim=(1, 2, 3), keepdim=True)
        return as_int8((255 * self.l2_radius * fields / norms).round_())


def evolve(fields: Tensor, windows: Tensor) -> Tensor:
    """Run the processes `windows` (N, C, 3, 3) in raster order over start values `fields` (N, C, H, W); a new tensor.

    Each pixel from the third row and column on becomes the weighted sum of the 3x3 pixels that end with it; its own
    weight is 0. The pixels of an anti-diagonal need nothing of each other and, in flattened rows, lie width - 1 apart.
    """
    height, width = fields.shape[2:]
    pixels = fields.permute(2, 3, 1, 0).clone(memory_format=torch.contiguous_format).flatten(0, 1)
    weights = windows.permute(2, 3, 1, 0).contiguous().flatten(0, 1)[:8]
    distances = [2 * width + 2, 2 * width + 1, 2 * width, width + 2, width + 1, width, 2, 1]
    step = width - 1
    for diagonal in range(4, height + width - 1):
        first = diagonal + max(2, diagonal - width + 1) * step
        last = diagonal + min(height - 1, diagonal - 2) * step
        values = torch.zeros_like(pixels[first : last + 1 : step])
        for weight, distance in zip(weights, distances, strict=True):
            values.addcmul_(pixels[first - distance : last - distance + 1 : step], weight)
        pixels[first : last + 1 : step] = values
    patterns: Tensor = pixels.unflatten(0, (height, width)).permute(3, 2, 0, 1)
    return patterns


def stable_processes(channels: int, generator: torch.Generator) -> Iterator[tuple[Tensor, Tensor]]:
    """Random processes that do not diverge: groups of windows (M, C, 3, 3) and their trials (M, 3, C, 32, 32), norm 1.

    A process in bounds is so in each channel, so channels are drawn and screened one by one: of windows for three
    channels drawn at once, about one in eighty stays in bounds, of windows for one channel one in four.
    """
    for _ in range(MAX_WINDOWS // WINDOWS):
        windows = F.pad(torch.randn(WINDOWS, 8, generator=generator, device=generator.device), (0, 1))
        windows, trials = bounded((windows / windows.sum(1, keepdim=True)).view(-1, 3, 3), generator)
        processes = len(windows) // channels
        windows = windows[: processes * channels].view(processes, channels, 3, 3)
        trials = trials[: processes * channels].unflatten(0, (processes, channels)).transpose(1, 2)
        norms = torch.linalg.vector_norm(trials, dim=(2, 3, 4), keepdim=True)
        kept = (norms <= TRIAL_NORM).flatten(1).all(1)
        yield windows[kept], trials[kept] / norms[kept]


def bounded(windows: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Those of the one-channel `windows` (N, 3, 3) whose trials all stay in bounds, and the trials (M, 3, 32, 32)."""
    trials: list[Tensor] = []
    side = TRIAL_SIZE + MARGIN
    for _ in range(TRIALS):
        starts = torch.randn(len(windows), 1, side, side, generator=generator, device=generator.device)
        trial = evolve(starts, windows[:, None])[:, 0, MARGIN:, MARGIN:]
        kept = torch.linalg.vector_norm(trial, dim=(1, 2)) <= TRIAL_NORM  # NaN is not
        windows, trials = windows[kept], [earlier[kept] for earlier in (*trials, trial)]
    return windows, torch.stack(trials, 1)


def response(window: Tensor, patterns: Tensor) -> Tensor:
    """What the matched filter of a process (C, 3, 3) makes of patterns (N, C, H, W): its ReLU summed over pixels, (N,).

    The filter predicts a pixel from its neighbours and subtracts it: its own process gives 0.
    """
    matched = window.clone()
    matched[:, 2, 2] = -1
    return F.conv2d(patterns, matched[None]).relu_().sum((1, 2, 3))


def select(candidates: Iterable[tuple[Tensor, Tensor]], count: int, min_response: float) -> Tensor:
    """The first `count` candidates to which every one selected before responds in all trials: windows (count, C, 3, 3).

    Raises ValueError if the candidates end before.
    """
    selected: list[Tensor] = []

    def distinct(judge: Tensor, windows: Tensor, trials: Tensor) -> tuple[Tensor, Tensor]:
        kept = response(judge, trials.flatten(0, 1)).view(-1, TRIALS).amin(1) >= min_response
        return windows[kept], trials[kept]

    for windows, trials in candidates:
        for judge in selected:
            windows, trials = distinct(judge, windows, trials)
        while len(windows) and len(selected) < count:
            selected.append(windows[0])
            windows, trials = distinct(windows[0], windows[1:], trials[1:])
        if len(selected) == count:
            return torch.stack(selected)
    raise ValueError(f"ar: found only {len(selected)} of {count} processes; lower min_response, {min_response:g} now")
