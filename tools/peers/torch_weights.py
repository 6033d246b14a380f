"""Writes the fixtures of exchange/torch: a small convolutional network each of snnTorch, SpikingJelly and
Norse, trained for a few epochs on the MNIST sample of this project, with the spikes of all its neurons for
sixteen test images and its answers to all 500; and traces of single neurons under their options.

    python3 tools/peers/torch_weights.py --snntorch DIR --spikingjelly DIR --norse DIR data/mnist/sample exchange/torch/testdata

DIR are checkouts of the three projects; the kept files are of the commits in testdata/README.md, run by
PyTorch 1.13 on one thread. What they import and these networks do not use (NIR, Triton) is left out. Files
are laid out as safetensors.torch.save_file does: arrays by the size of their elements, then by name.
"""

import argparse
import gzip
import importlib.abc
import importlib.machinery
import json
import struct
import sys
from unittest import mock

import numpy as np

parser = argparse.ArgumentParser()
for name in ("snntorch", "spikingjelly", "norse"):
    parser.add_argument("--" + name, required=True)
parser.add_argument("images")
parser.add_argument("out")
args = parser.parse_args()
sys.path[:0] = [args.snntorch, args.spikingjelly, args.norse]

ABSENT = ("nir", "nirtorch", "spikingjelly.activation_based.triton_kernel")


