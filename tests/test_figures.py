"""What a figure shows is what it was given."""

import subprocess
import sys

import numpy as np
import pytest

from encoding.errors import InputError
from experiments.figures.learning_curve import learning_curve
from experiments.figures.piano_roll import VOICE_COLOURS, compare_rolls, piano_roll
from experiments.figures.save import save_figure
from experiments.figures.style import new_figure

TIME = np.array([0.0, 1.0, 10.0, 100.0, 1000.0])
LOSS = np.array([[1.0, 1.1, 0.9], [0.8, 0.9, 0.7], [0.5, 0.6, 0.7], [0.3, 0.5, 0.4], [0.2, 0.25, 0.3]])
CHORALE = np.array([[72, 67, 64, 48], [72, 67, 64, 47], [71, -1, 62, 43], [72, 67, 60, 48], [72, 64, 60, 36]])


@pytest.fixture
def axes():
    return new_figure(6, 4).subplots()


def curves(axes):
    """Time and loss of every line of data on the axes: solid lines."""
    return [line.get_xydata().T for line in axes.get_lines() if line.get_linestyle() == "-"]


def bars(axes, name):
    """(start, length, pitch) of every bar of one voice."""
    container = next(c for c in axes.containers if c.get_label() == name)
    return [(bar.get_x(), bar.get_width(), bar.get_y() + bar.get_height() / 2) for bar in container.patches]


def test_the_line_is_the_median_of_the_replicas_without_time_zero(axes):
    learning_curve(axes, TIME, LOSS)
    ((time, loss),) = curves(axes)
    np.testing.assert_array_equal(time, [1, 10, 100, 1000])
    np.testing.assert_array_equal(loss, [0.8, 0.6, 0.4, 0.25])


def test_the_band_reaches_from_the_least_to_the_greatest_replica(axes):
    learning_curve(axes, TIME, LOSS)
    (band,) = axes.collections
    corners = {(float(x), float(y)) for x, y in band.get_paths()[0].vertices}
    assert corners == {(t, edge) for t, row in zip(TIME[1:], LOSS[1:], strict=True) for edge in (min(row), max(row))}


@pytest.mark.parametrize("shape", [(5,), (5, 1)])
def test_one_replica_is_a_line_without_a_band(axes, shape):
    learning_curve(axes, TIME.reshape(shape), LOSS[:, 0].reshape(shape))
    ((time, loss),) = curves(axes)
    np.testing.assert_array_equal(time, TIME[1:])
    np.testing.assert_array_equal(loss, LOSS[1:, 0])
    assert len(axes.collections) == 0


def test_the_time_of_every_replica_may_be_given(axes):
    learning_curve(axes, np.repeat(TIME[:, None], 3, axis=1), LOSS)
    np.testing.assert_array_equal(curves(axes)[0][1], [0.8, 0.6, 0.4, 0.25])


def test_replicas_with_times_of_their_own_are_drawn_one_by_one(axes):
    times = TIME[:, None] * [1, 1, 0.5]
    learning_curve(axes, times, LOSS, label="spiked")
    drawn = curves(axes)
    assert len(drawn) == 3
    for replica, (time, loss) in enumerate(drawn):
        np.testing.assert_array_equal(time, times[1:, replica])
        np.testing.assert_array_equal(loss, LOSS[1:, replica])
    assert axes.get_legend_handles_labels()[1] == ["spiked\n(median and range of 3 replicas)"]


def test_a_frozen_replica_is_left_out_of_median_and_band_from_then_on(axes):
    loss = LOSS.copy()
    loss[3:, 0] = np.nan
    loss[4, 1] = np.inf
    learning_curve(axes, TIME, loss)
    np.testing.assert_allclose(curves(axes)[0][1], [0.8, 0.6, 0.45, 0.3])
    assert np.isfinite(axes.collections[0].get_paths()[0].vertices).all()


def test_a_look_without_any_loss_is_skipped(axes):
    loss = LOSS.copy()
    loss[2] = np.nan
    loss[3] = 0
    learning_curve(axes, TIME, loss)
    np.testing.assert_array_equal(curves(axes)[0], [[1, 1000], [0.8, 0.25]])


def test_both_axes_are_logarithmic_and_their_labels_have_units(axes):
    learning_curve(axes, TIME, LOSS)
    assert (axes.get_xscale(), axes.get_yscale()) == ("log", "log")
    assert axes.get_xlabel() == "proper time τ = Σ η"
    assert axes.get_ylabel() == "NLL (bits per output unit per time step)"


def test_losses_are_written_as_plain_numbers(axes):
    learning_curve(axes, TIME, LOSS)
    axes.figure.canvas.draw()
    names = [label.get_text() for label in axes.get_yticklabels(minor=True) if label.get_text()]
    assert {"0.2", "0.4"} <= set(names)
    assert all(name == f"{float(name):g}" for name in names)


