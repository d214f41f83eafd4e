"""exp(t A) y by projection on Krylov spaces: four algorithms, for four kinds of A and y.

* `matrix_free`: exp(-i H t) psi for an operator on 2^N amplitudes. Memory holds few vectors: short
  recurrences without reorthogonalisation, a bound of the error that holds without it, and a step
  chosen after the basis is built.
* `orthogonal`: exp(-i H t) psi for a sparse H. Vectors are cheap: the basis is orthogonal to
  rounding, so that it ends where the energies of the state do, and many times cost one product.
* `polynomial`: exp(t A) y for a real sparse A that need not be normal, at moderate times.
* `rational`: the same for stiff, long runs, at one sparse LU for every decade or so of time.

The last two share the Arnoldi basis (`arnoldi`).
"""
