"""The study of shares recovered: every accuracy in percent of what the same attack reaches on clean images."""

from analysis.reading.conditions import ACCURACY, by_place
from analysis.reading.results import Results
from analysis.writing.sections import Section
from analysis.writing.standing import standings
from analysis.writing.tables import table_of

NOTE = (
    "Accuracy in percent of what the same attack reaches on clean images, over the same seeds. The interval is that of "
    "the ratio of the two means. Bold and italics are those of accuracies, whose order a column keeps."
)


def sections(results: Results) -> list[Section]:
    """One for each data set and model with any share; clean images have all, by definition, and no row."""
    found = []
    for place, conditions in by_place(results.conditions).items():
        protected = [condition for condition in conditions if not condition.is_clean]
        if any(condition.estimates["recovered"] for condition in protected):
            table = table_of(protected, "recovered", standings(conditions, ACCURACY))
            context = results.context(place)
            found.append(Section("Recovered,\u00a0%", table, context=context, note=NOTE, places=[place]))
    return found
