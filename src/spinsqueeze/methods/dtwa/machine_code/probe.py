"""A child process that tries the machine code: `python -m ...machine_code.probe float32`.

It may crash, hang or be wrong without harm to the process that asks (`verdict`). Its last line on
standard output is the largest error against numpy, relative to the largest value and in units of
the rounding of `dtype`.
"""

import contextlib
import sys

import numpy as np


def error_in_roundings(dtype: str) -> float:
    """A convolution that takes every path: all radices, axes with and without padding, odd counts.

    Three fields are one pair and one that pairs its own vectors, of which there are three.
    """
    import jax

    from spinsqueeze.methods.dtwa.machine_code import lanes
    from spinsqueeze.methods.dtwa.machine_code.sizes import lanes as lanes_of
    from spinsqueeze.methods.dtwa.precision import double_precision

    shape, embedding, n_samples = (5, 8, 3), (10, 8, 12), 3 * lanes_of(dtype)
    rng = np.random.default_rng(0)
    u = rng.normal(size=(3, 5 * 8 * 3, n_samples)).astype(dtype)
    table = rng.normal(size=embedding)
    table = table + np.roll(table[::-1, ::-1, ::-1], 1, axis=(0, 1, 2))
    spectrum = np.fft.fftn(table).real
    grid = u.reshape(3, *shape, n_samples)
    turned = np.fft.fftn(grid, embedding, axes=(1, 2, 3)) * spectrum[..., None]
    expected = np.fft.ifftn(turned, axes=(1, 2, 3)).real[:, :5, :8, :3].reshape(u.shape)
    with double_precision():
        found = jax.jit(
            lambda fields, s, line: lanes.convolve(
                list(fields), s, line=line, shape=shape, embedding=embedding
            )
        )(tuple(u), spectrum.astype(dtype), np.int64(lanes.line_address(dtype)))
    error = np.abs(np.stack(found) - expected).max() / np.abs(expected).max()
    return float(error / np.finfo(dtype).eps)


def main() -> None:
    """Try the dtype of the command line."""
    with contextlib.suppress(ImportError, ValueError, OSError):
        import resource

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # a crash leaves no file behind
    print(error_in_roundings(sys.argv[1]))


if __name__ == "__main__":
    main()
