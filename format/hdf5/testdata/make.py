"""Makes the files beside it and want.json, what h5py reads in them: python3 make.py

Needs h5py (Debian: python3-h5py). With the argument `read FILE` it prints what is in a file.
"""
import ctypes
import json
import sys

import h5py
import numpy as np


def kind(t):
    if h5py.check_string_dtype(t):
        n = h5py.check_string_dtype(t).length
        return "string" if n is None else f"string[{n}]"
    if h5py.check_vlen_dtype(t):
        return "[]" + kind(h5py.check_vlen_dtype(t))
    if t == np.bool_:
        return "bool"
    if h5py.check_enum_dtype(t):
        names = sorted(h5py.check_enum_dtype(t).items())
        return "enum{" + ",".join(f"{k}={v}" for k, v in names) + "}"
    return t.name


def plain(v):
    if isinstance(v, h5py.Empty):
        return []
    if isinstance(v, bytes):
        return v.decode("utf8")
    if isinstance(v, np.ndarray):
        return [plain(x) for x in v.ravel().tolist()] if v.dtype != object else [plain(x) for x in v.ravel()]
    if isinstance(v, np.generic):
        return plain(v.item())
    return v


def listed(v):
    v = plain(v)
    return v if isinstance(v, list) else [v]


def array(name, dtype, shape, value):
    if h5py.check_vlen_dtype(dtype) and isinstance(value, np.ndarray) and value.dtype != object:
        value = [value]
    return {"name": name, "type": kind(dtype), "shape": list(shape or []), "values": listed(value) if not isinstance(value, list) else [plain(x) for x in value]}


def attributes(o):
    out = []
    for k in sorted(o.attrs):
        a = o.attrs.get_id(k)
        value = o.attrs[k]
        if h5py.check_vlen_dtype(a.dtype) and a.shape == ():
            value = [value]
        out.append(array(k, a.dtype, a.shape, value))
    return out


def content(path):
    out = []

    def visit(name, o):
        row = {"name": name}
        if isinstance(o, h5py.Dataset):
            row = array(name, o.dtype, o.shape, o[()])
        row["attributes"] = attributes(o)
        out.append(row)

    with h5py.File(path) as f:
        visit("", f)
        f.visititems(visit)
    return out


