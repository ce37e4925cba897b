"""Tariff files: what is read, what is wrong, and what a month costs to the cent."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rig.errors import CallerMistake
from rig.report.scorecard.tariffs import Tariff, load_tariffs, rounded

EXAMPLE = Path(__file__).parents[3] / "fixtures/tariffs/example.yaml"


def test_the_example_is_read_and_says_that_it_is_invented() -> None:
    found = load_tariffs(EXAMPLE)
    assert "invented" in found.note
    assert found.source == "example.yaml"
    assert found.of("lte", "cellular") == found.bearers["cellular"], "a kind serves every bearer of it"
    assert found.of("carrier-pigeon", "pigeon") is None


def test_a_bearers_own_entry_comes_before_its_kinds(tmp_path: Path) -> None:
    path = _file(tmp_path, "currency: EUR\nbearers:\n  lte: {per_mb: 1}\n  cellular: {per_mb: 2}\n")
    found = load_tariffs(path)
    assert found.of("lte", "cellular") == Tariff(per_mb=Decimal(1))
    assert found.of("umts", "cellular") == Tariff(per_mb=Decimal(2))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("currency: XYZ\nbearers: {lte: {}}\n", "line 1, currency: unknown currency 'XYZ'"),
        ("currency: EUR\n", "bearers: Field required"),
        ("currency: EUR\nbearers: {}\n", "line 2, bearers"),
        ("currency: EUR\nbearers:\n  lte: {per_mb: -1}\n", "line 3, bearers.lte.per_mb"),
        ("currency: EUR\nbearers:\n  lte: {per_mb: cheap}\n", "line 3, bearers.lte.per_mb"),
        ("currency: EUR\nbearers:\n  lte: {per_mb: .nan}\n", "line 3, bearers.lte.per_mb"),
        ("currency: EUR\nbearers:\n  lte: {per_megabyte: 1}\n", "bearers.lte.per_megabyte"),
        ("currency: EUR\nbearers:\n  lte: {block_bytes: 0}\n", "bearers.lte.block_bytes"),
        ("currency: EUR\nbearers:\n  lte: {per_mb: 1}\n  lte: {per_mb: 2}\n", "line 4, bearers.lte: written twice"),
        ("- EUR\n", "a tariff file is a mapping of keys"),
        ("currency: [EUR\n", "not YAML"),
    ],
)
def test_what_is_wrong_is_named_with_line_and_field(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(CallerMistake) as caught:
        load_tariffs(_file(tmp_path, text))
    assert says in caught.value.what
    assert caught.value.cure


def test_a_name_that_is_no_bearer_and_no_kind_is_refused_with_the_list(tmp_path: Path) -> None:
    path = _file(tmp_path, "currency: EUR\nbearers:\n  cellular: {per_mb: 1}\n  lte: {}\n  ltee: {per_mb: 1}\n")
    with pytest.raises(CallerMistake) as caught:
        load_tariffs(path, ["wifi", "lte"])
    assert caught.value.what == (
        "line 5, bearers.ltee: is neither a bearer of the bench (wifi, lte) nor a kind "
        "(wifi, cellular, ethernet, private, dial-up, bluetooth)"
    )
    assert set(load_tariffs(path).bearers) == {"cellular", "lte", "ltee"}, "nobody knows the bench"


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(CallerMistake, match=r"none\.yaml: no tariff file"):
        load_tariffs(tmp_path / "none.yaml")


def test_bytes_are_billed_in_blocks_beyond_what_is_included() -> None:
    tariff = Tariff.model_validate({"monthly": "2.50", "included_mb": 10, "per_mb": "0.40", "block_bytes": 1024})
    # 3,000 sales of 3,498 bytes: 4 blocks of 1,024 each, 12.288 MB, of which 2.288 are paid for.
    assert tariff.of_bytes(3000, 3498) == Decimal("2.50") + Decimal("2.288") * Decimal("0.40")
    assert str(rounded(tariff.of_bytes(3000, 3498), "EUR")) == "3.42 EUR"
    assert tariff.of_bytes(10, 3498) == Decimal("2.50"), "inside of what is included"


def test_keepalives_are_billed_in_blocks_as_sales_are() -> None:
    tariff = Tariff.model_validate({"per_mb": "1", "block_bytes": 1024})
    assert tariff.of_bytes(0, 0, 1000, 104) == Decimal("1.024")
    assert tariff.of_bytes(1000, 104, 1000, 104) == Decimal("2.048")
    assert Tariff(per_mb=Decimal(1)).of_bytes(0, 0, 1000, 104) == Decimal("0.104")


def test_calls_are_billed_by_begun_steps() -> None:
    tariff = Tariff.model_validate({"monthly": "9.90", "per_call": "0.06", "per_minute": "0.02", "minute_step_s": 60})
    assert tariff.of_calls(3000, Decimal("12.3")) == Decimal("9.90") + 3000 * Decimal("0.08")
    assert tariff.of_calls(1, Decimal("60.001")) == Decimal("9.90") + Decimal("0.06") + Decimal("0.04")


def test_half_a_minor_unit_is_rounded_up_and_a_yen_has_none() -> None:
    assert str(rounded(Decimal("0.005"), "EUR")) == "0.01 EUR"
    assert str(rounded(Decimal("0.5"), "JPY")) == "1 JPY"


@given(st.decimals(0, 100, places=4), st.integers(0, 10_000), st.integers(1, 100_000), st.integers(1, 5_000))
def test_more_bytes_never_cost_less(per_mb: Decimal, sales: int, a_sale: int, block: int) -> None:
    tariff = Tariff(per_mb=per_mb, block_bytes=block)
    assert (
        tariff.of_bytes(sales, a_sale) <= tariff.of_bytes(sales, a_sale + 1) <= tariff.of_bytes(sales + 1, a_sale + 1)
    )
    assert tariff.of_bytes(sales, a_sale) >= Decimal(sales) * a_sale / 1_000_000 * per_mb


def _file(folder: Path, text: str) -> Path:
    path = folder / "tariffs.yaml"
    path.write_text(text)
    return path
