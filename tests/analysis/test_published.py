import pytest

from analysis.published import CONFIDENCES, equal, matching, published_values


def condition(method="sem", attack="pgd", *, model="resnet18", noise_radius="8/255", **settings):
    """A condition of a plan whose labels are those of the paper; `settings` are the attack's."""
    written = "".join(f" {key}={value}" for key, value in settings.items())
    return {
        "dataset": "cifar10",
        "model": model,
        "method": method,
        "attack": attack + written,
        "paper": {
            "dataset": "cifar10",
            "model": model,
            "method": {"name": method, "revision": 1, "radius": noise_radius},
            "attacks": [{"name": attack, "revision": 1, **settings}],
        },
    }


def test_the_known_values_of_the_paper_are_found() -> None:
    known = {
        ("clean", "none", None): "94.66",
        ("clean", "pgd", "4/255"): "89.51",
        ("rem", "none", None): "27.09",
        ("rem", "pgd", "4/255"): "48.16",
        ("sem", "none", None): "14.78",
        ("sem", "pgd", "2/255"): "19.41",
        ("sem", "pgd", "4/255"): "29.77",
    }
    for (method, attack, radius), digits in known.items():
        settings = {} if radius is None else {"radius": radius, "steps": 10}
        place = condition(method, attack, **settings) | {"attack": attack}
        assert matching(place)[0].digits == digits


def test_the_surest_source_comes_first_and_all_are_kept() -> None:
    values = matching(condition("sem", "none"))
    assert [(value.digits, value.source.partition(",")[0]) for value in values] == [
        ("14.78", "MI-UE"),
        ("15.94", "DUNE"),
    ]
    sureness = [CONFIDENCES.index(value.confidence) for value in matching(condition("em", "none"))]
    assert len(set(sureness)) > 1
    assert sureness == sorted(sureness)


def test_radii_are_compared_as_numbers_and_no_other_radius_matches() -> None:
    assert matching(condition("sem", "pgd", radius=4 / 255))[0].digits == "29.77"
    assert not matching(condition("sem", "pgd", radius="3/255"))


def test_a_value_without_the_radius_of_an_attack_that_has_one_does_not_match() -> None:
    assert matching(condition("em", "jpeg", quality=10))
    assert not matching(condition("em", "jpeg", quality=10, radius="4/255"))


def test_a_value_with_a_parameter_we_lack_or_that_is_unstated_does_not_match() -> None:
    values = matching(condition("em", "pgd", radius="4/255"))
    assert values
    assert not [value for value in values if "protected" in value.parameters or "unstated" in value.parameters]
    assert not matching(condition("em", "jpeg", quality=50))


def test_other_models_data_sets_and_metrics_do_not_match() -> None:
    assert not matching(condition("sem", "none", model="cnn"))
    assert all(0 < value.accuracy < 1 for values in published_values().values() for value in values)


def test_a_varied_method_matches_only_values_that_state_the_same_radius() -> None:
    varied = condition("em", "none", noise_radius="8/255") | {"method": "em radius=8/255"}
    assert {value.note for value in matching(varied)} <= {"l-inf 8/255", "8/255", "class-wise, 8/255"}
    assert matching(varied)
    wide = condition("em", "none", noise_radius="16/255") | {"method": "em radius=16/255"}
    assert "8/255" not in {value.note for value in matching(wide)}
    assert not matching(condition("em", "none") | {"method": "em steps=5"})


@pytest.mark.parametrize(
    ("ours", "text", "same"), [("4/255", "4/255", True), (0.5, "0.50", True), (10, "5", False), (True, "true", True)]
)
def test_settings_are_compared_by_value(ours: object, text: str, same: bool) -> None:
    assert equal(ours, text) is same


def test_no_published_value_stands_beside_the_number_of_synthetic_images() -> None:
    assert matching(condition("em", "none"))
    assert not matching(condition("em", "none") | {"dataset": "synthetic"})
