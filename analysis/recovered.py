"""The study of shares recovered: every accuracy in percent of what the same attack reaches on clean images."""

from analysis.reading.results import Results, by_place
from analysis.writing.sections import Section
from analysis.writing.standing import standing_lines
from analysis.writing.tables import table_of

NOTE = (
    "Accuracy in percent of what the same attack reaches on clean images, over the same seeds. The interval is that of "
    "the ratio of the two means; over noises, the clean victims are the same for all of them."
)


def sections(results: Results) -> list[Section]:
    """One for each data set and model with any share; clean images have all, by definition, and no row."""
    protected = [condition for condition in results.conditions if not condition.is_clean]
    return [
        Section(
            "Recovered,\u00a0%",
            table_of(conditions, "recovered"),
            context=results.context(place),
            note=NOTE,
            remarks=standing_lines(conditions, "recovered"),
            places=[place],
        )
        for place, conditions in by_place(protected).items()
        if any(condition.estimates["recovered"] for condition in conditions)
    ]
