"""The study of gains: every cell against the control that its attack names, which is a simpler means."""

from analysis.reading.conditions import by_place
from analysis.reading.results import Results
from analysis.reading.stopping import stopped
from analysis.writing.sections import Section
from analysis.writing.standing import standing_lines
from analysis.writing.tables import table_of

NOTE = (
    "Final accuracy less that under the control that the attack names, in points, over the same seeds; the strongest "
    "if there are several. What is not above 0 is no gain: the control explains all."
)


def sections(results: Results) -> list[Section]:
    """One for each data set and model with any; it also says what stands against what: `APGD: against PGD`."""
    conditions = [one for one in stopped(results) if one.own_controls]
    known = {(one.place, one.label["attack"]) for one in conditions if one.estimates["gained"]}
    compared = [one for one in conditions if (one.place, one.label["attack"]) in known]
    found = []
    for place, conditions in by_place(compared).items():
        pairs = [(one.attack.title, results.title(control)) for one in conditions for _, control in one.own_controls]
        remarks = [f"{attack}: against {control}" for attack, control in dict.fromkeys(pairs)]
        remarks += standing_lines(conditions, "gained")
        context, table = results.context(place), table_of(conditions, "gained")
        found.append(Section("Gained, points", table, context=context, note=NOTE, remarks=remarks, places=[place]))
    return found