def test_the_floor_is_a_dashed_line_called_irreducible_loss(axes):
    learning_curve(axes, TIME, LOSS, floor=0.15, label="depth 2")
    (floor,) = [line for line in axes.get_lines() if line.get_linestyle() == "--"]
    np.testing.assert_array_equal(floor.get_ydata(), [0.15, 0.15])
    assert [text.get_text() for text in axes.get_legend().get_texts()] == [
        "depth 2\n(median and range of 3 replicas)",
        "irreducible loss",
    ]


def test_published_results_are_circles_or_a_dotted_line(axes):
    learning_curve(axes, TIME, LOSS, published=([0, 10, 100], [0.9, 0.55, 0.4]))
    (circles,) = [line for line in axes.get_lines() if line.get_marker() == "o"]
    np.testing.assert_array_equal(circles.get_xydata(), [[10, 0.55], [100, 0.4]])
    learning_curve(axes, TIME, LOSS, published=0.3)
    (line,) = [line for line in axes.get_lines() if line.get_linestyle() == ":"]
    np.testing.assert_array_equal(line.get_ydata(), [0.3, 0.3])


def test_curves_on_the_same_axes_have_different_colours(axes):
    for depth in range(4):
        learning_curve(axes, TIME, LOSS * (depth + 1), label=f"depth {depth}")
    assert len({line.get_color() for line in axes.get_lines()}) == 4
    assert len(axes.get_legend().get_texts()) == 4


def test_a_curve_without_a_name_has_no_legend(axes):
    learning_curve(axes, TIME, LOSS)
    assert axes.get_legend() is None


@pytest.mark.parametrize(
    ("time", "loss", "message"),
    [
        (TIME[:3], LOSS, r"needs time .* got \(3,\) and \(5, 3\)$"),
        (np.ones((5, 2)), LOSS, r"got \(5, 2\) and \(5, 3\)$"),
        (TIME, LOSS[None], r"got \(5,\) and \(1, 5, 3\)$"),
        (1.0, 2.0, r"got \(\) and \(\)$"),
        ([], [], "needs a look at a time above 0 .* got none$"),
        (TIME[:1], LOSS[:1], "needs a look at a time above 0 .* got none$"),
        (TIME, LOSS * np.nan, "with a positive, finite loss; got none$"),
    ],
)
def test_a_curve_that_cannot_be_drawn_is_refused_in_one_line(axes, time, loss, message):
    with pytest.raises(InputError, match=message):
        learning_curve(axes, time, loss)


def test_a_piano_roll_has_a_bar_for_every_note_and_none_for_a_rest(axes):
    piano_roll(axes, CHORALE)
    assert bars(axes, "soprano") == [(0, 2, 72), (2, 1, 71), (3, 1, 72), (4, 1, 72)]  # struck anew at the bar line
    assert bars(axes, "alto") == [(0, 2, 67), (3, 1, 67), (4, 1, 64)]
    assert [bar[2] for bar in bars(axes, "bass")] == [48, 47, 43, 48, 36]


def test_the_voices_of_a_piano_roll_have_four_colours_and_a_legend(axes):
    from matplotlib.colors import to_rgba

    piano_roll(axes, CHORALE)
    colours = [voice.patches[0].get_facecolor() for voice in axes.containers]
    assert colours == [to_rgba(colour) for colour in reversed(VOICE_COLOURS)]
    assert len(set(VOICE_COLOURS)) == 4
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["soprano", "alto", "tenor", "bass"]


def test_the_axis_of_a_piano_roll_names_the_pitches(axes):
    piano_roll(axes, CHORALE, title="a chorale")
    names = {label.get_text(): int(tick) for label, tick in zip(axes.get_yticklabels(), axes.get_yticks(), strict=True)}
    assert names["C4"] == 60
    assert names["E3"] == 52
    assert names["G4"] == 67
    assert axes.get_xlabel() == "time (quarter notes)"
    assert axes.get_title(loc="left") == "a chorale"
    assert axes.get_xlim() == (0, 5)
    assert axes.get_ylim()[0] < 36 < 72 < axes.get_ylim()[1]


def test_the_seed_of_a_piano_roll_is_shaded(axes):
    piano_roll(axes, CHORALE, seed_steps=2)
    shade = axes.patches[0]
    assert (shade.get_x(), shade.get_width()) == (0, 2)
    assert axes.get_legend().get_texts()[-1].get_text() == "opening, given"


UNISON = np.array([[72, 67, 64, 48], [72, 64, 64, 48], [72, 62, 64, 48], [72, 60, 60, 60]])


