"""Attacks of the unauthorised trainer: one file for each family. Those in ATTACKS are in the suite."""

from attacks.gradient import Apgd, Fgsm, Pgd, PgdL2, Tpgd
from attacks.low_pass import Gaussian, Mean, Median
from attacks.plain import Plain
from bench.protocols import Attack

ATTACKS: dict[str, type[Attack]] = {
    "none": Plain,
    "mean": Mean,
    "median": Median,
    "gaussian": Gaussian,
    "pgd": Pgd,
    "pgd_l2": PgdL2,
    "fgsm": Fgsm,
    "tpgd": Tpgd,
    "apgd": Apgd,
}
