"""The study of published values: all that belong to the conditions of a plan, and their sources."""

from analysis.reading.results import Results
from analysis.writing.sections import Section, plain_table


def sections(results: Results) -> list[Section]:
    """One, if any condition has a published value: the method's own authors' first, then the surest reading."""
    rows = []
    for condition in results.conditions:
        paper = condition.paper
        name = f"{condition.method.paper}, {condition.attack.paper}, {paper['dataset']}, {paper['model']}"
        for value in condition.published:
            remark = "; ".join(text for text in (value.method_note, value.attack_params, value.remark) if text)
            rows.append(
                [name, f"{value.source}, {value.source_table}", value.recipe, remark, value.confidence, value.value]
            )
    if not rows:
        return []
    table = plain_table(["condition", "source", "recipe of the victim", "remark", "reading", "%"], rows, words=range(5))
    note = (
        "A value belongs here if it states the variant, norm, radius and so on of the condition. The method's "
        "own authors come first. At the paper's scale the table of accuracies shows one laboratory's values if it has "
        "them all, else these."
    )
    return [Section("Published values and their sources", table, note=note, folded=True)]
