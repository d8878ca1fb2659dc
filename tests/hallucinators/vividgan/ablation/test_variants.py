"""The variants: Table III's order, what they share, and which requests are refused."""

from __future__ import annotations

import pytest

from bench.errors import UsageError
from hallucinators.vividgan.ablation.variants import (
    PAPER_VARIANTS,
    VARIANTS,
    Recipe,
    coarse_terms,
    expand,
    options_of,
    refuse_teacher,
    select,
    terms_of,
)
from hallucinators.vividgan.departures import DEPARTURES

RECIPE = Recipe(steps={})


def test_they_come_in_the_order_of_table_3_then_the_figures() -> None:
    assert [v.name for v in select(["v+gt", "full", "star", "minus", "ddagger", "dagger"])] == [
        "minus",
        "dagger",
        "ddagger",
        "star",
        "full",
        "v+gt",
    ]
    assert list(VARIANTS)[:5] == ["minus", "dagger", "ddagger", "star", "full"]


def test_their_losses_are_those_of_section_v_d() -> None:
    assert terms_of(VARIANTS["minus"]) == ["pixel", "structure"]
    assert set(terms_of(VARIANTS["dagger"])) - set(terms_of(VARIANTS["minus"])) == {"identity"}
    assert set(terms_of(VARIANTS["ddagger"])) - set(terms_of(VARIANTS["dagger"])) == {"symmetry"}
    assert set(terms_of(VARIANTS["star"])) - set(terms_of(VARIANTS["ddagger"])) == {"adversarial_coarse"}
    assert set(terms_of(VARIANTS["full"])) - set(terms_of(VARIANTS["star"])) == {"adversarial_fine"}


def test_variants_share_the_coarse_network_where_equation_9_is_the_same() -> None:
    groups: dict[tuple[str, ...], list[str]] = {}
    for name, variant in PAPER_VARIANTS.items():
        groups.setdefault(tuple(coarse_terms(variant, RECIPE)), []).append(name)
    assert sorted(groups.values()) == sorted(
        [["minus"], ["dagger"], ["ddagger", "figure_6i"], ["star", "full", "figure_6f", "v-tn", "v+gt"]]
    )
    without_teacher = Recipe(steps={}, identity="none")
    assert (
        coarse_terms(VARIANTS["minus"], without_teacher)
        == coarse_terms(VARIANTS["dagger"], without_teacher)
        == ["pixel"]
    )


def test_options_say_what_is_left_out() -> None:
    assert not options_of(VARIANTS["v-tn"], RECIPE).touchup
    assert options_of(VARIANTS["v+gt"], RECIPE).true_components
    assert not options_of(VARIANTS["figure_6f"], RECIPE).component_aware
    assert options_of(VARIANTS["full"], RECIPE).losses == "full"


@pytest.mark.parametrize("names", [["minus"], ["full", "most"], ["full", "full"], [""]])
def test_what_cannot_be_requested(names: list[str]) -> None:
    with pytest.raises(UsageError):
        select(names)


def test_the_teacher_is_no_recogniser_of_figures() -> None:
    for recogniser in ("dlib", "dlib:engine=dlib"):
        with pytest.raises(UsageError, match="is the teacher"):
            refuse_teacher(recogniser, RECIPE)
    refuse_teacher("sface", RECIPE)
    refuse_teacher("dlib", Recipe(steps={}, identity="none"))


def test_each_addition_has_a_variant_that_changes_it_alone() -> None:
    names = expand("additions")
    assert names[0] == "full" and len(names) == 1 + sum(departure.ablated for departure in DEPARTURES)
    full = options_of(VARIANTS["full"], RECIPE)
    for name in names[1:]:
        departure, options = VARIANTS[name].without, options_of(VARIANTS[name], RECIPE)
        assert departure is not None
        if departure.name == "carry":
            assert not options.carry and options.settings == full.settings
        else:
            assert options.carry and options.settings == {departure.name: departure.paper}
        assert options.losses == full.losses and options.identity == full.identity


def test_an_addition_that_the_recipe_lacks_cannot_be_left_out() -> None:
    with pytest.raises(UsageError, match="the paper's value of --ema already"):
        options_of(VARIANTS["no-ema"], Recipe(steps={}, settings={"ema": 0.0}))


def test_names_default_to_the_variants_of_the_paper() -> None:
    assert expand(None) == list(PAPER_VARIANTS)
    assert expand("minus, full") == ["minus", "full"]
