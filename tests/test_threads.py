"""How many threads a process uses: what the environment says, else the cores that it is bound to."""

import os

import pytest

from spikeport.errors import InputError
from spikeport.threads import VARIABLE, cores, limited, threads


def test_a_process_that_is_bound_to_one_core_uses_one_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    before = os.sched_getaffinity(0)
    try:
        os.sched_setaffinity(0, {min(before)})
        assert cores() == threads() == 1
    finally:
        os.sched_setaffinity(0, before)
    assert threads() == len(before)


def test_the_environment_says_how_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, "7")
    assert threads() == 7


@pytest.mark.parametrize("said", ["0", "-1", "two", "1.5", ""])
def test_what_is_no_number_is_refused(said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, said)
    with pytest.raises(InputError) as caught:
        threads()
    shown = f" ({said})" if said else " ()"
    assert str(caught.value) == f"environment: {VARIABLE}{shown} is not a whole number above 0"


def test_a_limit_holds_inside_and_for_children_and_is_taken_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    with limited(3):
        assert threads() == 3 and os.environ[VARIABLE] == "3"
        with limited(2):
            assert threads() == 2
        with limited(None):
            assert threads() == 3
        assert threads() == 3
    assert VARIABLE not in os.environ
