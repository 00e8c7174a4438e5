"""Randomness by purpose: one independent generator for each use; the global ones stay untouched."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager

import torch


def generator_for(seed: int, *purpose: str, device: torch.device | str = "cpu") -> torch.Generator:
    """Return the generator that belongs to `seed` and `purpose`, on `device`.

    The same seed and purpose give the same bits on the same kind of device, whatever others were made or used
    before; so adding an attack never changes the crops.
    """
    hashed = hashlib.sha256("\n".join([str(seed), *purpose]).encode()).digest()
    return torch.Generator(device).manual_seed(int.from_bytes(hashed[:8], "big") >> 1)


@contextmanager
def default_randomness(generator: torch.Generator) -> Iterator[None]:
    """Let library code that can only use torch's default CPU generator draw from a copy of `generator`.

    torch's own state is put back afterwards, so nothing outside the block notices.
    """
    with torch.random.fork_rng(devices=[]):
        torch.set_rng_state(generator.get_state())
        yield
