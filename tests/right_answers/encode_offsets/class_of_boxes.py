"""A class for boxes by centre and size."""

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass
class Boxes:
    cx: Tensor
    cy: Tensor
    w: Tensor
    h: Tensor

    @classmethod
    def of(cls, corners: Tensor) -> "Boxes":
        x1, y1, x2, y2 = (column.squeeze(1) for column in corners.split(1, dim=1))
        return cls((x1 + x2) * 0.5, (y1 + y2) * 0.5, x2 - x1, y2 - y1)

    def corners(self) -> Tensor:
        x1, y1 = self.cx - self.w / 2, self.cy - self.h / 2
        return torch.stack((x1, y1, x1 + self.w, y1 + self.h), dim=-1)


def _four(numbers, like):
    return torch.stack([torch.as_tensor(n, dtype=like.dtype, device=like.device) for n in numbers])


def encode_offsets(anchors, boxes, mean, std):
    a, b = Boxes.of(anchors), Boxes.of(boxes)
    raw = torch.stack(
        ((b.cx - a.cx) / a.w, (b.cy - a.cy) / a.h, (b.w / a.w).log(), (b.h / a.h).log()), dim=-1
    )
    return (raw - _four(mean, anchors)) / _four(std, anchors)


def decode_offsets(anchors, offsets, mean, std):
    a = Boxes.of(anchors)
    raw = (offsets * _four(std, anchors) + _four(mean, anchors)).T
    b = Boxes(a.cx + raw[0] * a.w, a.cy + raw[1] * a.h, a.w * raw[2].exp(), a.h * raw[3].exp())
    return b.corners()
