import torch


def encode_offsets(anchors, boxes, mean, std):
    mean = torch.as_tensor(mean, dtype=anchors.dtype)
    std = torch.as_tensor(std, dtype=anchors.dtype)
    size_a = anchors[:, 2:] - anchors[:, :2]
    size_b = boxes[:, 2:] - boxes[:, :2]
    shift = (boxes[:, :2] + size_b / 2 - anchors[:, :2] - size_a / 2) / size_a
    return (torch.cat([shift, torch.log(size_b / size_a)], dim=1) - mean) / std


def decode_offsets(anchors, offsets, mean, std):
    raise NotImplementedError("decode_offsets is not written yet")
