import numpy as np
import pytest
from tests.run.sweeping import CHI, OVER, RATE, STATE, TIMES, here

import spinsqueeze as sq
from spinsqueeze.core.errors import InvalidInput
from spinsqueeze.run import cluster as dask_cluster
from spinsqueeze.run.lines import points_and_best
from spinsqueeze.run.study_file import study_from_tables


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"over": None}, "over must name what to sweep"),
        ({"over": [1, 2]}, "over must map dotted paths to values"),
        ({"over": {}}, "over: is empty"),
        ({"over": {"chi": [1.0]}}, r"over\.chi: .*; did you mean hamiltonian\.0\.chi\?$"),
        (
            {"over": {"ensemble.spins": np.logspace(1, 2, 3)}},
            r'must be an integer, got 31.6.*; \{start, stop, num, spacing = "log"\} is rounded',
        ),
        ({"over": {"hamiltonian.3.chi": [1.0]}}, "has entries 0 to 0"),
        ({"over": {CHI: ["big"]}}, r"over\.hamiltonian\.0\.chi: value 'big'"),
        ({"over": {CHI: [1.0, 1.0]}}, "must not repeat a value"),
        ({"over": {CHI: []}}, "at least one value"),
        ({"over": {CHI: [1.0, 2.0], RATE: [1.0]}, "zipped": True}, "equally many values"),
        ({"zipped": [["a.b", CHI]]}, r"'a\.b' is not swept"),
        ({"zipped": [[CHI], [CHI]]}, "one group only"),
        ({"zipped": "ab"}, "groups of paths"),
        ({"workers": -1}, "workers must be at least 0"),
        ({"progress": 3}, "progress must be a function"),
        ({"workers": 1, "memory_limit": "lots"}, "memory_limit must be a size"),
        ({"patience": 0}, "patience must be above 0, got 0"),
        ({"patience": "long"}, "patience must be a real number, got 'long'"),
        ({"scheduler": "tcp://127.0.0.1:9"}, r"scheduler tcp://127\.0\.0\.1:9 does not answer"),
    ],
)
def test_mistakes_are_named(options, message, monkeypatch):
    monkeypatch.setattr(dask_cluster, "ANSWER", 0.5)
    with pytest.raises(InvalidInput, match=message):
        here(**options)


def test_wrong_subjects():
    with pytest.raises(InvalidInput, match="subject must be a SpinModel, a Study"):
        sq.sweep(3, over=OVER)
    tables = {"ensemble": {"spins": 3}, "initial_state": {"coherent": "+x"}, "run": {"times": [1]}}
    with pytest.raises(InvalidInput, match="the study's own"):
        sq.sweep(tables, STATE, TIMES, over=OVER)


def test_a_path_into_what_the_study_leaves_out_is_refused_in_one_line():
    tables = {
        "ensemble": {"spins": 4},
        "hamiltonian": [{"term": "two_axis_twisting", "chi": 1.0, "axes": ["x", "y"]}],
        "initial_state": {"coherent": "+z"},
        "run": {"times": [0.0, 0.1]},
        "sweep": {"hamiltonian.0.axes.0": ["x", "z"]},
    }
    with pytest.raises(InvalidInput, match=r"^sweep\.hamiltonian\.0\.axes\.0: there is no axes in"):
        sq.sweep(study_from_tables(tables), workers=0)


@pytest.mark.parametrize("values", [[1, 1.0], [0.0, -0.0], [2.0, 2.0]])
def test_alike_values_are_refused(values):
    with pytest.raises(InvalidInput, match=r"^over\.hamiltonian\.0\.chi: must not repeat a value"):
        here(over={CHI: values})


def test_a_logarithmic_range_of_a_count_is_rounded_to_whole_numbers_and_said():
    spins, chi = "ensemble.spins", "hamiltonian.0.chi"
    tables = {
        "ensemble": {"spins": 10},
        "hamiltonian": [{"term": "one_axis_twisting", "chi": 1.0}],
        "initial_state": {"coherent": "+x"},
        "run": {"times": [0.1]},
    }

    def swept(path, **options):
        spec = {"num": 9, "spacing": "log", **options}
        return study_from_tables({**tables, "sweep": {path: spec}}).sweep[path]

    assert swept(spins, start=10, stop=100000) == [
        10, 32, 100, 316, 1000, 3162, 10000, 31623, 100000
    ]  # fmt: skip
    assert swept(spins, start=20.0, stop=1) == [20, 14, 9, 7, 4, 3, 2, 1]
    assert swept(chi, start=1, stop=20) == np.geomspace(1, 20, 9).tolist()
    with pytest.raises(
        InvalidInput, match=r"sweep.ensemble.spins: value 1.5: .*must be an integer"
    ):
        swept(spins, start=1.5, stop=20)
    over = {spins: {"start": 10, "stop": 1000, "num": 5, "spacing": "log"}}
    data = sq.sweep(study_from_tables(tables), over=over, workers=0)
    report = "spins = 10, 32, 100, 316, 1000 (log-spaced, in whole numbers)"
    assert report in list(points_and_best(data))
    linear = {spins: {"start": 1, "stop": 20, "num": 20}}
    data = sq.sweep(study_from_tables(tables), over=linear, workers=0)
    assert not any("log-spaced" in text for text in points_and_best(data))
    data = sq.sweep(study_from_tables(tables), over={spins: [10, 20, 300]}, workers=0)
    assert not any("log-spaced" in text for text in points_and_best(data))


def lab_study(**parts):
    return {
        "ensemble": {"shape": [2, 2], "boundary": "open"},
        "lab": {"spacing": "5 um", "c6": "863 GHz um^6", "time_unit": "ns"},
        "initial_state": {"coherent": "+x"},
        "run": {"times": [0.1, "2 ns"]},
        **parts,
    }


def test_ranges_between_texts_and_times_as_texts():
    def swept(**ends):
        return study_from_tables(lab_study(sweep={"lab.spacing": ends})).sweep["lab.spacing"]

    assert swept(start="4 um", stop="8 µm", num=3) == ["4 um", "6 um", "8 um"]
    assert swept(start="1 um", stop="100 um", num=3, spacing="log") == ["1 um", "10 um", "100 um"]
    with pytest.raises(
        InvalidInput, match=r"spacing\.stop: must have the unit of start, 'um', got"
    ):
        swept(start="4 um", stop="8000 nm", num=3)
    with pytest.raises(InvalidInput, match=r"spacing\.stop: must be a text .*got 8; or list the v"):
        swept(start="4 um", stop=8, num=3)
    with pytest.raises(
        InvalidInput, match=r"\.step: unknown key of a range; did you mean num, how"
    ):
        swept(start="4 um", stop="8 um", step=1)
    assert study_from_tables(lab_study()).times.tolist() == [0.1, 2.0]
    times = {"start": 0, "stop": "0.004 us", "num": 3}
    study = study_from_tables(lab_study(run={"times": times}))
    assert study.times.tolist() == [0.0, 2.0, 4.0]
    with pytest.raises(
        InvalidInput, match=r"^run\.times\.stop: must be a time such as '5 us', got"
    ):
        study_from_tables(lab_study(run={"times": {"start": 0, "stop": "4 um", "num": 3}}))
    plain = lab_study(hamiltonian=[{"term": "van_der_waals", "c6": 1.0}])
    del plain["lab"]
    with pytest.raises(
        InvalidInput, match=r"^run\.times: must be a number in one over 'J', .*\[lab"
    ):
        study_from_tables(plain)
