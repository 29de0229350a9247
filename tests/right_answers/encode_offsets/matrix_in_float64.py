"""Corners to centres by a matrix, differences of logarithms, float64 inside."""

import torch

_TO_CENTRE = torch.tensor(
    [[0.5, 0.0, -1.0, 0.0], [0.0, 0.5, 0.0, -1.0], [0.5, 0.0, 1.0, 0.0], [0.0, 0.5, 0.0, 1.0]],
    dtype=torch.float64,
)


def _constant(numbers):
    return torch.as_tensor(numbers, dtype=torch.float64)


def encode_offsets(anchors, boxes, mean, std):
    a = torch.einsum("ni,ij->nj", anchors.double(), _TO_CENTRE)
    b = torch.einsum("ni,ij->nj", boxes.double(), _TO_CENTRE)
    shift = (b[:, :2] - a[:, :2]) / a[:, 2:]
    stretch = b[:, 2:].log() - a[:, 2:].log()
    raw = torch.hstack([shift, stretch])
    return ((raw - _constant(mean)) / _constant(std)).to(anchors.dtype)


def decode_offsets(anchors, offsets, mean, std):
    a = anchors.double() @ _TO_CENTRE
    raw = offsets.double() * _constant(std) + _constant(mean)
    centre = a[:, :2] + raw[:, :2] * a[:, 2:]
    size = a[:, 2:] * raw[:, 2:].exp()
    return (torch.hstack([centre, size]) @ torch.linalg.inv(_TO_CENTRE)).to(anchors.dtype)
