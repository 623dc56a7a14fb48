"""The floor that equal histories set, on pieces made for it and on the paper's 80 chorales."""

import numpy as np
import pytest

from encoding import Chorale, InputError, load_chorales
from experiments.observables import irreducible_loss, readout_floor

PAPER = {None: 0.00253, 1: 0.138, 2: 0.043, 3: 0.015, 4: 0.0067, 8: 0.0037}


def piece(*soprano):
    return Chorale(np.array([[pitch, -1, -1, -1] for pitch in soprano], np.int16), "made", "here", 0)


@pytest.mark.parametrize(("memory", "floor"), PAPER.items())
def test_the_paper_s_80_chorales_have_the_floors_computed_elsewhere(memory, floor, jsb_path):
    assert irreducible_loss(load_chorales(str(jsb_path)), memory) == pytest.approx(
        floor, abs=2e-5 if floor < 0.004 else 5e-4
    )


def test_one_history_with_two_ends_costs_a_bit_for_each_key_that_differs():
    # Two of the four transitions have a choice, of two keys: the pieces part at their second chord.
    pieces = [piece(60, 62, 64), piece(60, 65, 64)]
    assert irreducible_loss(pieces) == pytest.approx(2 * 2 * 1.0 / (4 * 54))


def test_who_remembers_one_chord_cannot_tell_where_it_came_from():
    pieces = [piece(60, 62, 64, 62, 65)]  # 62 is followed by 64, then by 65
    assert irreducible_loss(pieces) == 0
    assert irreducible_loss(pieces, memory=1) == pytest.approx(2 * 2 * 1.0 / (4 * 54))
    assert irreducible_loss(pieces, memory=2) == 0


def test_more_memory_never_raises_the_floor(jsb_path):
    chorales = load_chorales(str(jsb_path), first=10)
    floors = [irreducible_loss(chorales, memory) for memory in (1, 2, 3, 5, None)]
    assert floors == sorted(floors, reverse=True)


def test_who_hears_no_octaves_confuses_what_differs_by_one():
    pieces = [piece(60, 62), piece(72, 65)]
    assert irreducible_loss(pieces) == 0
    assert irreducible_loss(pieces, encoding=lambda pitches: pitches % 12) == pytest.approx(2 * 2 * 1.0 / (2 * 54))
    with pytest.raises(InputError, match="a row for each of 2 chords"):
        irreducible_loss(pieces, encoding=lambda pitches: pitches[1:])
    for ask in (irreducible_loss, lambda pieces, encoding: readout_floor(pieces, np.ones((54, 2)), encoding=encoding)):
        with pytest.raises(InputError, match="an encoding gives finite numbers"):
            ask(pieces, encoding=lambda pitches: pitches * np.nan)


def test_no_memory_and_no_music_are_refused():
    with pytest.raises(InputError, match=r"memory .* is a whole number of at least 1"):
        irreducible_loss([piece(60, 62)], 0)
    with pytest.raises(InputError, match="at least one transition; got none"):
        irreducible_loss([])
