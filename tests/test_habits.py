"""Habits of Python: wrong keywords, whole floats, scalars of jax, files in place of results."""

import inspect
import subprocess
import sys

import jax.numpy as jnp
import numpy as np
import pytest
import xarray as xr

import spinsqueeze as sq
from spinsqueeze.core.errors import InvalidCall, InvalidInput

TIMES = np.linspace(0.0, 0.5, 6)
SIGNAL = sq.Pulse(0.1, axis="z", angle=0.0)
OVER = {"hamiltonian.0.chi": (0.5, 1.0)}
UP_X = sq.CoherentState("+x")


def twisting(n=10):
    return sq.SpinModel(n, hamiltonian=[sq.OneAxisTwisting(chi=1.0)])


def result():
    return xr.Dataset({"spin": ("time", [0.0])})


def public_calls():
    for name in dir(sq):
        value = getattr(sq, name)
        is_error = inspect.isclass(value) and issubclass(value, Exception | int)
        if callable(value) and not is_error and not inspect.ismodule(value):
            yield pytest.param(name, value, id=name)
    for name in sq.plot.__all__:
        yield pytest.param(name, getattr(sq.plot, name), id=f"plot.{name}")


@pytest.mark.parametrize(("name", "call"), list(public_calls()))
def test_every_public_call_names_a_keyword_that_it_lacks(name, call):
    with pytest.raises(InvalidCall, match=rf"^{name} has no argument 'no_such_word'; "):
        call(no_such_word=1)
    with pytest.raises(TypeError):
        call(no_such_word=1)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: sq.simulate(twisting(), UP_X, TIMES, metod="exact"),
            r"^simulate has no argument 'metod'; did you mean 'method'\?$",
        ),
        (
            lambda: sq.PowerLawXXZ(jperp=1.0, j_z=1.0, exponent=3),
            r"^PowerLawXXZ has no argument 'jperp'; did you mean 'j_perp'\?$",
        ),
        (lambda: sq.OneAxisTwisting(), r"^OneAxisTwisting needs chi; it takes chi, axis$"),
        (
            lambda: sq.SpinModel(4, []),
            r"^SpinModel takes spins by place .*; write SpinModel\(4, hamiltonian=\[\]\)$",
        ),
        (
            lambda: sq.PowerLawXXZ(2.0, 2.0, 3),
            r"by place; write PowerLawXXZ\(j_perp=2.0, j_z=2.0, exponent=3\)$",
        ),
        (
            lambda: sq.PowerLawXXZ(j_perp=2.0, j_z=2.0, alpha=3),
            r"has no argument 'alpha'; did you mean 'exponent'\?$",
        ),
        (lambda: sq.OneAxisTwisting(1.0, "y", 3), r"got 3 arguments$"),
        (
            lambda: sq.Lattice(8, 8, boundary="open"),
            r"write the sizes in brackets, Lattice\(\(8, 8\), boundary='open'\)$",
        ),
        (lambda: sq.Lattice(8, boundary="pbc"), r"got 'pbc'; write 'periodic'$"),
        (
            lambda: sq.Lattice((8, 8), boundary=("open", "PBC")),
            r"^boundary\[1\] .* write 'periodic'$",
        ),
        (lambda: sq.plot(result()), r"^plot is not a call; write plot.squeezing\(data\) for a run"),
        (lambda: sq.optimum("x.nc"), r"load the file: optimum\(load\('x.nc'\)\)$"),
        (
            lambda: sq.compare(twisting(), UP_X, TIMES, methods="exact"),
            r"^compare needs two methods that fit, got 1: exact fits; name another",
        ),
        (
            lambda: sq.compare(twisting(), UP_X, TIMES, methods=3),
            r"^methods must be a list such as \['exact', 'dtwa'\], got 3$",
        ),
        (
            lambda: sq.simulate(twisting(), UP_X, TIMES, memory_budget="1 XB"),
            r"^memory_budget must be a number of bytes or a text such as '4 GB', got '1 XB'$",
        ),
        (lambda: sq.SpinModel(1.5), r"^spins must be an integer, got 1.5 \(float\)$"),
        # units, per cent and quotes
        (lambda: sq.SpinModel("1e5"), r"^spins must be an integer, .*; write 1e5 without quotes$"),
        (
            lambda: sq.LocalDecay("0.1"),
            r"^rate must be .* '0.1' \(str\); write 0.1 without quotes$",
        ),
        (lambda: sq.Lattice(4, filling="97%"), r"^filling must be .*'97%' \(str\); write 0.97$"),
        (
            lambda: sq.Lattice(4, spacing="5 um"),
            r"^spacing must be a real number, got '5 um' \(str\); lengths here are in units of the "
            r"lattice: leave it out, and write spacing = '5 um' in \[lab\] of a study, in Pyth",
        ),
        (
            lambda: sq.Lattice(4, position_disorder="0.1 um"),
            r"lengths here are in units of the lattice: write what 0.1 um is over the spacing$",
        ),
        (
            lambda: sq.VanDerWaals("863 GHz um^6"),
            r"angular rates at the distance 1 of the lattice, c6/spacing\^6 with its 2 pi; write "
            r"c6 = '863 GHz um\^6' and the spacing as texts in \[lab\] of a study, in Python in s",
        ),
        (lambda: sq.LocalDecay("1/5 us"), r" of the model: 1/5 us = 0.2 1/us; texts with their"),
        (lambda: sq.LocalDecay("5 us"), r"; times here are in one over the unit of the model's r"),
        (lambda: sq.LocalDecay("5 dB"), r"; write a number without a unit \(texts with their unit"),
        (
            lambda: sq.OneAxisTwisting("1 Hz"),
            r"'1 Hz' \(str\); numbers here are angular, in the unit of the model: 1 Hz = 6.28319 "
            r"1/s; texts with their unit are read in \[lab\] of a study, in Python by spins_from",
        ),
        (lambda: sq.OneAxisTwisting("2 pi x 1 kHz"), r": 2 pi x 1 kHz = 6.28319 1/ms; texts"),
        (lambda: sq.OneAxisTwisting("3 rad/us"), r": 3 rad/us = 3 1/us; texts with their unit"),
        (lambda: sq.OneAxisTwisting("2 pi x 1"), r"^chi must be .*; write the number with its 2"),
        (
            lambda: sq.simulate(twisting(), UP_X, "5 us"),
            r"^times must be .* e.g. np.linspace\(0, 1",
        ),
        (
            lambda: sq.Pulse(0.1, axis="x", angle=180),
            r"^pulse angle is in radians, got 180, which looks like degrees; write "
            r'"180 deg" or "pi" \(in Python also np.pi\), or 3',
        ),
        # the rule of this argument, and a remedy that works here
        (
            lambda: sq.liouvillian_gap(twisting()),
            r"^model must have jumps and .* to have a gap; this one is closed: nothing decays$",
        ),
        (
            lambda: sq.sensitivity(twisting(), UP_X, TIMES, pulses=[SIGNAL], signal=3),
            r"^signal must be the number of a pulse: there is 1 pulse, number 0; got 3$",
        ),
        (
            lambda: sq.optimise(twisting(), UP_X, TIMES, over=OVER, objective="xi3"),
            r"variable over time, got 'xi3'; did you mean 'xi2'\?$",
        ),
        # a class for an instance, a shape for a lattice, a table for a term
        (
            lambda: sq.simulate(twisting(), sq.CoherentState, TIMES),
            r"^initial_state must be a state .*, got the class CoherentState itself, not Cohere",
        ),
        (
            lambda: sq.SpinModel(4, hamiltonian=[sq.OneAxisTwisting]),
            r"^hamiltonian must hold hamiltonian terms only such as OneAxisTwisting\(1.0\), got",
        ),
        (
            lambda: sq.SpinModel(4, jumps={"term": "local_decay", "rate": 0.1}),
            r"^jumps must be a list of terms such as LocalDecay\(0.1\), got \{'term': 'local_decay",
        ),
        (lambda: sq.SpinModel((4, 4)), r"^spins must be a number, .*; write Lattice\(\(4, 4\)\)$"),
        (lambda: sq.SpinModel(sq.Lattice), r"^spins must be a number, .* the class Lattice itself"),
        (
            lambda: sq.simulate(twisting(), UP_X, TIMES, pulses={"time": 0.1}),
            r"^pulses must be a list of pulses such as Pulse\(.*, got \{'time': 0.1\}$",
        ),
        (lambda: sq.UniformField([1.0, 0.0]), r"^vector must be three numbers, got 2 numbers$"),
        (
            lambda: sq.ProductState([1.0, 0, 0]),
            r"^directions must be rows of three numbers, got 3 ",
        ),
        (
            lambda: sq.StateVector([1.0, 0, 0]),
            r"^amplitudes must be 2\^N numbers, got 3; N \+ 1 of",
        ),
        (
            lambda: sq.Readout(0.01),
            r"^Readout takes keywords only, .* by place; write Readout\(detection_error=0.01\)$",
        ),
        # files, results and studies in each other's place
        (
            lambda: sq.simulate("a.toml", UP_X),
            r"^model must .*run_study\(read_study\('a.toml'\)\)$",
        ),
        (
            lambda: sq.Study("a.toml"),
            r"^model must be a SpinModel, got 'a.toml'; read the file: read",
        ),
        (
            lambda: sq.compare(sq.Study(twisting(), initial_state=UP_X, times=TIMES), UP_X, TIMES),
            r"^model must be a SpinModel, got Study\(.*; give its .model$",
        ),
        (
            lambda: sq.sweep("a.toml"),
            r"^subject must be .* got 'a.toml'; read the file: read_study",
        ),
        (
            lambda: sq.sensitivity(result()),
            r"^subject must be .*Dataset; take the study of the resul",
        ),
        (
            lambda: sq.sweep(sq.spins_from_lab(4, chi="1 Hz")),
            r"^subject must be a SpinModel, .*; give its .model$",
        ),
        (lambda: sq.sensitivity(twisting()), r"^initial_state must be given"),
        (lambda: sq.load(3), r"^path must be the name of a file, got 3$"),
        (lambda: sq.read_study(twisting()), r"^path must be the name of a file, got SpinModel\("),
        (
            lambda: sq.save("x.nc", result()),
            r"^data must be a Dataset, got 'x.nc'; write save\(data, p",
        ),
        (lambda: sq.final_state("x.nc"), r"load the file: final_state\(load\('x.nc'\)\)$"),
        (
            lambda: sq.final_state(twisting()),
            r"^data must be a Dataset, the whole result of a run, g",
        ),
        (lambda: sq.plot.squeezing("x.nc"), r"load the file: plot.squeezing\(load\('x.nc'\)\)$"),
        (lambda: sq.plot.sweep("x.nc"), r"load the file: plot.sweep\(load\('x.nc'\)\)$"),
        (lambda: sq.plot.ellipse("x.nc"), r"load the file: plot.ellipse\(load\('x.nc'\)\)$"),
        (
            lambda: sq.plot.squeezing([1]),
            r"got list; name each: \{'exact': first, 'dtwa': second\}$",
        ),
        (lambda: sq.eliminate_cavity("x"), r"^model must be a SpinModel with a cavity, got 'x'$"),
        # what passed in silence
        (
            lambda: sq.simulate(twisting(), UP_X, TIMES, keep_state="no"),
            r"^keep_state must be True or False, got 'no'$",
        ),
        (
            lambda: sq.save(result(), "x.nc", overwrite="no"),
            r"^overwrite must be True or False, got",
        ),
        (
            lambda: sq.Study(twisting(), initial_state=UP_X, times=TIMES, method="exat"),
            r"^method 'exat' does not exist; did you mean 'exact'\?$",
        ),
        (
            lambda: sq.compare(twisting(), UP_X, TIMES, methods=["exact", sq.Exact()]),
            r"^methods must differ, got exact twice$",
        ),
        (
            lambda: sq.wigner([1.0, 0.0], theta="all", phi=[0.0]),
            r"^theta must hold numbers only, got",
        ),
    ],
)
def test_mistakes_are_one_line_with_a_remedy(call, message):
    with pytest.raises(InvalidInput, match=message):
        call()


