"""Points and sizes as pairs of columns, put together by cat."""

import torch


def _tensor(numbers, like):
    if isinstance(numbers, torch.Tensor):
        return numbers
    return like.new_tensor(list(numbers))


def _split(corners):
    low, high = corners[:, :2], corners[:, 2:]
    size = high - low
    return low + size / 2, size


def encode_offsets(anchors, boxes, mean, std):
    (centre_a, size_a), (centre_b, size_b) = _split(anchors), _split(boxes)
    raw = torch.cat(((centre_b - centre_a) / size_a, torch.log(size_b / size_a)), 1)
    return raw.sub(_tensor(mean, anchors)).div(_tensor(std, anchors))


def decode_offsets(anchors, offsets, mean, std):
    centre_a, size_a = _split(anchors)
    raw = torch.addcmul(_tensor(mean, anchors), offsets, _tensor(std, anchors))
    size = size_a * raw[:, 2:].exp()
    centre = centre_a + raw[:, :2] * size_a
    return torch.cat((centre - 0.5 * size, centre + 0.5 * size), 1)
