"""How close is close enough, in one table."""

from __future__ import annotations

from dataclasses import dataclass

import torch


@dataclass(frozen=True)
class Tolerance:
    """|got - expected| <= absolute + relative * |expected|."""

    relative: float
    absolute: float


# torch.testing's own figures, so that an author finds what torch's documentation says.
_BY_DTYPE = {
    torch.float16: Tolerance(1e-3, 1e-5),
    torch.bfloat16: Tolerance(1.6e-2, 1e-5),
    torch.float32: Tolerance(1.3e-6, 1e-5),
    torch.float64: Tolerance(1e-7, 1e-7),
    torch.complex32: Tolerance(1e-3, 1e-5),
    torch.complex64: Tolerance(1.3e-6, 1e-5),
    torch.complex128: Tolerance(1e-7, 1e-7),
}
_EXACT = Tolerance(0.0, 0.0)
PYTHON_FLOAT = Tolerance(1e-6, 1e-7)
"""For Python floats: they are often `.item()` of a float32."""


def tolerance_of(dtype: torch.dtype, rtol: float | None, atol: float | None) -> Tolerance:
    """The table's entry, unless both figures are given.

    Raises:
        ValueError: only one of the two is given.
    """
    if (rtol is None) != (atol is None):
        raise ValueError("agree() wants both rtol and atol, or neither")
    if rtol is not None and atol is not None:
        return Tolerance(rtol, atol) if dtype.is_floating_point or dtype.is_complex else _EXACT
    return _BY_DTYPE.get(dtype, _EXACT)
