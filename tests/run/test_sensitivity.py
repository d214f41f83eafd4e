"""Gain of a signal against error propagation written out in the symmetric subspace."""

import dataclasses
import re

import numpy as np
import pytest
import scipy.linalg
import scipy.optimize

import spinsqueeze as sq
from spinsqueeze.core.errors import InvalidInput, Unsupported
from spinsqueeze.results.gains import read as read_best
from spinsqueeze.run.lines import gains, method_line
from spinsqueeze.run.sensitivity import carry_out, plan_of

STATE = sq.CoherentState("+x")
RAMP = 2e-3


def spins(n):
    m = np.arange(n / 2, -n / 2 - 1, -1)
    raising = np.diag(np.sqrt(n / 2 * (n / 2 + 1) - m[1:] * (m[1:] + 1)), 1)
    return [(raising + raising.T) / 2, (raising - raising.T) / 2j, np.diag(m)]


def moments(psi, n):
    s = spins(n)
    mean = np.array([np.vdot(psi, a @ psi).real for a in s])
    second = [[np.vdot(psi, (a @ b + b @ a) @ psi).real / 2 for b in s] for a in s]
    return mean, np.array(second) - np.outer(mean, mean)


def gain(n, twist, phase, *, untwist, axis=1):
    """1/(N Delta phi^2) with the twist, the signal about `axis` and the untwist as matrices."""
    s = spins(n)
    about = s[axis] if np.ndim(axis) == 0 else sum(k * a for k, a in zip(axis, s, strict=True))
    start = np.linalg.eigh(s[0])[1][:, -1]

    def final(angle):
        psi = scipy.linalg.expm(-1j * twist * s[2] @ s[2]) @ start
        psi = scipy.linalg.expm(-1j * angle * about) @ psi
        return moments(scipy.linalg.expm(1j * untwist * s[2] @ s[2]) @ psi, n)

    step = 1e-4
    mean, covariance = final(phase)
    slope = (final(phase + step)[0] - final(phase - step)[0]) / (2 * step)
    plane = scipy.linalg.null_space(mean[None] / np.linalg.norm(mean)).T
    signal = plane @ slope
    return signal @ np.linalg.solve(plane @ covariance @ plane.T, signal) / n


def there_and_back(n, t):
    values = [1.0, 1.0, -1.0, -1.0]
    envelope = sq.Envelope([0.0, t - RAMP / 2, t + RAMP / 2, 2 * t], values=values)
    return sq.SpinModel(n, hamiltonian=[sq.OneAxisTwisting(envelope)])


@pytest.mark.parametrize("n", [1, 2, 5, 20])
def test_twist_untwist_at_several_phases(n):
    t, phases = 0.08, [-0.2, 0.0, 0.03, 0.4]
    data = sq.sensitivity(
        there_and_back(n, t), STATE, [t / 2, t, 2 * t],
        pulses=sq.Pulse(t, axis="+y", angle=0.0), phases=phases, method="symmetric",
    )  # fmt: skip
    twist = t - RAMP / 4  # the area of the ramped envelope up to the signal
    for k, phase in enumerate(phases):
        row = data.isel(phase=k)
        claimed = row["metrological_gain_numerical_error"].values
        expected = [0.0, gain(n, twist, phase, untwist=0.0), gain(n, twist, phase, untwist=twist)]
        error = np.abs(row["metrological_gain"].values - expected)
        # 1e-6: the brute force's own finite difference
        assert np.all(error <= claimed + 1e-6 * np.abs(expected)), (phase, error, claimed)
        assert np.all(claimed < 1e-4)
    resolution = data["phase_resolution"].values[:, 1:]
    np.testing.assert_allclose(resolution**-2 / n, data["metrological_gain"].values[:, 1:])


def test_read_at_once_about_the_best_axis_it_is_the_inverse_of_xi2():
    model, t = sq.SpinModel(30, hamiltonian=[sq.OneAxisTwisting(1.0)]), 0.07
    run = sq.simulate(model, STATE, [t])
    angle = float(run["squeezing_angle"][0])
    # least variance along cos y + sin z; a rotation about the other axis moves <S> along it
    axis = (0.0, -np.sin(angle), np.cos(angle))
    data = sq.sensitivity(model, STATE, [t], pulses=sq.Pulse(t, axis=axis, angle=0.0))
    assert float(data["metrological_gain"][0]) == pytest.approx(1 / float(run["xi2"][0]), rel=1e-5)
    readout = data["readout"].values[0]
    assert abs(readout @ [0.0, np.cos(angle), np.sin(angle)]) == pytest.approx(1.0, abs=1e-6)
    assert "metrological_gain_stderr" not in data


