"""The study of published values: all that belong to the conditions of a plan, and their sources."""

from analysis.results import Results
from analysis.sections import Section, plain_table


def sections(results: Results) -> list[Section]:
    """One, if any condition has a published value; the first of each condition stands in the table of accuracies."""
    rows = []
    for condition in results.conditions:
        paper = condition.paper
        name = f"{condition.method.paper}, {condition.attack.paper}, {paper['dataset']}, {paper['model']}"
        for value in condition.published:
            remark = "; ".join(text for text in (value.note, value.parameters, value.remark) if text)
            rows.append([name, f"{value.source}, {value.place}", remark, value.confidence, value.digits])
    if not rows:
        return []
    table = plain_table(["condition", "source", "remark", "reading", "%"], rows, words=range(4))
    note = "The first of each condition stands in the table of accuracies."
    return [Section("Published values and their sources", table, note=note, folded=True)]
