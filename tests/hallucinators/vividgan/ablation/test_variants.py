"""The variants: Table III's order, what they share, and what cannot be asked for."""

from __future__ import annotations

import pytest

from bench.errors import UsageError
from hallucinators.vividgan.ablation.variants import (
    VARIANTS,
    Recipe,
    coarse_terms,
    options_of,
    refuse_teacher,
    select,
    terms_of,
)

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
    for name, variant in VARIANTS.items():
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
def test_what_cannot_be_asked_for(names: list[str]) -> None:
    with pytest.raises(UsageError):
        select(names)


def test_the_teacher_is_no_ruler() -> None:
    for recogniser in ("dlib", "dlib:engine=dlib"):
        with pytest.raises(UsageError, match="is the teacher"):
            refuse_teacher(recogniser, RECIPE)
    refuse_teacher("sface", RECIPE)
    refuse_teacher("dlib", Recipe(steps={}, identity="none"))