def test_the_best_axis_is_that_of_a_scan_over_all():
    n, t = 6, 0.25
    times = [t / 2, t, 1.5 * t, 2 * t]
    data = sq.sensitivity(
        there_and_back(n, t), STATE, times, axis="best", method="symmetric",
        pulses=sq.Pulse(t, axis="+y", angle=0.0),
    )  # fmt: skip
    twist = t - RAMP / 4
    k = np.arange(300) + 0.5  # a spiral around half the sphere: the sign of an axis is free
    z, turn = k / 300, np.pi * (1 + 5**0.5) * k
    scan = np.stack([np.sqrt(1 - z**2) * np.cos(turn), np.sqrt(1 - z**2) * np.sin(turn), z], 1)
    assert data["metrological_gain"].values[0] == 0.0
    assert np.all(np.isnan(data["best_axis"].values[0]))
    for row, untwist in ((1, 0.0), (2, twist / 2), (3, twist)):
        best = float(data["metrological_gain"][row])
        claimed = float(data["metrological_gain_numerical_error"][row])
        axis = data["best_axis"].values[row]
        if row == 2:  # half of the ramp and half of the untwisting
            untwist = t / 2 - RAMP / 4
        scanned = np.array([gain(n, twist, 0.0, untwist=untwist, axis=each) for each in scan])
        assert scanned.max() <= best + claimed + 1e-6
        assert scanned.max() > 0.98 * best > 1.2
        assert gain(n, twist, 0.0, untwist=untwist, axis=axis) == pytest.approx(best, abs=1e-4)
        assert abs(axis @ scan[scanned.argmax()]) > 0.98
        assert axis[np.abs(axis).argmax()] > 0


def test_the_best_axis_of_a_signal_on_some_spins():
    model = sq.SpinModel(
        sq.Lattice((2, 3)), hamiltonian=[sq.PowerLawXXZ(j_perp=0.3, j_z=1.0, exponent=3)]
    )
    echo = sq.Pulse(0.3, axis="+x", angle=np.pi)
    signal = sq.Pulse(0.5, axis="+z", angle=0.0, sites=[0, 1, 4])
    options = {"pulses": [echo, signal], "signal": 1, "method": "exact"}
    best = sq.sensitivity(model, STATE, [0.6], axis="best", **options)
    greatest = float(best["metrological_gain"][0])
    again = sq.sensitivity(model, STATE, [0.6], axis=best["best_axis"].values[0], **options)
    assert float(again["metrological_gain"][0]) == pytest.approx(greatest, rel=1e-4)
    assert "best_axis" not in again
    assert sq.study_of(again).pulses[1].axis == pytest.approx(best["best_axis"].values[0])
    along_z = sq.sensitivity(model, STATE, [0.6], **options)
    assert float(along_z["metrological_gain"][0]) < greatest - 0.01
    assert any("best axis of the signal: (" in line for line in gains(best))
    (panel,) = sq.plot.sensitivity(best).axes
    assert panel.get_title() == "about the best axis, by exact"


@pytest.mark.slow
def test_the_best_axis_of_samples():
    twisted = sq.SpinModel(30, hamiltonian=[sq.OneAxisTwisting(1.0)])
    pulse = sq.Pulse(0.05, axis="+y", angle=0.0)
    sampled = sq.sensitivity(
        twisted,
        STATE,
        [0.05],
        pulses=pulse,
        axis="best",
        method=sq.DTWA(2000, sampling="independent"),
    )
    xi2 = sq.simulate(twisted, STATE, [0.05], method="symmetric")["xi2"]
    error = float(sampled["metrological_gain_stderr"][0])
    assert abs(float(sampled["metrological_gain"][0]) - 1 / float(xi2[0])) < 4 * error < 1.0


