"""The baseline of the benchmarks: a super-network as published ones over NAS-Bench-201 are written.

NCHW, standard modules, one path a step, Zero as a product with 0. Its names are those of
`trainer.network.supernet.SuperNet`, whose weights it takes.
"""

from torch import Tensor, nn

from nasrank.db.nb201.architectures import BENCHMARK_OPERATIONS, EDGES
from nasrank.trainer.network.supernet import NUM_STAGES


class PlainSuperNet(nn.Module):
    """NAS-Bench-201's network with all five operations on every edge; its names are those of `SuperNet`."""

    def __init__(self, channels: int, cells_per_stage: int) -> None:
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, channels, 3, padding=1, bias=False), nn.BatchNorm2d(channels))
        self.cells = nn.ModuleList()
        for stage in range(NUM_STAGES):
            width = channels * 2**stage
            if stage > 0:
                self.cells.append(PlainReduction(width // 2, width))
            self.cells.extend(PlainCell(width) for _ in range(cells_per_stage))
        self.head = nn.Sequential(
            nn.BatchNorm2d(width), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(width, 10)
        )

    def forward(self, images: Tensor, path: tuple[int, ...]) -> Tensor:
        features = self.stem(images)
        for cell in self.cells:
            features = cell(features, path) if isinstance(cell, PlainCell) else cell(features)
        logits: Tensor = self.head(features)
        return logits


class PlainCell(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        self.edges = nn.ModuleList(
            nn.ModuleDict(
                {
                    "none": PlainZero(),
                    "skip_connect": nn.Identity(),
                    "nor_conv_1x1": plain_relu_conv_bn(channels, channels, 1),
                    "nor_conv_3x3": plain_relu_conv_bn(channels, channels, 3),
                    "avg_pool_3x3": nn.AvgPool2d(3, stride=1, padding=1),
                }
            )
            for _ in EDGES
        )

    def forward(self, features: Tensor, path: tuple[int, ...]) -> Tensor:
        nodes = [features]
        for node in (1, 2, 3):
            inputs = [
                self.operation(edge, path[edge])(nodes[source])
                for edge, (source, target) in enumerate(EDGES)
                if target == node
            ]
            nodes.append(sum(inputs) / len(inputs))
        return nodes[3]

    def operation(self, edge: int, operation: int) -> nn.Module:
        candidates = self.edges[edge]
        assert isinstance(candidates, nn.ModuleDict)
        return candidates[BENCHMARK_OPERATIONS[operation]]


class PlainZero(nn.Module):
    def forward(self, features: Tensor) -> Tensor:
        return features.mul(0.0)


class PlainReduction(nn.Module):
    def __init__(self, channels_in: int, channels_out: int) -> None:
        super().__init__()
        self.convolutions = nn.Sequential(
            *plain_relu_conv_bn(channels_in, channels_out, 3, stride=2, affine=True),
            *plain_relu_conv_bn(channels_out, channels_out, 3, affine=True),
        )
        self.shortcut = nn.Sequential(nn.AvgPool2d(2), nn.Conv2d(channels_in, channels_out, 1, bias=False))

    def forward(self, features: Tensor) -> Tensor:
        reduced: Tensor = self.shortcut(features) + self.convolutions(features)
        return reduced


def plain_relu_conv_bn(
    channels_in: int, channels_out: int, kernel: int, *, stride: int = 1, affine: bool = False
) -> nn.Sequential:
    return nn.Sequential(
        nn.ReLU(),
        nn.Conv2d(channels_in, channels_out, kernel, stride=stride, padding=kernel // 2, bias=False),
        nn.BatchNorm2d(channels_out, affine=affine),
    )
