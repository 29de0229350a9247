"""Offsets from anchors to boxes, and back: what a detector learns to predict."""

from collections.abc import Sequence

import torch


def encode_offsets(
    anchors: torch.Tensor,
    boxes: torch.Tensor,
    mean: Sequence[float] | torch.Tensor,
    std: Sequence[float] | torch.Tensor,
) -> torch.Tensor:
    r"""Describe each box as seen from its anchor.

    With the centre (cx, cy), the width w and the height h of the anchor (a) and of its box (b):

        raw     = ((cx_b - cx_a) / w_a, (cy_b - cy_a) / h_a, log(w_b / w_a), log(h_b / h_a))
        offsets = (raw - mean) / std

    Args:
        anchors: [N, 4], float32 or float64; row i holds the corners x1, y1, x2, y2 of anchor i, where
            x1 < x2 and y1 < y2.
        boxes: [N, 4], of the anchors' dtype; row i is the box of anchor i, as corners, too.
        mean: four numbers, one for each column of raw, as a list, a tuple, or a tensor [4] of the anchors'
            dtype.
        std: four positive numbers, as for mean.

    Returns:
        The offsets, [N, 4], of the anchors' dtype, with a graph back to anchors and boxes.

    Conventions:
        Width is x2 - x1, height is y2 - y1: coordinates are numbers on a line, and no pixel is added. The
        logarithm is the natural one, of the plain quotient: there is no eps and no clamp, however small or
        large a box is. N may be 0. No input is changed, and none need be contiguous.

    Not allowed:
        Nothing is ruled out.

    >>> anchors = torch.tensor([[0.0, 0.0, 4.0, 2.0]])
    >>> boxes = torch.tensor([[2.0, 1.0, 6.0, 5.0]])
    >>> encode_offsets(anchors, boxes, mean=(0.0, 0.0, 0.0, 0.0), std=(0.1, 0.1, 0.2, 0.2))
    tensor([[ 5.0000, 10.0000,  0.0000,  3.4657]])
    """
    raise NotImplementedError("encode_offsets is not written yet")


def decode_offsets(
    anchors: torch.Tensor,
    offsets: torch.Tensor,
    mean: Sequence[float] | torch.Tensor,
    std: Sequence[float] | torch.Tensor,
) -> torch.Tensor:
    r"""Find the boxes that offsets describe: the inverse of `encode_offsets`.

        raw          = offsets * std + mean
        (cx_b, cy_b) = (cx_a + raw_0 * w_a, cy_a + raw_1 * h_a)
        (w_b, h_b)   = (w_a * exp(raw_2), h_a * exp(raw_3))

    Args:
        anchors: [N, 4], as for `encode_offsets`.
        offsets: [N, 4], of the anchors' dtype; row i belongs to anchor i.
        mean: four numbers, as for `encode_offsets`.
        std: four positive numbers, as for `encode_offsets`.

    Returns:
        The boxes as corners x1, y1, x2, y2, [N, 4], of the anchors' dtype, with a graph back to anchors and
        offsets.

    Conventions:
        Those of `encode_offsets`. Nothing is clamped: neither the exponent, nor the boxes to an image.

    Not allowed:
        Nothing is ruled out.

    >>> anchors = torch.tensor([[0.0, 0.0, 4.0, 2.0]])
    >>> offsets = torch.tensor([[5.0, 10.0, 0.0, 3.4657]])
    >>> decode_offsets(anchors, offsets, mean=(0.0, 0.0, 0.0, 0.0), std=(0.1, 0.1, 0.2, 0.2))
    tensor([[2.0000, 1.0000, 6.0000, 5.0000]])
    """
    raise NotImplementedError("decode_offsets is not written yet")
