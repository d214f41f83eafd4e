import json

import numpy as np
import pytest
import xarray as xr

import spinsqueeze as sq
from spinsqueeze.core.errors import InvalidInput

MODEL = sq.SpinModel(8, hamiltonian=[sq.OneAxisTwisting(1.0)])
STATE = sq.CoherentState("+x")
TIMES = np.linspace(0.05, 0.4, 4)
OVER = {"hamiltonian.0.chi": [0.5, 1.0]}


def run(seed, *, n=400, model=MODEL, times=TIMES):
    return sq.simulate(model, STATE, times, method=sq.DTWA(n), seed=seed)


def swept(seed, **options):
    given = {"over": OVER, "method": sq.DTWA(40), "workers": 0, "blocks": True, **options}
    return sq.sweep(MODEL, STATE, TIMES, seed=seed, **given)


@pytest.fixture(scope="module")
def runs():
    return [run(seed) for seed in range(4)]


def test_errors_fall_as_the_root_of_the_samples(runs):
    merged = sq.merge(runs)
    ratio = merged["spin_stderr"].sel(axis="x") / runs[0]["spin_stderr"].sel(axis="x")
    assert ratio.values == pytest.approx(0.5, rel=0.2)
    mean = np.mean([r["spin"].values for r in runs], axis=0)
    assert merged["spin"].values == pytest.approx(mean, abs=1e-10)
    assert float(merged["block_weight"].sum()) == 1600
    assert json.loads(merged.attrs["seeds"]) == [0, 1, 2, 3]


def test_the_merged_truth_lies_within_its_errors(runs):
    merged = sq.merge(runs)
    exact = sq.simulate(MODEL, STATE, TIMES)["spin"].sel(axis="x")
    error = merged["spin_stderr"].sel(axis="x")
    assert float(error.max()) < 0.06
    assert float((abs(merged["spin"].sel(axis="x") - exact) / error).max()) < 5


def test_runs_count_by_their_samples():
    small, large = run(1, n=100), run(2, n=300)
    merged = sq.merge([small, large])
    mean = (100 * small["spin"] + 300 * large["spin"]) / 400
    assert merged["spin"].values == pytest.approx(mean.values, abs=1e-10)


def test_order_does_not_matter_beyond_rounding(runs):
    one, two = sq.merge(runs), sq.merge(runs[::-1])
    for name in ("xi2", "xi2_stderr", "squeezing_angle", "total_spin_squared"):
        assert one[name].values == pytest.approx(two[name].values, rel=1e-9)


def test_merging_what_is_merged(runs):
    at_once = sq.merge(runs)
    in_steps = sq.merge([sq.merge(runs[:2]), sq.merge(runs[2:])])
    assert in_steps["xi2_stderr"].values == pytest.approx(at_once["xi2_stderr"].values, rel=1e-9)
    with pytest.raises(InvalidInput, match="seed 1 once more"):
        sq.merge([sq.merge(runs[:2]), runs[1]])


def test_a_merged_result_can_be_saved_and_has_an_optimum(runs, tmp_path):
    merged = sq.merge(runs)
    sq.save(merged, tmp_path / "m.nc")
    xr.testing.assert_identical(sq.load(tmp_path / "m.nc"), merged)
    assert sq.optimum(merged).xi2_stderr < sq.optimum(runs[0]).xi2_stderr


def test_sweeps_merge_point_by_point():
    one, two = swept(1), swept(2)
    merged = sq.merge([one, two])
    assert merged["xi2"].dims == ("chi", "time")
    alone = sq.merge(
        [sq.simulate(MODEL, STATE, TIMES, method=sq.DTWA(40), seed=seed) for seed in (1, 2)]
    )
    assert np.array_equal(merged["xi2_stderr"].values[1], alone["xi2_stderr"].values)
    assert (merged["optimal_xi2_stderr"] > 0).all()
    assert merged["chi"].identical(one["chi"])
    assert (merged["status"] == "done").all()


def test_points_of_one_sweep_over_seeds_merge():
    data = swept(0, over={"run.seed": [1, 2], **OVER})
    merged = sq.merge([data.isel(seed=0, chi=1), data.isel(seed=1, chi=1)])
    alone = sq.merge([sq.simulate(MODEL, STATE, TIMES, method=sq.DTWA(40), seed=s) for s in (1, 2)])
    assert np.array_equal(merged["xi2"].values, alone["xi2"].values)
    with pytest.raises(InvalidInput, match=r"hamiltonian\.0\.chi is 0\.5 in result 1"):
        sq.merge([data.isel(seed=0, chi=0), data.isel(seed=1, chi=1)])


def test_a_failed_point_stays_failed():
    over = {"ensemble.spins": [4, 5]}
    one, two = swept(1, over=over), swept(2, over=over)
    two["status"][0] = "failed"
    two["reason"] = two["reason"].astype("<U9")
    two["reason"][0] = "it broke"
    merged = sq.merge([one, two])
    assert merged["status"].values.tolist() == ["failed", "done"]
    assert merged["reason"].values.tolist() == ["it broke", ""]
    assert np.isnan(merged["xi2"].values[0]).all()


