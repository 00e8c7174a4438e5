"""Plain training: no attack."""

from bench.core import Attack


class Plain(Attack):
    """Training on whatever was scraped, with flip and crop and nothing else."""

    source = "control"
    plain = True
