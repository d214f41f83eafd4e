"""Habits of Python: wrong keywords, whole floats, scalars of jax, files in place of results."""

import inspect
import subprocess
import sys

import jax.numpy as jnp
import numpy as np
import pytest

import spinsqueeze as sq
from spinsqueeze.core.errors import InvalidCall, InvalidInput

TIMES = np.linspace(0.0, 0.5, 6)
UP_X = sq.CoherentState("+x")


def twisting(n=10):
    return sq.SpinModel(n, hamiltonian=[sq.OneAxisTwisting(chi=1.0)])


def public_calls():
    for name in dir(sq):
        value = getattr(sq, name)
        is_error = inspect.isclass(value) and issubclass(value, Exception | int)
        if callable(value) and not is_error:
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
            r"^SpinModel takes spins by place .*, got 2 arguments; write",
        ),
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
    ],
)
def test_mistakes_are_one_line_with_a_remedy(call, message):
    with pytest.raises(InvalidInput, match=message):
        call()


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