def test_refusals(runs):
    other_model = run(9, model=sq.SpinModel(8, hamiltonian=[sq.OneAxisTwisting(2.0)]))
    exact = sq.simulate(MODEL, STATE, TIMES)
    cases = [
        ([], "at least two results"),
        ([runs[0]], "at least two results"),
        ([runs[0], 3], r"needs results, got int as number 2; load files"),
        (["a.nc", "b.nc"], r"got str as number 1; load files: merge\(\[load\('a.nc'\)"),
        (None, "needs results in a list, got NoneType"),
        ("a.nc", "needs results in a list, got str"),
        (
            [runs[0].where(runs[0]["time"] > 0.1), runs[1]],
            r"must have no dimension .*, which data\.where\(\.\.\.\) may have given it: select",
        ),
        ([runs[0], runs[0]], "seed 0 once more"),
        ([runs[0], other_model], r"hamiltonian\.0\.chi is 1\.0 in result 1 and 2\.0 in result 2"),
        ([runs[0], run(9, times=TIMES[:3])], r"run\.times"),
        ([exact, exact], "is not sampled"),
        ([runs[0], exact], "result 2 is not sampled"),
        ([runs[0], xr.Dataset()], "result 2 is not a spinsqueeze result"),
        ([swept(1), runs[0]], "result 1 sweeps chi and result 2 nothing"),
        ([swept(1), swept(2, over={"hamiltonian.0.chi": [0.5, 1.5]})], "other values of the swept"),
        ([swept(1, blocks=False), swept(2)], "run the sweep with blocks=True"),
    ]
    for datasets, message in cases:
        with pytest.raises(InvalidInput, match=message):
            sq.merge(datasets)


def test_results_at_other_times_are_refused(runs):
    cases = [
        (lambda d: d.isel(time=slice(0, 2)), lambda d: d.isel(time=slice(2, 4)),
         r"result 1 has 2 times from 0\.05 to 0\.166667 and result 2 has 2 times from 0\.28.*"
         r"\(time 0: 0\.05 and 0\.2833"),
        (lambda d: d, lambda d: d.isel(time=slice(1, 4)), "4 times from .* has 3 times from"),
        (lambda d: d.isel(time=[1]), lambda d: d.isel(time=[2]), "the time 0.166667 and result 2"),
        (lambda d: d.isel(time=1), lambda d: d.isel(time=1), r"keep it.*data\.isel\(time=\[3\]\)"),
        (lambda d: d, lambda d: d.assign_coords(time=d.time + 1e-12), "only results at the same"),
        (lambda d: d.sel(axis=["x", "y"]), lambda d: d, "must hold x, y and z along 'axis', got"),
        (lambda d: d, lambda d: d.drop_vars("block_second"), "result 2 lacks block_second"),
        (lambda d: d, lambda d: d.assign_attrs(unit="Hz"), "unit is J in result 1 and Hz in"),
    ]  # fmt: skip
    for one, two, message in cases:
        with pytest.raises(InvalidInput, match=message):
            sq.merge([one(runs[0]), two(runs[1])])


@pytest.mark.parametrize(
    "turn",
    [
        lambda d: d.sel(axis=["z", "y", "x"], axis_2=["y", "z", "x"]),
        lambda d: d.isel(time=slice(None, None, -1)),
        lambda d: d.transpose("axis_2", "axis", "block", "time"),
    ],
    ids=["axes", "times", "dimensions"],
)
def test_labels_decide_whatever_the_order(runs, turn):
    plain = sq.merge(runs[:2])
    for parts in ([turn(runs[0]), runs[1]], [runs[0], turn(runs[1])]):
        merged = sq.merge(parts)
        for name in ("spin", "covariance", "xi2", "squeezing_angle", "xi2_stderr"):
            assert merged[name].dims == plain[name].dims
            assert merged[name].values == pytest.approx(plain[name].values, rel=1e-12, abs=1e-12)
        assert np.array_equal(merged["time"], plain["time"])


def test_the_optimum_of_a_turned_result_is_the_same(runs):
    turned = runs[0].sel(axis=["z", "y", "x"], axis_2=["y", "z", "x"]).transpose()
    assert sq.optimum(turned) == sq.optimum(runs[0])
    with pytest.raises(InvalidInput, match=r"single selected time.*isel\(time=slice"):
        sq.optimum(runs[0].isel(time=1))


def test_the_same_samples_under_two_seeds_are_refused(runs):
    with pytest.raises(InvalidInput, match="results 1 and 2 hold the same samples"):
        sq.merge([runs[0], runs[0].assign_attrs(seed=77)])


def test_sweeps_at_other_times_or_with_other_companions_are_refused():
    one, two = swept(1), swept(2)
    with pytest.raises(InvalidInput, match="only results at the same times"):
        sq.merge([one.isel(time=slice(0, 2)), two.isel(time=slice(2, 4))])
    zipped = {**OVER, "hamiltonian.0.axis": ["x", "z"]}
    one, two = (swept(seed, over=zipped, zipped=[list(zipped)]) for seed in (1, 2))
    label = next(str(c) for c in one.coords if c not in one.dims and "path" in one[c].attrs)
    with pytest.raises(InvalidInput, match="other values of the swept 'chi'"):
        sq.merge([one, two.assign_coords({label: two[label][::-1].variable})])


def test_a_merged_result_names_every_device(runs):
    merged = sq.merge([runs[0], runs[1].assign_attrs(device="gpu")])
    assert merged.attrs["device"] == "cpu, gpu"