class Absent(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Stands in for packages that are not here and not needed."""

    def find_spec(self, name, path, target=None):
        if any(name == a or name.startswith(a + ".") for a in ABSENT):
            return importlib.machinery.ModuleSpec(name, self, is_package=True)

    def create_module(self, spec):
        module = mock.MagicMock(name=spec.name)
        module.__path__, module.__spec__, module.__all__ = [], spec, []
        return module

    def exec_module(self, module):
        pass


sys.meta_path.insert(0, Absent())

import torch
from torch import nn

import norse.torch as norse
import snntorch as snn
from norse.torch.functional.lif_box import LIFBoxParameters
from norse.torch.functional.reset import reset_subtract
from norse.torch.module.lif_box import LIFBoxCell
from spikingjelly.activation_based import functional, neuron, surrogate

STEPS, SHOWN = 10, 16
torch.set_num_threads(1)


def save(name, arrays):
    """A safetensors file of NumPy arrays."""
    kinds = {"float32": "F32", "int64": "I64", "uint8": "U8"}
    order = sorted(arrays, key=lambda k: (-arrays[k].dtype.itemsize, k))
    header, at = {}, 0
    for k in order:
        a = arrays[k]
        header[k] = {"dtype": kinds[str(a.dtype)], "shape": list(a.shape), "data_offsets": [at, at + a.nbytes]}
        at += a.nbytes
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    with open(f"{args.out}/{name}.safetensors", "wb") as f:
        f.write(struct.pack("<Q", len(text)) + text + b"".join(np.ascontiguousarray(arrays[k]).tobytes() for k in order))


def images(prefix):
    with gzip.open(f"{args.images}/{prefix}-images-idx3-ubyte.gz") as f:
        x = np.frombuffer(f.read(), np.uint8, offset=16).reshape(-1, 1, 28, 28)
    with gzip.open(f"{args.images}/{prefix}-labels-idx1-ubyte.gz") as f:
        y = np.frombuffer(f.read(), np.uint8, offset=8)
    return torch.from_numpy(x.astype(np.float32) / 255), torch.from_numpy(y.astype(np.int64))


class Step(torch.autograd.Function):
    """SpikingJelly's step, with a derivative for PyTorch 1.13: its own classes of these want PyTorch 2."""

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return surrogate.heaviside(x)

    @staticmethod
    def backward(ctx, error):
        (x,) = ctx.saved_tensors
        return error * 4 * torch.sigmoid(4 * x) * torch.sigmoid(-4 * x)


class SnnTorch(nn.Module):
    """Leaky neurons: a decay a channel that was learned, and a threshold that was."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(1, 4, 5)
        self.lif1 = snn.Leaky(beta=torch.full((4, 1, 1), 0.8), learn_beta=True)
        self.pool = nn.MaxPool2d(2)
        self.fc = nn.Linear(576, 10)
        self.lif2 = snn.Leaky(beta=0.9, threshold=1.5, learn_threshold=True, reset_mechanism="zero")

    def forward(self, x):
        m1, m2 = self.lif1.reset_mem(), self.lif2.reset_mem()
        shown, out = [], []
        for _ in range(STEPS):
            s1, m1 = self.lif1(self.conv(x), m1)
            s2, m2 = self.lif2(self.fc(self.pool(s1).flatten(1)), m2)
            shown.append((s1, s2))
            out.append(s2)
        return torch.stack(out), shown


class SpikingJelly(nn.Sequential):
    """An IF neuron with a soft reset behind a batch normalisation, and a LIF neuron with a hard one."""

    def __init__(self):
        super().__init__(
            nn.Conv2d(1, 4, 5, bias=False), nn.BatchNorm2d(4), neuron.IFNode(v_reset=None, surrogate_function=Step.apply), nn.AvgPool2d(2), nn.Flatten(),
            nn.Linear(576, 10, bias=False), neuron.LIFNode(tau=2.0, surrogate_function=Step.apply),
        )

    def forward(self, x):
        functional.reset_net(self)
        shown, out = [], []
        for _ in range(STEPS):
            s1 = self[2](self[1](self[0](x)))
            s2 = self[6](self[5](self[4](self[3](s1))))
            shown.append((s1, s2))
            out.append(s2)
        return torch.stack(out), shown


class Norse(nn.Module):
    """LIF cells, a recurrent one, and a leaky integrator that is read."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(1, 4, 5)
        self.lif = norse.LIFCell(self.cell(0.4))
        self.pool = nn.MaxPool2d(2)
        self.rec = norse.LIFRecurrentCell(576, 16, self.cell(0.5))
        self.fc = nn.Linear(16, 10)
        self.out = norse.LICell()

    def forward(self, x):
        a = b = c = None
        shown, out = [], []
        for _ in range(STEPS):
            s1, a = self.lif(4 * self.conv(x), a)  # the factor is a part of the weights that are kept
            s2, b = self.rec(self.pool(s1).flatten(1), b)
            v, c = self.out(self.fc(s2), c)
            shown.append((s1, s2))
            out.append(v)
        return torch.stack(out), shown

    @staticmethod
    def cell(threshold):
        """Its surrogate, which runs with PyTorch 1.13, plays no part in running."""
        return norse.LIFParameters(v_th=torch.as_tensor(threshold), method="triangle", alpha=torch.as_tensor(1.0))

    def kept(self):
        arrays = self.state_dict()
        return {k: 4 * v if k.startswith("conv.") else v for k, v in arrays.items()}


def network(name, net):
    """Trains a network; keeps its weights, the spikes of some images and the answers to all."""
    x, y = images("train")
    adam = torch.optim.Adam(net.parameters(), lr=5e-3)
    for _ in range(8):
        for batch in torch.randperm(len(x)).split(50):
            adam.zero_grad()
            out, _ = net(x[batch])
            nn.functional.cross_entropy(out.sum(0) / 2, y[batch]).backward()
            adam.step()
    net.eval()
    x, y = images("t10k")
    with torch.no_grad():
        scores = net(x)[0].sum(0)
        shown = net(x[:SHOWN])
    print(f"{name}: {100 * (scores.argmax(1) == y).float().mean():.2f} % of {len(y)} test images")
    arrays = net.kept() if hasattr(net, "kept") else net.state_dict()
    save(name, {k: v.numpy().copy() for k, v in arrays.items()})
    kept = {"scores": scores.numpy()}
    for i, layer in enumerate(zip(*shown[1])):
        spikes = torch.stack(layer).numpy()  # [T, B, …], channels first
        print(f"  neurons {i + 1}: {spikes.mean():.3f} spikes a step")
        kept[f"spikes{i + 1}"] = np.packbits(spikes.astype(np.uint8).ravel(), bitorder="little")
    save(name + "-spikes", kept)


def traces():
    """Spikes of single neurons under random currents, [T, n], and voltages of the one that has none."""

    def p(**options):
        return norse.LIFParameters(method="heaviside", **options)

    def box(**options):
        return LIFBoxParameters(method="heaviside", **options)

    level, step = torch.as_tensor, Step.apply
    cells = {
        "leaky": snn.Leaky(beta=0.9),
        "leaky-at-once": snn.Leaky(beta=0.9, threshold=4.0, reset_delay=False),
        "leaky-zero": snn.Leaky(beta=0.9, reset_mechanism="zero"),
        "leaky-none": snn.Leaky(beta=0.5, threshold=0.7, reset_mechanism="none"),
        "leaky-units": snn.Leaky(beta=torch.linspace(0, 1.2, 24), threshold=torch.linspace(0.5, 1.5, 24), reset_mechanism="zero"),
        "synaptic": snn.Synaptic(alpha=0.7, beta=0.8, threshold=8.0, reset_delay=False),
        "synaptic-none": snn.Synaptic(alpha=0.7, beta=0.8, reset_mechanism="none"),
        "if": neuron.IFNode(surrogate_function=step),
        "if-soft": neuron.IFNode(v_threshold=0.8, v_reset=None, surrogate_function=step),
        "if-reset": neuron.IFNode(v_reset=-0.25, surrogate_function=step),
        "lif": neuron.LIFNode(tau=2.0, surrogate_function=step),
        "lif-soft": neuron.LIFNode(tau=4.0, decay_input=False, v_reset=None, surrogate_function=step),
        "lif-reset": neuron.LIFNode(tau=3.0, v_reset=-0.25, v_threshold=0.5, surrogate_function=step),
        "plif": neuron.ParametricLIFNode(init_tau=3.0, decay_input=False, surrogate_function=step),
        "lifcell": norse.LIFCell(p(v_th=level(0.3))),
        "lifcell-levels": norse.LIFCell(p(tau_mem_inv=level(200.0), v_leak=level(0.1), v_th=level(0.6), v_reset=level(-0.2)), dt=0.002),
        "lifbox": LIFBoxCell(box(v_th=level(0.2))),
        "lifbox-soft": LIFBoxCell(box(v_th=level(0.2), reset_method=reset_subtract)),
        "licell": norse.LICell(),
    }
    x = torch.randn(60, 24) * 0.7 + 0.3
    kept = {"x": x.numpy()}
    for name, cell in cells.items():
        state, out = (), []
        for row in x:
            if isinstance(cell, neuron.BaseNode):
                out.append(cell(row[None]))
                continue
            got = cell(row[None], *state)
            out.append(got[0])
            state = got[1:]
        y = torch.stack(out)[:, 0].detach().numpy()
        if name == "licell":
            kept[name] = y
            continue
        kept[name] = y.astype(np.uint8)
        print(f"{name}: {y.mean():.3f} spikes a step")
        for k, v in cell.state_dict().items():
            kept[f"{name}.{k}"] = v.numpy().copy()
    save("neurons", kept)


for name, make in (("snntorch", SnnTorch), ("spikingjelly", SpikingJelly), ("norse", Norse)):
    torch.manual_seed(1)
    network(name, make())
torch.manual_seed(2)
traces()