def test_the_greatest_gain_lies_between_the_times():
    n, signal = 8, sq.Pulse(fraction=1.0, axis="+y", angle=0.0)
    model = sq.SpinModel(n, hamiltonian=[sq.OneAxisTwisting(1.0)])
    least = scipy.optimize.minimize_scalar(
        lambda t: -gain(n, t, 0.0, untwist=0.0), bounds=(0.1, 0.3), method="bounded",
        options={"xatol": 1e-9},
    )  # fmt: skip

    def at(times, **options):
        return sq.sensitivity(model, STATE, times, pulses=signal, method="symmetric", **options)

    data = at(np.linspace(0.0, 0.36, 10), phases=[0.0])
    best, near = read_best(data)
    assert abs(best.gain + least.fun) <= best.error < 0.02
    assert abs(best.time - least.x) <= best.time_error < 0.01
    assert float(near["time"]) == pytest.approx(0.24)
    assert best.gain > float(data["metrological_gain"].max()) + 1e-5
    assert int(data["optimal_gain_status"][0]) == 0
    (first, second, last) = gains(data)
    assert last.startswith("signal: pulse 0, a turn by 0")
    assert f"{best.gain:.4f}"[:5] in first
    assert "[" not in first
    assert second.endswith(" at time 0.24")
    for times, words in (
        (np.linspace(0.0, 0.1, 6), "at the last time: add later ones"),
        (np.linspace(0.25, 0.4, 6), "at the first time that has a gain"),
        (np.linspace(0.1, 0.4, 3), "times too coarse to interpolate, .*: add times near 0.25"),
    ):
        edge = at(times)
        assert re.search(rf"\[{words}", next(gains(edge)))
        assert float(edge["optimal_gain"]) == float(edge["metrological_gain"].max())
        (panel,) = sq.plot.sensitivity(edge).axes
        (label,) = panel.get_legend().get_texts()
        assert label.get_text().startswith("greatest computed: ")
    both = at(np.linspace(0.0, 0.36, 10), phases=[0.0, 0.3])
    without = both["optimal_gain"].where(both["phase"] > 0)
    assert read_best(both)[0].gain == float(both["optimal_gain"][0]) > float(without[1])
    assert read_best(both.assign(optimal_gain=without))[0].gain == float(without[1])
    assert data.attrs["step"] == pytest.approx(0.005 / np.sqrt(n), rel=1e-14)
    for name in ("optimal_gain_time", "optimal_gain_add_times_near"):
        assert data[name].attrs["units"] == data["time"].attrs["units"] != "1"
    alone = at([0.2])
    assert "[" not in next(gains(alone))
    assert float(alone["optimal_gain"]) == float(alone["metrological_gain"][0])


def ising(shape):
    """A study of an echo and a signal at 3/4 of every time, without times."""
    return sq.Study(
        sq.SpinModel(
            sq.Lattice(shape), hamiltonian=[sq.PowerLawXXZ(j_perp=0.0, j_z=1.0, exponent=6)]
        ),
        initial_state=STATE,
        pulses=[
            sq.Pulse(fraction=0.5, axis="+x", angle=np.pi),
            sq.Pulse(fraction=0.75, axis="+z", angle=0.0),
        ],
    )


def test_why_an_exact_method_is_left_is_said():
    study = dataclasses.replace(ising((12, 12)), times=[0.3])
    plan = plan_of(study, signal=1, axis="best")
    assert re.fullmatch(
        r"13 runs of dtwa .* = 500\), error: uncontrolled and sampling; 1 time; about .+",
        plan.in_words,
    )
    (concern,) = plan.concerns
    assert concern.startswith("choice: dtwa (uncontrolled and sampling error) was taken; ")
    assert "closed_form, exact, takes the study as it is" in concern
    assert "turns spins away from the Ising axis z" in concern
    assert plan_of(study, signal=1).concerns == ()  # a signal about z is in closed form


def test_concerns_of_the_choice_and_of_the_method_are_in_the_result():
    study = sq.Study(
        there_and_back(4, 0.1), initial_state=STATE, times=[0.2],
        pulses=[sq.Pulse(0.1, axis="+y", angle=0.0)], method=sq.SymmetricSubspace(),
    )  # fmt: skip
    plan = dataclasses.replace(plan_of(study, phases=[0.0, 0.1]), concerns=("choice: why",))
    heard = []
    data = carry_out(plan, progress=heard.append)
    assert ("warning", "choice: why") in sq.summary(data).rows
    assert len(set(heard)) >= 10
    assert heard == sorted(heard)
    assert heard[-1] == 1.0
    assert not any("neglects" in line for line in gains(data))
    data.attrs["error_kind"] = "uncontrolled and sampling"
    assert list(gains(data))[-1].startswith("not in the error: what symmetric neglects")
    assert method_line(data) == "method = symmetric (error: uncontrolled and sampling)"


