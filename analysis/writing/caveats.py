"""What stands under tables: over what intervals are, and what may be wrong with the numbers."""

from dataclasses import replace

from analysis.numbers.estimates import wilson
from analysis.reading.conditions import ConditionResult
from analysis.reading.results import Results
from analysis.writing.provenance import ways
from analysis.writing.sections import Section, percent

TRAINED = 0.9
"""Clean plain training that ends with less of its own training images right is far from its end."""
COPY = 2e-5
"""Of a noise's mean l2 norm: copies of it differ by more, one copy on several machines by less."""
OVERFITTED = 0.2
"""Adversarial training whose accuracy under PGD is a smaller share of that on clean images withstands its own alone."""


def with_caveats(section: Section, results: Results) -> Section:
    """The same, with remarks on its intervals, on training that has failed or was short, and on how it was computed."""
    lines = [section.intervals or interval_line(results)] if section.table.interval_columns else []
    told = (tell(results, place) for place in section.places for tell in CAVEATS)
    lines += filter(None, dict.fromkeys(told))
    return replace(section, remarks=[*section.remarks, *lines])


def interval_line(results: Results) -> str:
    """Over what the intervals of a plan are."""
    planned = [one.planned for one in results.conditions if not one.declined]
    lines = []
    if max(planned, default=0) > 1:
        over = "victims of one noise; it says nothing of a second noise"
        if results.noises != [1]:
            over = (
                "noises or over victim seeds, whichever is wider; on clean images, and where there is a single noise, "
                "over victims of one noise"
            )
        lines.append(f"± is half of the 95 % Student interval of the mean over {over}.")
    if min(planned, default=0) == 1 and any(one.test_images for one in results.conditions):
        lines.append(
            f"{'Of a single victim, ±' if lines else '±'} is the longer side of the 95 % Wilson interval over the test "
            "images; it says nothing of a second victim."
        )
    return " ".join(lines)


def ways_line(results: Results, place: tuple[str, str]) -> str:
    """A warning if cells of a data set and model were computed in more than one way; empty if not."""
    here = {key for one in results.conditions if one.place == place for key in one.keys}
    here |= {key for one in results.measured if one.place == place for key in one.keys}
    told = ways([record for record in results.all_records if record["key"] in here])
    return f"Cells that are read against each other were computed in different ways: {'; '.join(told)}." if told else ""


def copies_line(results: Results, place: tuple[str, str]) -> str:
    """A warning of noises that were made anew on another machine, which draws other numbers; empty if there are none.

    A noise is known by its settings and seed. Its size tells two copies apart.
    """
    sizes: dict[str, list[float]] = {}
    titles: dict[str, str] = {}
    for cell in results.cells:
        if (cell["dataset"], cell["model"]) == place and cell.get("noise_l2") is not None:
            sizes.setdefault(cell["noise_key"], []).append(cell["noise_l2"])
            titles[cell["noise_key"]] = results.title(cell["method"])
    found = dict.fromkeys(titles[key] for key, own in sizes.items() if max(own) > (1 + COPY) * min(own))
    if not found:
        return ""
    return f"Victims of one noise met different copies of it, because machines draw other numbers: {', '.join(found)}."


def training_line(results: Results, place: tuple[str, str]) -> str:
    """A warning if plain training on clean images ends far below full training accuracy; empty if not, or unknown."""
    clean = next((one for one in results.conditions if one.place == place and one.is_plain and one.is_clean), None)
    seen, unseen = (clean.estimates[name] for name in ("train_accuracy", "final_accuracy")) if clean else (None, None)
    if not seen or not unseen or seen.mean >= TRAINED:
        return ""
    return (
        f"Plain training on clean images ends at {percent(seen.mean)} % on its training images and "
        f"{percent(unseen.mean)} % on test images: the victims are far from fully trained, so differences between "
        "rows may be facts of short training."
    )


def overfitting_line(results: Results, place: tuple[str, str]) -> str:
    """A warning of attacks that end in catastrophic overfitting (Wong et al., ICLR 2020); empty if none is known to.

    Few images are looked at under PGD, so the upper end of Wilson's interval must be too low.
    """
    clean = (one for one in results.conditions if one.place == place and one.is_clean and not one.collapsed)
    found = [f"{one.attack.title} ({percent(share)} %)" for one in clean if (share := _overfitted(one)) is not None]
    if not found:
        return ""
    return (
        f"Catastrophic overfitting: victims of clean images are hardly ever right under PGD, after {', '.join(found)}. "
        "They withstand their own adversary alone, so these columns say little of adversarial training."
    )


CAVEATS = (training_line, overfitting_line, ways_line, copies_line)


def _overfitted(one: ConditionResult) -> float | None:
    """The accuracy of its victims under PGD if that is far too low beside their accuracy, else None."""
    robust, images, final = (one.estimates[name] for name in ("robust_accuracy", "robust_images", "final_accuracy"))
    if not (robust and images and final):
        return None
    _, highest = wilson(robust.mean, round(images.mean * images.count)).ends or (0.0, 1.0)
    return robust.mean if highest < OVERFITTED * final.mean else None