@pytest.mark.parametrize(
    ("name", "meant"), [("dtwa", "DTWA"), ("simulat", "simulate"), ("spin_model", "SpinModel")]
)
def test_names_that_do_not_exist_have_a_neighbour(name, meant):
    message = f"^spinsqueeze has no name '{name}'; did you mean '{meant}'\\?$"
    with pytest.raises(AttributeError, match=message):
        getattr(sq, name)
    assert not hasattr(sq, "wholly_unknown_thing")


def test_a_mistake_inside_a_call_stays_what_it_is():
    def broken(_fraction):
        raise TypeError("mine")

    with pytest.raises(TypeError, match=r"^mine$") as caught:
        sq.simulate(twisting(), UP_X, TIMES, method="exact", progress=broken)
    assert type(caught.value) is TypeError


def test_whole_floats_and_scalars_are_counts():
    assert sq.SpinModel(1e5) == sq.SpinModel(100_000) == sq.SpinModel(jnp.asarray(100_000))
    assert type(sq.SpinModel(1e5).spins) is int
    assert sq.DTWA(n_trajectories=1e3) == sq.DTWA(n_trajectories=np.int64(1000))
    assert sq.SpinClass(1e3) == sq.SpinClass(1000)
    assert sq.Lattice(4.0) == sq.Lattice((4,)) == sq.Lattice((jnp.asarray(4.0),))
    assert sq.OneAxisTwisting(chi=jnp.asarray(0.5)) == sq.OneAxisTwisting(chi=0.5)