@pytest.mark.slow
def test_times_by_themselves_are_those_of_the_run_without_the_signal():
    study = ising((2,))
    data = sq.sensitivity(study.model, STATE, pulses=study.pulses, signal=1)
    run = sq.run_study(dataclasses.replace(study, pulses=study.pulses[:1]))
    np.testing.assert_array_equal(data["time"], run["time"])
    assert data.attrs["automatic_times"] == run.attrs["automatic_times"]
    np.testing.assert_array_equal(sq.study_of(data).times, run["time"])
    plan = plan_of(study, signal=1)
    assert "about 101 times, which a run without the signal chooses first" in plan.in_words
    with pytest.raises(InvalidInput, match=r"times must be given with pulses, e.g"):
        sq.sensitivity(study.model, STATE, pulses=sq.Pulse(0.1, axis="+y", angle=0.0))


def test_no_readout_beats_the_quantum_fisher_information():
    n, t = 12, 0.15
    model = there_and_back(n, t)
    information = sq.simulate(model, STATE, [t], method="symmetric")["qfi"].values[0] / n
    for axis in ("+y", "+z", (0.0, 0.6, 0.8), (0.6, 0.0, 0.8)):
        data = sq.sensitivity(
            model, STATE, [t, 1.5 * t, 2 * t], pulses=sq.Pulse(t, axis=axis, angle=0.05),
            method="symmetric",
        )  # fmt: skip
        reached = data["metrological_gain"].values
        assert np.all(reached <= information + data["metrological_gain_numerical_error"].values)
        assert reached.max() > 0.1 * information


def test_uncorrelated_spins_gain_nothing_and_samples_say_how_well_they_know():
    model = sq.SpinModel(sq.Lattice((2, 3)), hamiltonian=[sq.SiteField(np.zeros((6, 3)))])
    data = sq.sensitivity(
        model, STATE, [0.1], pulses=sq.Pulse(0.0, axis="+z", angle=0.2), method=sq.DTWA(2000)
    )
    value, error = float(data["metrological_gain"][0]), float(data["metrological_gain_stderr"][0])
    assert "metrological_gain_stderr" in data
    # The samples are stratified: rounding in single precision is the larger error.
    claimed = float(data["metrological_gain_numerical_error"][0])
    assert abs(value - 1.0) < 4 * error + claimed < 1e-3


def test_the_result_holds_its_study_and_is_drawn(tmp_path):
    data = sq.sensitivity(
        there_and_back(4, 0.1), STATE, [0.1, 0.2], method="symmetric", title="Untwisted",
        pulses=[sq.Pulse(0.05, axis="+z", angle=0.0), sq.Pulse(0.1, axis="+y", angle=0.1)],
        signal=1,
    )  # fmt: skip
    assert data.attrs["signal"] == 1
    assert sq.study_of(data).pulses[1].angle == 0.1
    sq.save(data, tmp_path / "gain.nc")
    (panel,) = sq.plot.sensitivity(sq.load(tmp_path / "gain.nc")).axes
    assert panel.get_xlabel() == "time (1/J)"
    with pytest.raises(InvalidInput, match="must be what spinsqueeze"):
        sq.plot.sensitivity(sq.simulate(there_and_back(4, 0.1), STATE, [0.1]))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"pulses": ()}, "pulses must hold the signal"),
        ({"signal": 1}, "signal must be"),
        ({"phases": [0.2, 0.1]}, "phases must increase"),
        ({"step": 0.0}, "step must be"),
        ({"axis": "bst"}, r"axis must be one of \+x, .*; or give 'best'"),
        (
            {"axis": "best", "phases": [0.0, 0.1]},
            r"axis 'best' is about phase 0, .* give the pulse angle = 0, or phases=\[0.0\]",
        ),
        ({"progress": 3}, "progress must be a function"),
    ],
)
def test_mistakes(options, message):
    given = {"pulses": sq.Pulse(0.1, axis="+y", angle=0.0), **options}
    with pytest.raises(InvalidInput, match=message):
        sq.sensitivity(there_and_back(4, 0.1), STATE, [0.2], **given)


