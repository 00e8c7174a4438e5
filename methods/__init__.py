"""Protecting methods: one file each. Those in METHODS are in the suite."""

from bench.protocols import Method
from methods.ar import Ar
from methods.clean import Clean
from methods.cuda import Cuda
from methods.em import Em
from methods.ops import Ops
from methods.random_noise import RandomNoise
from methods.sc import Sc
from methods.sem import Sem

METHODS: dict[str, type[Method]] = {
    "clean": Clean,
    "random": RandomNoise,
    "em": Em,
    "sem": Sem,
    "sc": Sc,
    "ar": Ar,
    "ops": Ops,
    "cuda": Cuda,
}
