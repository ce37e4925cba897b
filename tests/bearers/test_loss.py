from __future__ import annotations

import pytest

from rig.bearers.loss import GilbertElliott


@pytest.mark.parametrize(
    ("model", "mean_loss", "mean_bad"),
    [
        (GilbertElliott(5, 30), 14.2857, 10 / 3),
        (GilbertElliott(5, 30, 50), 7.1429, 10 / 3),
        (GilbertElliott(5, 30, 50, 1), 8.0, 10 / 3),
        (GilbertElliott(0, 100), 0, 1),
        (GilbertElliott(100, 100), 50, 1),
        (GilbertElliott(1, 0.001), 99.9001, 100_000),
    ],
)
def test_theory(model: GilbertElliott, mean_loss: float, mean_bad: float) -> None:
    assert model.mean_loss_percent == pytest.approx(mean_loss, abs=0.0001)
    assert model.mean_bad_packets == pytest.approx(mean_bad)
