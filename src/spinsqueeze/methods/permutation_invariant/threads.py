"""BLAS on one thread while the many small dense products of this method run."""

from spinsqueeze.numerics.blas_threads import on_one_thread as on_one_thread
from spinsqueeze.numerics.blas_threads import one_thread as one_thread
