import os
import re
import subprocess
import sys

import pytest

import spinsqueeze as sq
from spinsqueeze.core.errors import Unsupported
from spinsqueeze.numerics import forks

FORKED = r"forked after its parent had started the threads of {}.*get_context\('spawn'\)"
MODELS = {
    "jax": ([sq.PowerLawXXZ(j_perp=1.0, j_z=0.3, exponent=3)], sq.DTWA(20)),
    "numba": ([sq.PowerLawXXZ(j_perp=0.0, j_z=0.3, exponent=3)], sq.ClosedForm()),
}


@pytest.mark.parametrize("pool", MODELS)
def test_a_run_that_would_hang_in_a_forked_process_says_so(pool, monkeypatch):
    terms, method = MODELS[pool]
    model = sq.SpinModel(sq.Lattice((3, 3)), hamiltonian=terms)
    sq.simulate(model, sq.CoherentState("+x"), [0.1], method=method)
    parent = os.getpid()
    assert forks._STARTED_IN[pool] == parent
    monkeypatch.setattr(forks.os, "getpid", lambda: parent + 1)
    with pytest.raises(Unsupported, match=FORKED.format(pool)):
        sq.simulate(model, sq.CoherentState("+x"), [0.1], method=method)


PROGRAM = """
import os, sys
from spinsqueeze.core.errors import Unsupported
from spinsqueeze.numerics.forks import require_own_threads
if {first}:
    require_own_threads("jax")
child = os.fork()
if child:
    os.waitpid(child, 0)
    require_own_threads("jax")
else:
    try:
        require_own_threads("numba")
        require_own_threads("jax")
        print("fine", flush=True)
    except Unsupported as error:
        print(error, flush=True)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.parametrize(("first", "expected"), [(False, "fine"), (True, FORKED.format("jax"))])
def test_a_real_fork_is_seen(first, expected):
    command = [sys.executable, "-c", PROGRAM.format(first=first)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert re.search(expected, done.stdout)
