"""What a record keeps of a training: its looks at the victim, and the numbers that tables show."""

from dataclasses import fields
from typing import Any

from bench.core.train import Evaluation


def summary(history: list[Evaluation]) -> dict[str, Any]:
    """Final and peak accuracy (shares in [0, 1]). The peak is chosen on the test set: an oracle, never a validation."""
    final, peak = history[-1], max(history, key=lambda evaluation: evaluation.test_accuracy)
    return {
        "final_accuracy": final.test_accuracy,
        "final_loss": round(final.test_loss, 6),
        "peak_accuracy": peak.test_accuracy,
        "peak_step": peak.step,
        "train_accuracy": round(final.train_accuracy, 6),
    }


def columns(history: list[Evaluation]) -> dict[str, list[Any]]:
    """The history as one list for each quantity; counts on held-out images only if there are any."""
    names = [field.name for field in fields(Evaluation) if field.name != "validation"]
    table = {name: [round(getattr(evaluation, name), 6) for evaluation in history] for name in names}
    versions = zip(*(evaluation.validation for evaluation in history), strict=True)
    held_out = zip(("validation_clean", "validation_protected"), map(list, versions), strict=False)
    return table | dict(held_out)
