"""The small sweep of 3 x 4 points that most tests of sweeps run."""

import textwrap

import numpy as np
import xarray as xr

import spinsqueeze as sq
from spinsqueeze.run import local

MODEL = sq.SpinModel(6, hamiltonian=[sq.OneAxisTwisting(1.0)], jumps=[sq.LocalDephasing(0.1)])
STATE = sq.CoherentState("+x")
TIMES = np.linspace(0.0, 0.6, 5)
CHI = "hamiltonian.0.chi"
RATE = "jumps.0.rate"
OVER = {CHI: [0.5, 1.0, 1.5], RATE: {"start": 0.01, "stop": 1.0, "num": 4, "spacing": "log"}}


def identical(a, b):
    xr.testing.assert_identical(a, b)
    for name in a.variables:
        assert a[name].values.tobytes() == b[name].values.tobytes()
    return True


def here(**options):
    return sq.sweep(MODEL, STATE, TIMES, **{"over": OVER, "workers": 0, **options})


def with_worker(monkeypatch, program):
    """Let the workers run a program of the test's own."""

    def launch(pool, command, environment):
        return original(pool, [*command[:-1], textwrap.dedent(program)], environment)

    original = local._Pool.launch
    monkeypatch.setattr(local._Pool, "launch", launch)
