"""Trainings that never left chance: their network says nothing of the images, so nothing protected them."""

from scipy.stats import binom

from bench.store import Record

LEVEL = 0.001
"""Of each of the two tests; so seldom does a network that only guesses seem to have learnt something."""
CHANCE = {"cifar10": 0.1, "synthetic": 0.1}
"""What guessing reaches on the data sets whose older records do not tell it."""
TEST_IMAGES = {"cifar10": 10_000}
"""Test images of the data sets whose older records do not tell them: CIFAR-10 has these at every size."""
COLLAPSED = "collapsed: neither training nor test accuracy ended above chance, which is no protection"


def test_images(record: Record) -> int | None:
    """On how many images the victim was tested, as recorded, or as its data set has them; None if nobody knows."""
    dataset = record["cell"]["dataset"]
    known = record["result"].get("test_images", dataset.get("test_images", TEST_IMAGES.get(dataset["name"])))
    return None if known is None else int(known)


def has_collapsed(record: Record) -> bool:
    """Whether a finished training ended at chance; not if it is unknown what chance or the number of images is.

    Each of two one-sided binomial tests must fail to show more than chance. One is of the training images since the
    look before the last, as the network met them. The other is of the test images: a network can learn from images
    that an adversary keeps out of its reach in training.
    """
    result, steps = record["result"], record["history"]["step"]
    chance = result.get("chance", CHANCE.get(record["cell"]["dataset"]["name"]))
    tested = test_images(record)
    if chance is None or tested is None:
        return False
    met = (steps[-1] - (steps[-2] if steps[1:] else 0)) * record["cell"]["train"]["batch_size"]
    looks = ((result["train_accuracy"], met), (result["final_accuracy"], tested))
    return all(not _is_above(share, images, chance) for share, images in looks)


def _is_above(share: float, images: int, chance: float) -> bool:
    return bool(binom.sf(round(share * images) - 1, images, chance) < LEVEL)
