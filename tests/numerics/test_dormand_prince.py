import numpy as np

from spinsqueeze.numerics import dormand_prince as tableau


def test_stages_sit_at_their_nodes():
    for r in range(1, tableau.N_ALL_STAGES):
        assert abs(sum(tableau.STAGES[r].values()) - tableau.NODES[r]) < 1e-13


def test_step_integrates_polynomials_to_degree_seven():
    c = np.array(tableau.NODES)
    for degree in range(8):
        value = sum(b * c[j] ** degree for j, b in tableau.STAGES[tableau.N_STAGES].items())
        assert abs(value - 1 / (degree + 1)) < 1e-13


def test_dense_output_integrates_polynomials_to_degree_six():
    c = np.array(tableau.NODES)
    x = np.linspace(0, 1, 11)
    for degree in range(7):
        value = tableau.dense_weights(x) @ c**degree
        assert np.allclose(value, x ** (degree + 1) / (degree + 1), atol=1e-13)


def test_dense_output_ends_in_the_step():
    weights = tableau.dense_weights(np.array([0.0, 1.0]))
    assert np.all(np.abs(weights[0]) < 1e-15)
    step = np.zeros(16)
    step[list(tableau.STAGES[tableau.N_STAGES])] = list(tableau.STAGES[tableau.N_STAGES].values())
    assert np.allclose(weights[1], step, atol=1e-15)
    assert np.all(np.abs(weights[1][12:]) < 1e-15)
