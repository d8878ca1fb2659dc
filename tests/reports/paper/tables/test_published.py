"""The paper's numbers, spot-checked against its text; each was typed in and then compared with it in full."""

from __future__ import annotations

import pytest

from reports.paper.tables import published
from reports.paper.tables.published import Published

F, S, J = "F (DR-GAN) + SR", "SR + F (DR-GAN)", "Joint SR+F"


@pytest.mark.parametrize(
    ("table", "row", "column", "printed"),
    [
        (published.table_1(), (F, "WaveletSRnet"), "multipie", ("22.839", "0.811")),
        (published.table_1(), (S, "CBN"), "celeba", ("19.784", "0.783")),
        (published.table_1(), (J, "VividGAN†"), "mmi", ("21.264", "0.810")),
        (published.table_2(), (F, "TDAE"), "mmi@75", ("18.002", "0.740")),
        (published.table_2(), (S, "Bicubic"), "celeba@40", ("21.040", "0.815")),
        (published.table_2(), (J, "VividGAN"), "mmi@22", ("27.490", "0.893")),
        (published.table_3(), ("", "ddagger"), "celeba", ("25.057", "0.804")),
        (published.table_4(), (F, "CBN"), "ms", ("2028.23",)),
        (published.table_4(), (J, "TANN"), "parameters", ("196.231 KB",)),
        (published.table_5(), ("", "dronesurf"), "images", ("786,813",)),
        (published.table_6(), (J, "TANN"), "mmi@8", ("59.71%", "67.97%")),
        (published.table_6(), ("Low resolution", "LR face"), "ijbc@4", ("70.09%", "76.33%")),
        (published.table_7(), (S, "TDAE"), "accuracy", ("35.69%",)),
        (published.table_7(), ("Other", "Frontal HR"), "accuracy", ("94.62%",)),
    ],
)
def test_a_number_is_as_printed(table: Published, row: tuple[str, str], column: str, printed: tuple[str, ...]) -> None:
    assert table[row][column] == printed


def test_tables_are_whole() -> None:
    def cells(table: Published) -> int:
        return sum(len(parts) for row in table.values() for parts in row.values())

    tables = (published.table_1, published.table_2, published.table_3, published.table_4, published.table_5)
    assert [cells(make()) for make in tables] == [13 * 6, 12 * 16, 5 * 4, 11 * 3, 6 * 5 - 1]
    assert [cells(make()) for make in (published.table_6, published.table_7)] == [3 * 24, 14]


def test_the_text_agrees_with_the_tables() -> None:
    expressions = published.table_7()
    gain = float(expressions[J, "VividGAN"]["accuracy"][0][:-1]) - float(
        expressions["Other", "Non-frontal LR"]["accuracy"][0][:-1]
    )
    assert gain == pytest.approx(65.07)  # section VI-B
    psnr = {name: float(values[0]) for name, values in published.FIGURE_8.items()}
    assert psnr["v+gt"] - psnr["full"] == pytest.approx(2.116)  # section IV-B
    assert psnr["v+gt"] - psnr["v-tn"] == pytest.approx(2.621)
