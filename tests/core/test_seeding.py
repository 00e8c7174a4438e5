"""Random streams: one for each purpose, and nobody else notices."""

import itertools

import pytest
import torch

from bench.core.models import build
from bench.core.network_names import FLAT
from bench.core.seeding import default_randomness, generator_for
from tests.conftest import Undisturbed
from tests.core.training import NARROW


def draws(generator: torch.Generator) -> list[int]:
    return torch.randint(2**40, (8,), generator=generator).tolist()


def test_a_stream_does_not_depend_on_which_others_were_made_or_used_before() -> None:
    alone = draws(generator_for(0, "crops"))
    other = generator_for(0, "attack 0")
    draws(other)
    late = generator_for(0, "crops")
    draws(other)
    torch.rand(7)
    assert draws(late) == alone


def test_every_seed_and_every_purpose_has_a_stream_of_its_own() -> None:
    purposes = [(), ("crops",), ("noise step", "crops"), ("noise step", "starts"), ("noise stepcrops",), ("batches",)]
    streams = [draws(generator_for(seed, *purpose)) for seed, purpose in itertools.product((0, 1, 10), purposes)]
    assert len({tuple(stream) for stream in streams}) == len(streams)


def test_the_bits_of_a_stream_never_change() -> None:
    # Every record depends on them: a change here must raise bench.core.settings.PROTOCOL.
    assert torch.randint(1000, (5,), generator=generator_for(0, "batches")).tolist() == [219, 385, 717, 600, 704]


def test_library_code_draws_from_a_copy_of_the_stream() -> None:
    generator = generator_for(0, "weights")
    with default_randomness(generator):
        inside = torch.rand(5)
    assert torch.equal(inside, torch.rand(5, generator=generator_for(0, "weights")))
    assert draws(generator) == draws(generator_for(0, "weights"))


def fail_after_drawing() -> None:
    torch.rand(3)
    raise RuntimeError


def test_no_global_generator_notices_a_stream_or_a_block_even_one_that_fails(undisturbed: Undisturbed) -> None:
    with undisturbed():
        draws(generator_for(0, "crops"))
        with pytest.raises(RuntimeError), default_randomness(generator_for(0, "weights")):
            fail_after_drawing()


@pytest.mark.parametrize("name", [*NARROW, *FLAT])
def test_no_global_generator_notices_a_network_being_built(name: str, undisturbed: Undisturbed) -> None:
    with undisturbed():
        build(name, num_classes=2, channels=3, size=(8, 8), generator=generator_for(0, "weights"))
