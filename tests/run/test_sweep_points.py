import json

import numpy as np
import pytest
from tests.run.sweeping import CHI, STATE, TIMES, here

import spinsqueeze as sq
from spinsqueeze.core.errors import InvalidInput
from spinsqueeze.results.grid import point_of, sweep_dims
from spinsqueeze.run.study_file import study_from_tables


def test_a_point_can_be_run_again_from_itself(whole):
    one = point_of(whole, {"chi": 2, "rate": 1})
    study = study_from_tables(json.loads(one.attrs["study"]))
    assert study.sweep is None
    assert sq.run_study(study)["xi2"].values.tobytes() == one["xi2"].values.tobytes()


def test_point_of_asks_for_every_dimension(whole):
    with pytest.raises(InvalidInput, match="index must name chi, rate"):
        point_of(whole, {"chi": 0})


@pytest.mark.parametrize("over", [{"ensemble.spins": [4, 6]}, {CHI: [0.5, 1.5]}])
def test_a_sweep_as_a_whole_has_no_single_optimum(over):
    data = here(over=over)
    (dim,) = sweep_dims(data)
    words = rf"^data is a sweep over {dim}: select one point with data\.isel\({dim}=0\); data\['opt"
    with pytest.raises(InvalidInput, match=words):
        sq.optimum(data)


@pytest.mark.parametrize(
    "over",
    [
        {"run.times.stop": [0.3, 0.6]},
        {"run.times": [[0.0, 0.1, 0.2], [0.0, 0.15, 0.3, 0.45]]},
        {"ensemble.spins": [4, 6]},
        {CHI: [0.5, 1.5]},
    ],
    ids=["stop", "times", "spins", "chi"],
)
def test_a_selected_point_is_a_single_run(over):
    data = here(over=over)
    (dim,) = sweep_dims(data)
    for k in (0, 1):
        one = data.isel({dim: k})
        alone = sq.run_study(study_from_tables(json.loads(point_of(data, {dim: k}).attrs["study"])))
        assert sq.optimum(one) == sq.optimum(alone)
        (curve,) = [
            line for line in sq.plot.squeezing(one).axes[0].get_lines() if line.get_gid() == "curve"
        ]
        assert np.array_equal(curve.get_xdata(), alone["time"].values)


def test_a_selected_point_of_a_sampled_sweep_keeps_its_errors():
    over = {CHI: [0.5, 1.0]}
    model = sq.SpinModel(6, hamiltonian=[sq.OneAxisTwisting(1.0)])
    data = sq.sweep(model, STATE, TIMES, over=over, method=sq.DTWA(40), workers=0, seed=5)
    alone = sq.optimum(sq.simulate(model, STATE, TIMES, method=sq.DTWA(40), seed=5))
    for name, value in vars(sq.optimum(data.isel(chi=1))).items():
        expected = getattr(alone, name)
        exact = expected is None or isinstance(expected, str)
        assert value == (expected if exact else pytest.approx(expected, rel=1e-12)), name
    part = sq.optimum(data.isel(chi=1, time=slice(0, 3)))  # another optimum than the stored one
    assert part.time <= TIMES[2]
    assert part.xi2_stderr > 0
    assert part.time_stderr is None


def test_a_failed_point_has_no_optimum():
    data = here(over={"ensemble.spins": [4, 6]}).copy()
    data["status"] = ("spins", ["done", "failed"])
    data["reason"] = ("spins", ["", "too hot"])
    with pytest.raises(InvalidInput, match=r"^this point of a sweep failed: too hot$"):
        sq.optimum(data.isel(spins=1))


def test_the_seed_of_the_lattice_is_not_that_of_the_run():
    model = sq.SpinModel(
        sq.Lattice((3, 3), filling=0.5, seed=1),
        hamiltonian=[sq.PowerLawXXZ(j_perp=2.0, j_z=-2.0, exponent=3)],
    )

    def swept(seed):
        return sq.sweep(
            model, STATE, TIMES, over={"ensemble.seed": [11, 12]}, method=sq.DTWA(20),
            workers=0, seed=seed, blocks=True,
        )  # fmt: skip

    one, two = swept(1), swept(2)
    assert sweep_dims(one) == ("ensemble_seed",)
    assert one.attrs["seed"] == 1
    assert point_of(one, {"ensemble_seed": 0}).attrs["seed"] == 1
    assert json.loads(sq.merge([one, two]).attrs["seeds"]) == [1, 2]
    assert json.loads(
        sq.merge([one.isel(ensemble_seed=0), two.isel(ensemble_seed=0)]).attrs["seeds"]
    )


def test_a_point_of_a_sweep_merges_with_a_single_run():
    model = sq.SpinModel(6, hamiltonian=[sq.OneAxisTwisting(1.0)])
    data = sq.sweep(
        model, STATE, TIMES, over={CHI: [0.5, 1.0]}, method=sq.DTWA(40), workers=0, blocks=True
    )
    more = sq.simulate(model, STATE, TIMES, method=sq.DTWA(40), seed=9)
    assert json.loads(sq.merge([data.isel(chi=1), more]).attrs["seeds"]) == [0, 9]
