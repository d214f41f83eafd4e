"""Vector instructions for `lanes`: small Fourier transforms of rows of 64 bytes.

Each function below is compiled in place by numba. Addresses and strides are integers, in bytes;
the last operand, a 1 of the wanted type, says whether a row is 16 float32 or 8 float64.
numba's cache on disk watches `lanes.py` alone: after a change here, touch that file too.
"""

import math
from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

_INT = ir.IntType(64)
_INDEX = ir.IntType(32)
_ROW = 64


class _Rows:
    """Emits loads, stores and complex arithmetic on rows of one type."""

    def __init__(self, builder: Any, one: Any) -> None:
        self.builder = builder
        double = one == types.float64
        self.bytes = 8 if double else 4
        self.number = ir.DoubleType() if double else ir.FloatType()
        self.row = ir.VectorType(self.number, _ROW // self.bytes)

    def constant(self, value: float) -> Any:
        rounded = value if self.bytes == 8 else float(np.float32(value))
        return ir.Constant(self.row, [rounded] * self.row.count)

    def load(self, address: Any) -> Any:
        pointer = self.builder.inttoptr(address, self.row.as_pointer())
        return self.builder.load(pointer, align=self.bytes)

    def store(self, row: Any, address: Any) -> None:
        pointer = self.builder.inttoptr(address, self.row.as_pointer())
        self.builder.store(row, pointer, align=self.bytes)

    def offset(self, address: Any, stride: Any, k: int) -> Any:
        return self.builder.add(address, self.builder.mul(stride, ir.Constant(_INT, k)))

    def spread(self, address: Any, k: int) -> Any:
        """The number k places after an address, on all lanes."""
        place = self.builder.add(address, ir.Constant(_INT, k * self.bytes))
        value = self.builder.load(self.builder.inttoptr(place, self.number.as_pointer()))
        nothing = ir.Constant(self.row, ir.Undefined)
        first = self.builder.insert_element(nothing, value, ir.Constant(_INDEX, 0))
        zeros = ir.Constant(ir.VectorType(_INDEX, self.row.count), [0] * self.row.count)
        return self.builder.shuffle_vector(first, nothing, zeros)

    def plus(self, x: Any, y: Any) -> Any:
        return self.builder.fadd(x, y, flags=("contract",))

    def minus(self, x: Any, y: Any) -> Any:
        return self.builder.fsub(x, y, flags=("contract",))

    def times(self, x: Any, y: Any) -> Any:
        return self.builder.fmul(x, y, flags=("contract",))

    def add(self, x: Any, y: Any) -> Any:
        return self.plus(x[0], y[0]), self.plus(x[1], y[1])

    def subtract(self, x: Any, y: Any) -> Any:
        return self.minus(x[0], y[0]), self.minus(x[1], y[1])

    def subtract_i(self, x: Any, y: Any) -> Any:
        """Emit x - i y."""
        return self.plus(x[0], y[1]), self.minus(x[1], y[0])

    def add_i(self, x: Any, y: Any) -> Any:
        """Emit x + i y."""
        return self.minus(x[0], y[1]), self.plus(x[1], y[0])

    def scale(self, factor: Any, x: Any) -> Any:
        return self.times(factor, x[0]), self.times(factor, x[1])

    def multiply(self, x: Any, y: Any) -> Any:
        return (
            self.minus(self.times(x[0], y[0]), self.times(x[1], y[1])),
            self.plus(self.times(x[0], y[1]), self.times(x[1], y[0])),
        )

    def transform(self, x: list[Any]) -> list[Any]:
        """y_k = sum_j exp(-2 pi i j k / r) x_j, r = len(x) = 2, 4, 8 or an odd prime."""
        r = len(x)
        if r == 2:
            return [self.add(*x), self.subtract(*x)]
        if r % 2 == 1:
            return self._odd(x)
        even, odd = self.transform(x[::2]), self.transform(x[1::2])
        low, high = [], []
        for k, (e, o) in enumerate(zip(even, odd, strict=True)):
            if k == 0:
                low.append(self.add(e, o))
                high.append(self.subtract(e, o))
            elif 4 * k == r:
                low.append(self.subtract_i(e, o))
                high.append(self.add_i(e, o))
            else:
                # r = 8: the factors for k = 1, 3 are (1 - i)/sqrt 2 and -(1 + i)/sqrt 2.
                half = self.constant(math.sqrt(0.5))
                if k == 1:
                    turned = self.scale(half, self.subtract_i(o, o))
                    low.append(self.add(e, turned))
                    high.append(self.subtract(e, turned))
                else:
                    turned = self.scale(half, self.add_i(o, o))
                    low.append(self.subtract(e, turned))
                    high.append(self.add(e, turned))
        return low + high

    def _odd(self, x: list[Any]) -> list[Any]:
        r = len(x)
        half = (r - 1) // 2
        sums = [self.add(x[j], x[r - j]) for j in range(1, half + 1)]
        differences = [self.subtract(x[j], x[r - j]) for j in range(1, half + 1)]
        y: list[Any] = [x[0]] + [None] * (r - 1)
        for s in sums:
            y[0] = self.add(y[0], s)
        for k in range(1, half + 1):
            even, odd = x[0], None
            for j in range(1, half + 1):
                angle = 2 * math.pi * j * k / r
                even = self.add(even, self.scale(self.constant(math.cos(angle)), sums[j - 1]))
                part = self.scale(self.constant(math.sin(angle)), differences[j - 1])
                odd = part if odd is None else self.add(odd, part)
            y[k], y[r - k] = self.subtract_i(even, odd), self.add_i(even, odd)
        return y


def _radix(r: int) -> Any:
    def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        source, source_i, step, target, target_i, stride, factors, _ = arguments
        rows = _Rows(builder, signature.args[-1])
        x = [
            (rows.load(rows.offset(source, step, k)), rows.load(rows.offset(source_i, step, k)))
            for k in range(r)
        ]
        for k, value in enumerate(rows.transform(x)):
            if k > 0:
                factor = rows.spread(factors, 2 * k - 2), rows.spread(factors, 2 * k - 1)
                value = rows.multiply(value, factor)
            rows.store(value[0], rows.offset(target, stride, k))
            rows.store(value[1], rows.offset(target_i, stride, k))
        return context.get_dummy_value()

    def typed(
        _context: Any, _a: Any, _b: Any, _c: Any, _d: Any, _e: Any, _f: Any, _g: Any, one: Any
    ) -> Any:
        return types.void(*[types.int64] * 7, one), emit

    return intrinsic(typed)


radix_2, radix_3, radix_4, radix_5, radix_8 = (_radix(r) for r in (2, 3, 4, 5, 8))


@intrinsic
def move_row(_context: Any, _target: Any, _source: Any, one: Any) -> Any:
    """Copy a row to an address, the first operand, from another."""

    def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        rows = _Rows(builder, signature.args[-1])
        rows.store(rows.load(arguments[1]), arguments[0])
        return context.get_dummy_value()

    return types.void(types.int64, types.int64, one), emit


@intrinsic
def clear_row(_context: Any, _target: Any, one: Any) -> Any:
    """Set the row at an address to 0."""

    def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        rows = _Rows(builder, signature.args[-1])
        rows.store(rows.constant(0.0), arguments[0])
        return context.get_dummy_value()

    return types.void(types.int64, one), emit


@intrinsic
def scale_row(_context: Any, _target: Any, _factor: Any, one: Any) -> Any:
    """Multiply the row at an address, the first operand, by the number at another."""

    def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        rows = _Rows(builder, signature.args[-1])
        scaled = rows.times(rows.load(arguments[0]), rows.spread(arguments[1], 0))
        rows.store(scaled, arguments[0])
        return context.get_dummy_value()

    return types.void(types.int64, types.int64, one), emit


@intrinsic
def load_integer(_context: Any, _address: Any) -> Any:
    """The 64-bit integer at an address."""

    def emit(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        return builder.load(builder.inttoptr(arguments[0], _INT.as_pointer()))

    return types.int64(types.int64), emit


@intrinsic
def store_integer(_context: Any, _address: Any, _value: Any) -> Any:
    """Write a 32-bit integer to an address, the first operand."""

    def emit(context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        short = builder.trunc(arguments[1], _INDEX)
        builder.store(short, builder.inttoptr(arguments[0], _INDEX.as_pointer()))
        return context.get_dummy_value()

    return types.void(types.int64, types.int64), emit


@intrinsic
def call(
    _context: Any, _address: Any, _a: Any, _b: Any, _c: Any, _d: Any, _e: Any, _f: Any, _g: Any,
    _h: Any, _i: Any, _j: Any, _k: Any, _l: Any, _m: Any, _n: Any, _o: Any, one: Any,
) -> Any:  # fmt: skip
    """Call the function at an address, the first operand, with fifteen integers and a 1."""

    def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        number = _Rows(builder, signature.args[-1]).number
        function = ir.FunctionType(ir.VoidType(), [_INT] * 15 + [number])
        builder.call(builder.inttoptr(arguments[0], function.as_pointer()), arguments[1:])
        return context.get_dummy_value()

    return types.void(*[types.int64] * 16, one), emit
