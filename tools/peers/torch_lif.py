"""Times networks of LIF neurons written by hand in PyTorch on the work of `synfire bench`.

    python3 torch_lif.py --threads 2 > peers.jsonl
    synfire bench --compare peers.jsonl

Prints a JSON object a line: work, lib, mode, threads, and median, min and max in samples a
second (GFLOP/s for products). An input that is the same at each step is multiplied once.
"""
import argparse
import json
import statistics
import time

import torch
from torch import nn

BETA, SLOPE = 0.95, 25.0


class Spike(torch.autograd.Function):
    """A step forward, the derivative of the fast sigmoid backward."""

    @staticmethod
    def forward(ctx, z):
        ctx.save_for_backward(z)
        return (z > 0).to(z.dtype)

    @staticmethod
    def backward(ctx, error):
        (z,) = ctx.saved_tensors
        return error * (1 + SLOPE * z.abs()).pow(-2)


class LIF(nn.Module):
    """Currents [T, B, …], or [B, …] held for `steps`, to spikes [T, B, …]."""

    def __init__(self, steps=0):
        super().__init__()
        self.steps = steps

    def forward(self, x):
        v, spikes = 0.0, []
        for t in range(self.steps or len(x)):
            v = BETA * v + (x if self.steps else x[t])
            spikes.append(Spike.apply(v - 1))
            v = v - spikes[-1].detach()
        return torch.stack(spikes)


class Each(nn.Module):
    """Applies a stateless layer to each step of [T, B, …]."""

    def __init__(self, layer):
        super().__init__()
        self.layer = layer

    def forward(self, x):
        return self.layer(x.flatten(0, 1)).unflatten(0, x.shape[:2])


class IF(nn.Module):
    """Integrate-and-fire neurons, one step a call."""

    def forward(self, x):
        self.v = self.v + x
        s = (self.v >= 1).to(x.dtype)
        self.v = self.v - s
        return s


def held(steps, *layers):
    """Layers on a constant input up to the first LIF, which spreads it over time."""
    at = layers.index(LIF)
    tail = [LIF() if l is LIF else Each(l) for l in layers[at + 1 :]]
    return nn.Sequential(*layers[:at], LIF(steps), *tail)


def conv3(a, b):
    return nn.Conv2d(a, b, 3, padding=1)


def pixels(*shape):
    return torch.rand(shape) * (torch.rand(shape) < 0.19)


def works():
    yield "W1", held(25, nn.Flatten(), nn.Linear(784, 1000), LIF, nn.Linear(1000, 10), LIF), pixels(128, 1, 28, 28), 128
    yield "W2a", held(25, nn.Conv2d(1, 12, 5), nn.MaxPool2d(2), LIF, nn.Conv2d(12, 64, 5), nn.MaxPool2d(2), LIF,
                      nn.Flatten(), nn.Linear(1024, 10), LIF), pixels(128, 1, 28, 28), 128
    yield "W2b", held(8, conv3(3, 64), LIF, conv3(64, 64), LIF, nn.AvgPool2d(2), conv3(64, 128), LIF, conv3(128, 128), LIF,
                      nn.AvgPool2d(2), nn.Flatten(), nn.Linear(8192, 256), LIF, nn.Linear(256, 10), LIF), torch.rand(64, 3, 32, 32), 64
    for density in (0.01, 0.05, 0.1):
        events = (torch.rand(20, 64, 2312) < density).float()
        yield "W3@%g" % density, nn.Sequential(Each(nn.Linear(2312, 800)), LIF(), Each(nn.Linear(800, 10)), LIF()), events, 64


def vgg():
    layers, channels = [], 3
    for block in ((64, 64), (128, 128), (256,) * 3, (512,) * 3, (512,) * 3):
        for n in block:
            layers += [conv3(channels, n), IF()]
            channels = n
        layers.append(nn.AvgPool2d(2))
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(512, 10))


def report(work, mode, amount, run):
    """Prints how much is done in a second where a run does `amount`."""
    rates = []
    for _ in range(args.repeat + 1):  # the first warms up
        count, start = 0, time.perf_counter()
        while count == 0 or time.perf_counter() - start < args.seconds:
            run()
            count += 1
        rates.append(amount * count / (time.perf_counter() - start))
    rates = rates[1:]
    figures = dict(median=statistics.median(rates), min=min(rates), max=max(rates))
    if mode == "gemm":
        figures = dict(gflops=figures["median"])
    print(json.dumps(dict(work=work, lib="torch", mode=mode, threads=args.threads, **figures)), flush=True)


def network(work, net, x, batch):
    labels = torch.randint(0, 10, (batch,))
    adam = torch.optim.Adam(net.parameters(), lr=1e-3)

    def train():
        adam.zero_grad()
        nn.functional.cross_entropy(net(x).sum(0), labels).backward()
        adam.step()

    @torch.no_grad()
    def infer():
        net(x).sum(0)

    report(work, "train", batch, train)
    report(work, "infer", batch, infer)


def converted():
    net, x = vgg(), torch.rand(8, 3, 32, 32)

    @torch.no_grad()
    def infer():
        for layer in net:
            if isinstance(layer, IF):
                layer.v = 0.5
        sum(net(x) for _ in range(64))

    report("W4", "infer", 8, infer)


def products():
    for m, n, k in ((128, 1000, 784), (1024, 1024, 1024), (64, 8192, 576)):
        a, b = torch.rand(m, k), torch.rand(k, n)
        report("GEMM %dx%dx%d" % (m, n, k), "gemm", 2e-9 * m * n * k, lambda: torch.mm(a, b))


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--repeat", type=int, default=7)
    parser.add_argument("--seconds", type=float, default=0.3, help="least time of a repeat")
    parser.add_argument("--only", default="", help="W1,W2a,W2b,W3,W4,GEMM; default all")
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    torch.manual_seed(0)

    def wanted(work):
        return not args.only or work.split("@")[0] in args.only.split(",")

    for work, net, x, batch in works():
        if wanted(work):
            network(work, net, x, batch)
    if wanted("W4"):
        converted()
    if wanted("GEMM"):
        products()