def types(f):
    f.attrs["one"] = 1
    f.attrs["text"] = "größer"
    f.attrs["fixed"] = np.bytes_(b"abc")
    f.attrs["yes"] = True
    f.attrs["many"] = np.arange(6, dtype="<i2").reshape(2, 3)
    f.attrs["texts"] = ["a", "", "ccc"]
    f.attrs["nothing"] = h5py.Empty("f4")
    f.attrs.create("numbers", [np.arange(3, dtype="f4"), np.arange(1, dtype="f4")], dtype=h5py.vlen_dtype("f4"))
    for t in "i1 u1 i2 u2 i4 u4 i8 u8".split():
        info = np.iinfo(t)
        f[t] = np.array([info.min, 0, 5, info.max // 2], dtype=t)
    for t in "f2 f4 f8".split():
        f[t] = np.array([[-1.5, 0, 2**-14], [2**-24, 1, 1024]], dtype=t)
    f["scalar"] = np.float32(2.5)
    f["empty"] = np.zeros((0, 3), "f4")
    f["null"] = h5py.Empty("f4")
    f["bool"] = np.array([True, False, True])
    f.create_dataset("enum", data=np.array([7, 9, 7], "u2"), dtype=h5py.enum_dtype({"LOW": 7, "HIGH": 9}, basetype="u2"))
    f["fixed"] = np.array([b"abc", b"", b"defgh"], "S5")
    f["text"] = "one string"
    f["texts"] = ["Ä", "", "two words", "x" * 5000]
    v = f.create_dataset("spikes", (3,), dtype=h5py.vlen_dtype("f2"))
    v[0], v[2] = [0.5, 0.25], [1, 2, 3]
    f["unwritten"] = 1
    f.create_dataset("unwritten fill", (3,), "i4", fillvalue=-7)


def chunks(f):
    r = np.random.default_rng(1)
    x = r.integers(-9, 9, (7, 10, 5))
    for name, t, c, o in [
        ("plain", "i4", (3, 4, 5), {}),
        ("deflate", "f4", (3, 4, 2), {"compression": "gzip"}),
        ("shuffle", "f8", (2, 10, 3), {"shuffle": True}),
        ("both", "i2", (7, 10, 5), {"shuffle": True, "compression": 9}),
        ("sum", "i1", (3, 3, 3), {"fletcher32": True}),
        ("all", "u8", (4, 3, 2), {"fletcher32": True, "shuffle": True, "compression": "gzip"}),
        ("larger", "f2", (16, 16, 16), {"shuffle": True, "compression": 9, "maxshape": (None, None, None)}),
        ("wide", "f4", (1, 1, 5), {"shuffle": True}),
    ]:
        f.create_dataset(name, data=np.abs(x).astype(t) if t[0] == "u" else x.astype(t), chunks=c, **o)
    holes = f.create_dataset("holes", (100, 6), "f4", chunks=(8, 4), fillvalue=0.5, compression="gzip")
    holes[40:43, 2] = 7
    f.create_dataset("never", (5,), "i2", chunks=(2,), fillvalue=3)
    f.create_dataset("texts", data=["a", "bb", "", "dddd"], chunks=(3,), compression="gzip", dtype=h5py.string_dtype())
    f.create_dataset("line", data=np.arange(1000, dtype="i4"), chunks=(7,))


def groups(f):
    for i in range(100):
        f.create_group(f"group {i}")
    g = f["group 7"].create_group("a/b/c/d")
    g["x"] = [1, 2]
    f["same"] = f["group 7/a/b/c/d/x"]
    for i in range(40):
        g.attrs[f"attribute {i}"] = i * np.ones(3)
    compact = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    compact.set_layout(h5py.h5d.COMPACT)
    d = h5py.h5d.create(f.id, b"compact", h5py.h5t.NATIVE_INT16, h5py.h5s.create_simple((3,)), compact)
    d.write(h5py.h5s.ALL, h5py.h5s.ALL, np.array([1, -2, 3], "i2"))


def refused(f):
    f["compound"] = np.zeros(2, [("a", "i4"), ("b", "f4")])
    f["big"] = np.zeros(2, ">i4")
    f["bigfloat"] = np.zeros(2, ">f4")
    f["reference"] = np.array([f["big"].ref], h5py.ref_dtype)
    f.create_dataset("lzf", data=np.zeros(50), compression="lzf")
    f.create_dataset("scaled", data=np.arange(50), scaleoffset=True)
    f.create_dataset("external", (4,), "i4", external=[("outside.bin", 0, 16)])
    f.create_dataset("array", (2,), np.dtype(("i4", (3,))))
    f["complex"] = np.zeros(2, "c8")
    f["opaque"] = np.array([b"ab"], "V2")


FILES = {"types": types, "chunks": chunks, "groups": groups}


def make():
    want = {}
    for name, fill in FILES.items():
        with h5py.File(name + ".h5", "w", libver="earliest") as f:
            fill(f)
        want[name] = content(name + ".h5")
    with h5py.File("userblock.h5", "w", libver="earliest", userblock_size=1024) as f:
        f["x"] = np.arange(3)
        f.create_dataset("c", data=np.arange(9), chunks=(4,), compression="gzip")
        f["s"] = "text"
    with open("userblock.h5", "r+b") as b:
        b.write(b"#!/bin/sh\n")
    want["userblock"] = content("userblock.h5")
    fcpl = h5py.h5p.create(h5py.h5p.FILE_CREATE)
    library = ctypes.CDLL("libhdf5_serial.so.103")  # the one that h5py has loaded
    library.H5Pset_istore_k(ctypes.c_int64(fcpl.id), 40)  # asks for superblock 1
    fapl = h5py.h5p.create(h5py.h5p.FILE_ACCESS)
    fapl.set_libver_bounds(h5py.h5f.LIBVER_EARLIEST, h5py.h5f.LIBVER_LATEST)
    with h5py.File(h5py.h5f.create(b"version1.h5", fcpl=fcpl, fapl=fapl)) as f:
        f.create_dataset("x", data=np.arange(300), chunks=(2,))
    want["version1"] = content("version1.h5")
    with h5py.File("refused.h5", "w", libver="earliest") as f:
        refused(f)
    with h5py.File("large.h5", "w", libver="earliest") as f:
        f.create_dataset("x", data=np.zeros(1 << 24, "f4"), chunks=(1 << 24,), shuffle=True, compression=9, fletcher32=True)
    with h5py.File("latest.h5", "w", libver="latest") as f:
        f["x"] = 1
    with h5py.File("ordered.h5", "w", libver="earliest", track_order=True) as f:
        f["x"] = 1
    with h5py.File("links.h5", "w", libver="earliest") as f:
        f["x"] = [1, 2]
        f["soft"] = h5py.SoftLink("/x")
    with h5py.File("circle.h5", "w", libver="earliest") as f:
        g = f.create_group("a/b")
        g["c"] = f["a"]
    with h5py.File("committed.h5", "w", libver="earliest") as f:
        f["type"] = np.dtype("f8")
        f.create_dataset("x", (2,), dtype=f["type"])
    with open("want.json", "w") as out:
        out.write("{\n" + ",\n".join(f"{json.dumps(k)}: [\n" + ",\n".join(json.dumps(r, ensure_ascii=False) for r in rows) + "\n]" for k, rows in want.items()) + "\n}\n")


if sys.argv[1:2] == ["read"]:
    print(json.dumps(content(sys.argv[2])))
else:
    make()
