"""Measures of a noise: one file each. Those in MEASURES are in the suite."""

from bench.core import Measure
from measures.delusiveness import Delusiveness, Stability
from measures.generation_time import GenerationTime
from measures.noise_only import NoiseOnly
from measures.noise_robustness import NoiseRobustness
from measures.perturbations import Perturbations
from measures.separability import Separability
from measures.surrogate_robustness import SurrogateRobustness

MEASURES: dict[str, type[Measure]] = {
    "surrogate_robustness": SurrogateRobustness,
    "noise_robustness": NoiseRobustness,
    "delusiveness": Delusiveness,
    "stability": Stability,
    "separability": Separability,
    "noise_only": NoiseOnly,
    "perturbations": Perturbations,
    "generation_time": GenerationTime,
}
