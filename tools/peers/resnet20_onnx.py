"""Writes exchange/onnx/testdata/resnet20.onnx, resnet20-folded.onnx (BatchNorms within the convolutions) and
resnet20.bin: a ResNet-20 (He et al., "Deep residual learning for image recognition", CVPR 2016) of four
channels with random weights and statistics, exported by PyTorch 1.13 with opset 13, and eight images with
its logits, float32, one after the other.

    python3 tools/peers/resnet20_onnx.py exchange/onnx/testdata
"""

import sys

import numpy as np
import torch
from torch import nn


class Block(nn.Module):
    def __init__(self, cin, cout, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(cin, cout, 3, stride, 1, bias=False)
        self.norm1 = nn.BatchNorm2d(cout)
        self.conv2 = nn.Conv2d(cout, cout, 3, 1, 1, bias=False)
        self.norm2 = nn.BatchNorm2d(cout)
        self.skip = nn.Identity()
        if cin != cout:
            self.skip = nn.Sequential(nn.Conv2d(cin, cout, 1, stride, bias=False), nn.BatchNorm2d(cout))

    def forward(self, x):
        y = torch.relu(self.norm1(self.conv1(x)))
        return torch.relu(self.norm2(self.conv2(y)) + self.skip(x))


class ResNet20(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, width, 3, 1, 1, bias=False), nn.BatchNorm2d(width), nn.ReLU())
        blocks, cin = [], width
        for stage in range(3):
            for i in range(3):
                cout = width << stage
                blocks.append(Block(cin, cout, 2 if stage > 0 and i == 0 else 1))
                cin = cout
        self.blocks = nn.Sequential(*blocks)
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.fc = nn.Linear(cin, 10)

    def forward(self, x):
        return self.fc(torch.flatten(self.pool(self.blocks(self.stem(x))), 1))


torch.manual_seed(1)
net = ResNet20(4).eval()
for m in net.modules():
    if isinstance(m, nn.Conv2d):
        nn.init.kaiming_normal_(m.weight, mode="fan_in", nonlinearity="relu")
    if isinstance(m, nn.Linear):
        nn.init.normal_(m.weight, std=0.02)  # logits of a few units, as trained networks have
    if isinstance(m, nn.BatchNorm2d):
        for values, low, high in ((m.weight.data, 0.5, 1.5), (m.bias.data, -0.3, 0.3), (m.running_mean, -0.3, 0.3), (m.running_var, 0.5, 1.5)):
            values.uniform_(low, high)
images = torch.randn(8, 3, 32, 32)
with torch.no_grad():
    logits = net(images)
folder = sys.argv[1]
for name, fold in (("resnet20.onnx", False), ("resnet20-folded.onnx", True)):
    mode = torch.onnx.TrainingMode.EVAL if fold else torch.onnx.TrainingMode.PRESERVE
    torch.onnx.export(net, images, f"{folder}/{name}", opset_version=13, training=mode, do_constant_folding=fold,
                      input_names=["image"], output_names=["logits"], dynamic_axes={"image": {0: "N"}, "logits": {0: "N"}})
np.concatenate([images.numpy().ravel(), logits.numpy().ravel()]).astype("<f4").tofile(f"{folder}/resnet20.bin")
