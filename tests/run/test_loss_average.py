"""The average over random losses against the whole master equation of spins with a third level."""

from functools import reduce

import numpy as np
import pytest
from scipy import sparse
from scipy.sparse.linalg import expm_multiply

import spinsqueeze as sq

CHI, RABI, DECAY = 0.9, 0.6, 0.3
TIMES = np.linspace(0.0, 1.2, 5)
RATE = 0.5
UP, DOWN, LOST = np.eye(3)
SPIN = (
    0.5 * (np.outer(UP, DOWN) + np.outer(DOWN, UP)),
    -0.5j * (np.outer(UP, DOWN) - np.outer(DOWN, UP)),
    0.5 * (np.outer(UP, UP) - np.outer(DOWN, DOWN)),
)


def on(n_spins, site, matrix):
    parts = [matrix if i == site else np.eye(3) for i in range(n_spins)]
    return sparse.csr_array(reduce(sparse.kron, parts))


def with_third_level(n_spins, rate):
    """N, <S_a> and <{S_a, S_b}>/2 at TIMES: 3^N levels, rate D[|lost><s|] of every spin."""
    sites = range(n_spins)
    s = [[on(n_spins, i, matrix) for i in sites] for matrix in SPIN]
    S = [sum(of_one) for of_one in s]
    there = sum(on(n_spins, i, np.diag(UP + DOWN)) for i in sites)
    jumps = [np.sqrt(DECAY) * (s[0][i] - 1j * s[1][i]) for i in sites]
    for level in (UP, DOWN):
        jumps += [np.sqrt(rate) * on(n_spins, i, np.outer(LOST, level)) for i in sites]
    H = CHI * S[2] @ S[2] + RABI * S[1]
    one = sparse.eye_array(3**n_spins)
    leak = -1j * H - 0.5 * sum(L.conj().T @ L for L in jumps)
    L = sparse.kron(leak, one) + sparse.kron(one, leak.conj())
    L = sparse.csr_array(L + sum(sparse.kron(jump, jump.conj()) for jump in jumps))
    plus = (UP + DOWN) / np.sqrt(2)
    psi = reduce(np.kron, [plus] * n_spins)
    rho = np.outer(psi, psi).ravel().astype(complex)
    states = expm_multiply(L, rho, start=0.0, stop=TIMES[-1], num=len(TIMES), endpoint=True)
    states = states.reshape(-1, 3**n_spins, 3**n_spins)

    def mean(operator):
        return np.einsum("ij,tji->t", operator.toarray(), states).real

    first = np.stack([mean(a) for a in S], axis=-1)
    second = np.array([[mean((a @ b + b @ a) / 2) for a in S] for b in S]).transpose(2, 0, 1)
    return mean(there), first, second


def exact(n_spins, rate):
    """What an observer who does not know the losses finds."""
    left, spin, second = with_third_level(n_spins, rate)
    covariance = second - spin[:, :, None] * spin[:, None, :]
    length = np.linalg.norm(spin, axis=-1)
    least = []
    for mean, matrix in zip(spin, covariance, strict=True):
        plane = np.linalg.svd(mean[None])[2][1:]
        least.append(np.linalg.eigvalsh(plane @ matrix @ plane.T)[0])
    return {
        "spins_left": left,
        "spin": spin,
        "covariance": covariance,
        "total_spin_squared": np.trace(second, axis1=1, axis2=2),
        "contrast": 2 * length / left,
        "xi2_kitagawa_ueda": 4 * np.array(least) / left,
        "xi2": left * np.array(least) / length**2,
    }


def model(n_spins):
    hamiltonian = [sq.OneAxisTwisting(CHI), sq.UniformField([0, RABI, 0])]
    return sq.SpinModel(n_spins, hamiltonian=hamiltonian, jumps=[sq.LocalDecay(DECAY)])


def sampled(n_spins, seed=0, runs=20):
    return sq.simulate_losses(
        model(n_spins), sq.CoherentState("+x"), TIMES, loss_rate=RATE, runs=runs, seed=seed
    )
if __name__ == "__main__":
    import time
    for n in (2,3,4):
        t=time.time(); e=exact(n,RATE); print(n,time.time()-t)
        t=time.time(); d=sampled(n,runs=400); print(n,time.time()-t, d.attrs["error_kind"], d.attrs["numerical_error"])
        for k,v in e.items():
            z=(d[k].values-v); s=d[k+"_stderr"].values
            print(k, np.round(np.where(s>1e-12, z/np.where(s>0,s,1),0),1).tolist(), float(abs(z[0]).max()), float((s/ (abs(v)+1e-9)).max()))
