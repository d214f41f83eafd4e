"""What to cite with a result: the package and the sources of its methods."""

import re

import numpy as np
import pytest
import xarray as xr

import spinsqueeze as sq
from spinsqueeze.cli.main import main
from spinsqueeze.core.errors import InvalidInput

TWISTING = sq.SpinModel(6, hamiltonian=[sq.OneAxisTwisting(1.0)])
TIMES = np.linspace(0.0, 0.4, 5)


def keys_of(text):
    return re.findall(r"^@\w+\{(\w+),", text, flags=re.M)


@pytest.fixture(scope="module")
def run():
    return sq.simulate(TWISTING, sq.CoherentState("+x"), TIMES, method="symmetric")


def test_a_run_cites_the_package_and_the_sources_of_its_method(run):
    text = sq.bibtex(run)
    assert keys_of(text) == ["spinsqueeze", "kitagawa1993", "hochbruck1997"]
    assert f"version = {{{run.attrs['spinsqueeze_version']}}}" in text
    assert text.count("{") == text.count("}")
    assert "Squeezed spin states" in text


def test_the_package_is_cited_by_the_title_of_the_citation_file(run, pytestconfig):
    citation = (pytestconfig.rootpath / "CITATION.cff").read_text(encoding="utf-8")
    (title,) = re.findall('^title: "(.*)"$', citation, flags=re.M)
    text = sq.bibtex(run)
    assert f"title   = {{{title}}}" in text
    assert re.findall("^ +- name: (.*)$", citation, flags=re.M) == ['"spinsqueeze developers"']
    assert "author  = {{spinsqueeze developers}}" in text


def test_a_sweep_by_several_methods_cites_all_of_them():
    data = sq.sweep(
        TWISTING,
        sq.CoherentState("+x"),
        TIMES,
        method="symmetric",
        over={"method.name": ["symmetric", "cumulants"]},
        workers=0,
    )
    assert keys_of(sq.bibtex(data)) == [
        "spinsqueeze",
        "kitagawa1993",
        "hochbruck1997",
        "kubo1962",
        "tucker2020",
    ]


def test_the_command_prints_the_same(run, tmp_path, capsys):
    sq.save(run, tmp_path / "run.nc")
    assert main(["info", str(tmp_path / "run.nc"), "--bibtex"]) == 0
    assert capsys.readouterr().out == sq.bibtex(run) + "\n"


def test_what_names_no_references_is_refused():
    with pytest.raises(InvalidInput, match="a result with its references"):
        sq.bibtex(xr.Dataset())
    with pytest.raises(InvalidInput, match=r"bibtex\(load\('run.nc'\)\)"):
        sq.bibtex("run.nc")