def test_a_sweep_and_a_method_that_does_not_fit_are_refused():
    study = sq.Study(
        there_and_back(4, 0.1), initial_state=STATE, times=[0.2],
        pulses=[sq.Pulse(0.1, axis="+y", angle=0.0)], sweep={"ensemble.spins": [4, 5]},
    )  # fmt: skip
    with pytest.raises(InvalidInput, match="one run in time, without sweep"):
        sq.sensitivity(study)
    with pytest.raises(Unsupported, match="TruncatedShells cannot do this"):
        sq.sensitivity(
            there_and_back(4, 0.1), STATE, [0.2], method="truncated_shells",
            pulses=sq.Pulse(0.1, axis="+y", angle=0.0),
        )  # fmt: skip


def test_one_method_makes_all_runs_and_the_readout_counts():
    """An angle of 0 fits closed form, its neighbours do not: the method is chosen for these."""
    model = sq.SpinModel(
        sq.Lattice((2, 3)), hamiltonian=[sq.PowerLawXXZ(j_perp=0.0, j_z=1.0, exponent=3)]
    )
    pulse = sq.Pulse(0.3, axis="+y", angle=0.0)
    data = sq.sensitivity(model, STATE, [0.3, 0.5], pulses=[pulse])
    assert data.attrs["method"] == "exact"
    assert np.all(data["metrological_gain_numerical_error"] < 1e-4)
    readout = sq.Readout(detection_error=0.1, resolution=1.0)
    study = sq.Study(
        model,
        initial_state=STATE,
        times=[0.3, 0.5],
        pulses=[pulse],
        readout=readout,
        method=sq.Exact(),
    )
    worse = sq.sensitivity(study)
    run = sq.simulate(model, STATE, [0.3, 0.5], pulses=[pulse], method="exact")
    noise = 6 * 0.1 * 0.9 + 1.0
    for k in range(2):
        covariance = 0.8**2 * run["covariance"].values[k] + noise * np.eye(3)
        slope = 0.8 * data["slope"].values[k]
        mean = run["spin"].values[k]
        plane = scipy.linalg.null_space(mean[None] / np.linalg.norm(mean)).T
        signal = plane @ slope
        expected = signal @ np.linalg.solve(plane @ covariance @ plane.T, signal) / 6
        assert float(worse["metrological_gain"][k]) == pytest.approx(expected, rel=1e-6)
    with pytest.raises(InvalidInput, match=r"got a sensitivity; make it again with sensitivity\("):
        sq.rerun(data)
    with pytest.raises(InvalidInput, match=r"signal must name one of the 2 pulses.*0: a turn"):
        sq.sensitivity(model, STATE, [0.5], pulses=[pulse, pulse])
    assert str(sq.summary(data)).count("gain = ") == 1


def test_a_loose_tolerance_is_part_of_the_error():
    model = sq.SpinModel(
        sq.Lattice(4, boundary="open"),
        hamiltonian=[sq.PowerLawXYZ(j_x=0.5, j_y=-0.3, j_z=1.0, exponent=1)],
    )
    strict, loose = (
        sq.sensitivity(
            model, STATE, [4.0], pulses=sq.Pulse(0.5, axis="+y", angle=0.0), method=sq.Exact(tol)
        )
        for tol in (1e-12, 1e-4)
    )
    claimed = [float(run["metrological_gain_numerical_error"][0]) for run in (strict, loose)]
    gap = float(abs(loose["metrological_gain"] - strict["metrological_gain"])[0])
    assert gap <= claimed[1]
    assert claimed[1] > 1000 * claimed[0]


