"""The conditions of a plan as a table of numbers, for whoever goes on with them."""

import pandas as pd

from analysis.conditions import Condition, Results
from analysis.estimates import rounded
from bench.store import Record


def tidy(results: Results) -> pd.DataFrame:
    """All numbers of a plan, one row for each condition in the plan's order, accuracies as shares in [0, 1].

    `noise_psnr` is in dB; `noise_linf` and `noise_l2` (mean over images) are in [0, 1] units; `noise_l0` is the mean
    number of changed pixels, `noise_saturated` the share of released values that are 0 or 255; passes are
    forward+backward of 128 images. `control_accuracy` is what the same attack reaches on clean images, over the same
    seeds, and `recovered` the share of it that is reached here; `gained` is the difference to the accuracy under the
    control that the attack names. All are means over the finished seeds, `_half_width` is half of Student's 95 %
    interval. Empty where nothing is known.
    """
    return pd.DataFrame([_tidy_row(results, condition) for condition in results.conditions])


def _tidy_row(results: Results, condition: Condition) -> Record:
    values: Record = {}
    for name, value in condition.estimates.items():
        values[name] = round(value.mean, 6) if value else None
        if name.endswith("accuracy") or name == "gained":
            values[f"{name}_half_width"] = rounded(value.half_width) if value else None
    first = condition.published[0] if condition.published else None
    return {
        "plan": results.name,
        "scale": results.plan["scale"]["name"],
        **condition.label,
        "control": condition.control,
        "assumes": ", ".join(condition.assumes),
        "seeds_planned": condition.planned,
        "finished": condition.finished,
        "failed": condition.failed,
        "missing": condition.missing,
        **values,
        "published_accuracy": round(first.accuracy, 6) if first else None,
        "published_source": f"{first.source}, {first.place}" if first else None,
    }
