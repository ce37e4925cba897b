"""Money is an integer of minor units; decibels are not dBm, and the type checker says so."""

from __future__ import annotations

import os
import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rig.errors import CallerMistake
from rig.units import CURRENCY_NUMERIC, Dbm, Decibel, Money, attenuate


@pytest.mark.parametrize("minor", [12.34, 12.0, "1234", None, True, Decimal("12.34")])
def test_money_is_made_of_an_integer_alone(minor: object) -> None:
    with pytest.raises(CallerMistake, match=r"amount: .* is not an integer of minor units \(write 1234 for 12\.34\)"):
        Money(minor)  # type: ignore[arg-type]


def test_an_unknown_currency_is_refused_with_those_that_are_known() -> None:
    with pytest.raises(CallerMistake, match=r"currency: 'XXX' is unknown \(use one of EUR, .*JPY\)"):
        Money(1, "XXX")


@pytest.mark.parametrize(
    ("money", "text", "numeric"),
    [
        (Money(1234), "12.34 EUR", "978"),
        (Money(5, "USD"), "0.05 USD", "840"),
        (Money(0, "CNY"), "0.00 CNY", "156"),
        (Money(-5, "GBP"), "-0.05 GBP", "826"),
        (Money(-1234, "CHF"), "-12.34 CHF", "756"),
        (Money(1234, "JPY"), "1234 JPY", "392"),  # ISO 4217: the yen has no minor unit
    ],
)
def test_money_in_words_and_in_digits(money: Money, text: str, numeric: str) -> None:
    assert (str(money), money.numeric) == (text, numeric)


@given(st.integers(-(10**12), 10**12), st.sampled_from(sorted(set(CURRENCY_NUMERIC) - {"JPY"})))
def test_what_money_says_is_exactly_what_it_is(minor: int, currency: str) -> None:
    assert Decimal(str(Money(minor, currency)).split()[0]) * 100 == minor


def test_money_is_a_value() -> None:
    assert Money(1, "EUR") == Money(1) != Money(1, "USD")
    assert len({Money(1), Money(1), Money(2)}) == 2


def test_a_level_behind_a_loss() -> None:
    assert attenuate(Dbm(-70.0), Decibel(25.5)) == Dbm(-95.5)


MIXED_UP = {
    "attenuate(Decibel(3.0), Decibel(3.0))": 'has incompatible type "Decibel"; expected "Dbm"',
    "attenuate(Dbm(-70.0), Dbm(-3.0))": 'has incompatible type "Dbm"; expected "Decibel"',
    "attenuate(-70.0, Decibel(3.0))": 'has incompatible type "float"; expected "Dbm"',
    "Money(12.34)": 'has incompatible type "float"; expected "int"',
}


@pytest.mark.parametrize("line", MIXED_UP)
def test_the_type_checker_sees_quantities_that_are_mixed_up(line: str, mypy_of_all: str) -> None:
    place = f"<string>:{list(MIXED_UP).index(line) + 2}: error:"
    assert [said for said in mypy_of_all.splitlines() if said.startswith(place) and MIXED_UP[line] in said]


@pytest.fixture(scope="module")
def mypy_of_all(tmp_path_factory: pytest.TempPathFactory) -> str:
    """What mypy says of all the lines at once: it takes a while to start."""
    program = "\n".join(["from rig.units import Dbm, Decibel, Money, attenuate", *MIXED_UP])
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "-c", program],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path_factory.mktemp("mypy"),
        env={**os.environ, "MYPYPATH": str(Path(__file__).parents[1])},
    )
    assert done.returncode == 1, done.stdout + done.stderr
    return done.stdout