@pytest.mark.slow
def test_the_step_is_long_where_trajectories_jump():
    jumps = [sq.LocalDecay(0.5), sq.CollectiveDecay(0.1)]
    model = sq.SpinModel(8, hamiltonian=[sq.OneAxisTwisting(1.0)], jumps=jumps)
    asked = {
        "times": [0.25],
        "pulses": sq.Pulse(fraction=0.6, axis="+y", angle=0.0),
        "method": sq.QuantumTrajectories(150),
    }
    scatter = []
    for step in (None, 0.05 / np.sqrt(8)):
        runs = [sq.sensitivity(model, STATE, seed=k, step=step, **asked) for k in range(9)]
        scatter.append(np.std([float(run["metrological_gain"][0]) for run in runs]))
    assert scatter[0] < 0.9 * scatter[1]  # 0.62 of 40 seeds


def test_the_signal_is_the_only_pulse_or_the_one_that_does_not_turn():
    model = sq.SpinModel(4, hamiltonian=[sq.OneAxisTwisting(1.0)])
    echo = sq.Pulse(fraction=0.5, axis="+x", angle="pi")
    small = sq.Pulse(fraction=1.0, axis=[0.6, 0, 0.8], angle=0.0)
    study = sq.Study(
        model, initial_state=STATE, times=[0.1, 0.2], pulses=(echo, small),
        readout=sq.Readout(detection_error=0.02),
    )  # fmt: skip
    assert plan_of(study).signal_in_words == (
        "signal: pulse 1, a turn by 0 rad about (0.6, 0, 0.8) at the end"
    )
    data = sq.sensitivity(study)
    lines = list(gains(data))
    assert lines[-1] == plan_of(study).signal_in_words
    assert ", 2 % misread" in lines[0]
    alone = plan_of(dataclasses.replace(study, pulses=(echo,)))
    assert alone.signal_in_words == (
        "signal: pulse 0, a turn by 3.142 rad about +x at 0.5 of every time; a signal beside it is "
        "one more pulse, with angle = 0.0"
    )
    with pytest.raises(InvalidInput, match=r"the angle 0 \(0: a turn by 3.142 .*; give the signal"):
        plan_of(dataclasses.replace(study, pulses=(echo, echo)))
    with pytest.raises(InvalidInput, match=r"must name one of the 2 pulses"):
        plan_of(dataclasses.replace(study, pulses=(small, small)))


def test_readouts_are_taken_by_sweeps_comparisons_and_sensitivities():
    model = sq.SpinModel(4, hamiltonian=[sq.OneAxisTwisting(1.0)])
    readout, times = sq.Readout(detection_error=0.02), [0.1, 0.2]
    alone = sq.simulate(model, STATE, times, readout=readout)["measured_xi2"].values
    over = {"hamiltonian.0.chi": [1.0, 2.0]}
    grid = sq.sweep(model, STATE, times, over=over, readout=readout, workers=0)
    np.testing.assert_allclose(grid["measured_xi2"].sel(chi=1.0), alone, rtol=1e-9)
    compared = sq.compare(model, STATE, times, methods=["exact", "symmetric"], readout=readout)
    np.testing.assert_allclose(compared.datasets["exact"]["measured_xi2"], alone, rtol=1e-9)
    pulse = sq.Pulse(0.05, axis="+z", angle=0.0)
    data = sq.sensitivity(model, STATE, times, pulses=[pulse], readout=readout)
    assert float(data.attrs["readout_detection_error"]) == 0.02
    with pytest.raises(InvalidInput, match=r"readout must be a readout such as Readout\("):
        sq.sweep(model, STATE, times, over=over, readout=0.02)


def test_the_legend_of_a_gain_leaves_its_greatest_point_free():
    """A hill with its top in the middle, as of twist and untwist over the phase of the signal."""
    phases = np.linspace(-0.1, 0.1, 21)
    level = 10 ** ((14.13 - 410.0 * phases**2) / 10)
    data = sq.sensitivity(
        there_and_back(4, 0.1), STATE, [0.2], phases=phases, title="Twist and\nuntwist",
        pulses=[sq.Pulse(0.1, axis="+y", angle=0.0)],
    )  # fmt: skip
    data["metrological_gain"][:] = level[:, None]
    figure = sq.plot.sensitivity(data)
    (panel,) = figure.axes
    figure.canvas.draw()
    (point,) = [line for line in panel.get_lines() if line.get_marker() == "D"]
    box = panel.get_legend().get_window_extent()
    x, y = panel.transData.transform(point.get_xydata()[0])
    assert not (box.x0 - 4 < x < box.x1 + 4 and box.y0 - 4 < y < box.y1 + 4)
