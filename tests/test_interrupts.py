"""Signals: the first one stops a block, and none is lost where a block can no longer be stopped."""

import signal

import pytest

from exporter.errors import Interrupted
from exporter.interrupts import STOPPING, disable_interrupts, interruptible


@pytest.mark.parametrize("number", STOPPING)
def test_the_first_signal_stops(number: signal.Signals) -> None:
    """With a sentence that names it."""
    with pytest.raises(Interrupted, match=f"stopped by {number.name}; nothing was published"), interruptible():
        signal.raise_signal(number)


def test_the_consequence() -> None:
    """Whoever is stopped says what it means."""
    with (
        pytest.raises(Interrupted, match=r"^stopped by SIGTERM; the live graph is as it was$"),
        interruptible("the live graph is as it was"),
    ):
        signal.raise_signal(signal.SIGTERM)


@pytest.mark.parametrize("number", STOPPING)
def test_a_signal_that_comes_late(number: signal.Signals) -> None:
    """It stops nothing, and whoever goes on afterwards is told; the signals are as before then."""
    before = [signal.getsignal(each) for each in STOPPING]
    with interruptible() as late:
        disable_interrupts()
        signal.raise_signal(number)
    assert late == [number.name]
    assert [signal.getsignal(each) for each in STOPPING] == before