def test_voices_share_a_bar_only_while_they_are_in_unison(axes):
    """The tenor holds E4 for three quarters; the alto comes to it in the second of them."""
    piano_roll(axes, UNISON)
    tenor, alto = (next(part for part in axes.containers if part.get_label() == name) for name in ("tenor", "alto"))
    held = [(bar.get_x(), bar.get_width(), bar.get_y(), bar.get_height()) for bar in tenor.patches[:3]]
    assert held == [(0, 1, *approx(63.55, 0.9)), (1, 1, *approx(63.55, 0.45)), (2, 1, *approx(63.55, 0.9))]
    beside = alto.patches[1]  # above the tenor
    assert (beside.get_y(), beside.get_height()) == approx(64, 0.45)
    assert [bar.get_linewidth() for part in axes.containers for bar in part.patches] == [0] * 11
    three = sorted(bar.get_y() for part in axes.containers for bar in part.patches if bar.get_height() < 0.4)
    assert three == pytest.approx([59.55, 59.85, 60.15])


def test_a_note_has_one_white_line_where_it_is_struck_however_often_it_is_cut(axes):
    piano_roll(axes, UNISON)
    struck = [[line[0, 0] for line in lines.get_segments()] for lines in axes.collections]
    assert struck == [[0, 3], [0, 3], [0, 1, 2, 3], [0]]  # bass, tenor, alto, soprano


def approx(*numbers):
    return tuple(pytest.approx(number) for number in numbers)


@pytest.mark.parametrize(("n_steps", "ticks"), [(5, range(6)), (16, range(17)), (17, range(0, 18, 4))])
def test_an_excerpt_has_a_tick_on_every_quarter_and_a_chorale_on_every_bar(axes, n_steps, ticks):
    piano_roll(axes, np.tile(CHORALE[0], (n_steps, 1)))
    assert axes.get_xticks().tolist() == list(ticks)


def test_a_silent_chorale_is_an_empty_roll(axes):
    piano_roll(axes, np.full((8, 4), -1))
    assert len(axes.patches) == 0


def test_what_is_no_chorale_is_not_drawn(axes):
    with pytest.raises(InputError, match="a chorale has 4 voices"):
        piano_roll(axes, CHORALE[:, :3])


def test_rolls_are_compared_with_the_same_limits():
    figure = new_figure(6, 5)
    octave_higher = np.where(CHORALE < 0, -1, CHORALE + 12)
    generated = np.vstack([octave_higher, octave_higher])
    compare_rolls(figure, CHORALE, generated, seed_steps=2, name="BWV 1.6")
    upper, lower = figure.axes
    assert upper.get_xlim() == lower.get_xlim() == (0, 10)
    assert upper.get_ylim() == lower.get_ylim()
    assert upper.get_ylim()[0] < 36 < 84 < upper.get_ylim()[1]
    assert upper.get_position().y0 > lower.get_position().y0
    assert [axes.get_title(loc="left") for axes in figure.axes] == [
        "BWV 1.6",
        "what the network plays (voices by least movement)",
    ]
    assert len(bars(upper, "bass")) == 5
    assert len(bars(lower, "bass")) == 10


@pytest.mark.parametrize("suffix", ["png", "svg", "pdf", "PNG"])
def test_the_same_figure_has_the_same_bytes(tmp_path, suffix):
    for name in ("first", "second"):
        figure = new_figure(4, 3)
        learning_curve(figure.subplots(), TIME, LOSS, floor=0.1, label="depth 1")
        save_figure(figure, tmp_path / f"{name}.{suffix}")
    first, second = ((tmp_path / f"{name}.{suffix}").read_bytes() for name in ("first", "second"))
    assert len(first) > 1000
    assert suffix in ("png", "PNG") or b"date" not in first.lower()
    assert first == second
    assert {entry.name for entry in tmp_path.iterdir()} == {f"first.{suffix}", f"second.{suffix}"}


def test_a_png_has_150_dots_per_inch(tmp_path):
    save_figure(new_figure(4, 3), tmp_path / "empty.png")
    header = (tmp_path / "empty.png").read_bytes()[:24]
    assert header[:8] == b"\x89PNG\r\n\x1a\n"
    assert (int.from_bytes(header[16:20], "big"), int.from_bytes(header[20:24], "big")) == (600, 450)


@pytest.mark.parametrize("name", ["figure.jpg", "figure", ".png"])
def test_an_unknown_suffix_is_refused_in_one_line(tmp_path, name):
    with pytest.raises(InputError, match=r"a figure is written as \.png, \.svg or \.pdf; got '"):
        save_figure(new_figure(), tmp_path / name)
    assert not list(tmp_path.iterdir())


def test_a_missing_folder_is_an_os_error(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"figure\.png"):
        save_figure(new_figure(), tmp_path / "nowhere" / "figure.png")


def test_importing_figures_and_scores_loads_neither_matplotlib_nor_music21():
    program = (
        "import sys, encoding.score, experiments.figures.learning_curve, experiments.figures.piano_roll,"
        " experiments.figures.save; print({'matplotlib', 'music21'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def test_drawing_leaves_pyplot_alone(axes):
    learning_curve(axes, TIME, LOSS)
    if "matplotlib.pyplot" in sys.modules:
        assert sys.modules["matplotlib.pyplot"].get_fignums() == []
