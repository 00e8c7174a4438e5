"""The study of peak accuracies: what the best moment to stop would give."""

from analysis.reading.conditions import by_place
from analysis.reading.results import Results
from analysis.writing.sections import Section
from analysis.writing.standing import standing_lines
from analysis.writing.tables import table_of

NOTE = (
    "Oracle: best look at the test set. Nobody who trains can choose that moment; "
    "it shows what early stopping could win at most."
)


def sections(results: Results) -> list[Section]:
    """One for each data set and model with any result."""
    return [
        Section(
            "Peak accuracy (oracle),\u00a0%",
            table_of(conditions, "peak_accuracy"),
            context=results.context(place),
            note=NOTE,
            remarks=standing_lines(conditions, "peak_accuracy"),
            places=[place],
            folded=True,
        )
        for place, conditions in by_place(results.conditions).items()
        if any(condition.finished for condition in conditions)
    ]