def test_a_memory_budget_in_words():
    study = sq.Study(twisting(), initial_state=UP_X, times=TIMES, memory_budget="1 GB")
    assert study.memory_budget == 1e9
    with pytest.raises(sq.TooLarge, match=r"the budget is 1 kB"):
        sq.simulate(twisting(), UP_X, TIMES, method="exact", memory_budget="1 kB")
    theta = np.linspace(0, np.pi, 3)
    state = [1.0, 0.0]
    assert np.array_equal(
        sq.wigner(state, theta=theta, phi=[0.0], memory_budget="1 GB"),
        sq.wigner(state, theta=theta, phi=[0.0]),
    )


def test_equal_models_and_studies_are_equal():
    def lattice(seed=1, values=(0.0, 1.0)):
        return sq.SpinModel(
            sq.Lattice((3, 3), filling=0.7, seed=seed),
            hamiltonian=[
                sq.PowerLawXXZ(j_perp=1.0, j_z=0.0, exponent=3),
                sq.SiteField(
                    np.ones((6, 3)), envelope=sq.Envelope([0.0, 1.0], values=list(values))
                ),
            ],
            jumps=[sq.LocalDecay(rate=0.1)],
        )

    def study(**changes):
        return sq.Study(lattice(), initial_state=UP_X, times=TIMES, **changes)

    assert lattice() == lattice()
    assert hash(lattice()) == hash(lattice())
    assert lattice() != lattice(seed=2)
    assert lattice() != lattice(values=(0.0, 2.0))
    assert twisting() != twisting(11)
    assert study() == study()
    assert hash(study()) == hash(study())
    assert study() != study(seed=1)
    assert len({lattice(), lattice(), twisting()}) == 2


def test_dir_shows_the_public_names_only():
    code = (
        "import spinsqueeze as sq; before = dir(sq); sq.simulate; sq.plot; "
        "assert dir(sq) == before; print(*before)"
    )
    found = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.split()
    assert {"simulate", "SpinModel", "plot"} <= set(found)
    assert not {"run", "core", "models", "results", "cli"} & set(found)
    assert not [name for name in found if name.startswith("_")]


def test_a_steady_state_is_one_line_in_decibels():
    model = sq.SpinModel(6, hamiltonian=[sq.Drive(0.5)], jumps=[sq.CollectiveDecay(1.0)])
    data = sq.steady_state(model, initial_state=sq.CoherentState("-z"))
    text = sq.summary(data)
    level = 10 * np.log10(float(data["xi2"]))
    expected = f"xi2 = {float(data['xi2']):.6g} ({level:.4g} dB) in the steady state"
    assert str(text).splitlines()[-1].split(maxsplit=1) == ["best", expected]
    run = sq.simulate(twisting(), UP_X, TIMES)
    assert str(sq.optimum(run)).splitlines()[0] in str(sq.summary(run))
    with pytest.raises(InvalidInput, match=r"summary\(load\('x.nc'\)\)"):
        sq.summary("x.nc")
