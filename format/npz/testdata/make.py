"""Writes sample.npz: arrays of every kind that the package reads, by NumPy itself."""
import numpy as np

n = np.arange(6).reshape(2, 3)
np.savez_compressed(
    "sample.npz",
    scalar=np.float64(2.5),
    bools=np.array([True, False, True]),
    u1=n.astype("u1"),
    i1=-n.astype("i1"),
    i2=(-300 * n).astype("<i2"),
    u2_big=(300 * n).astype(">u2"),
    i4=(-70000 * n).astype("<i4"),
    u4=(4000000000 + n).astype("<u4"),
    i8=n - 2**40,
    u8=(n + 2**40).astype("<u8"),
    f2=(n / 4).astype("<f2"),
    f2_special=np.array([np.inf, -np.inf, np.nan, 6e-8, -65504], "<f2"),
    f4=(n / 4).astype("<f4"),
    f8_big=(n / 3).astype(">f8"),
    fortran=np.asfortranarray(np.arange(24.0).reshape(2, 3, 4)),
    text=np.array([["red", "grün"], ["", "blue"]]),
    text_big=np.array(["a", "bc"], dtype=">U2"),
    raw=np.array([b"one", b"three"]),
    empty=np.zeros((0, 3)),
)
