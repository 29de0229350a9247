"""Columns by unbind, put together by stack."""

import torch


def _centre(corners):
    x1, y1, x2, y2 = corners.unbind(dim=1)
    return (x1 + x2) / 2, (y1 + y2) / 2, x2 - x1, y2 - y1


def encode_offsets(anchors, boxes, mean, std):
    ax, ay, aw, ah = _centre(anchors)
    bx, by, bw, bh = _centre(boxes)
    raw = torch.stack([(bx - ax) / aw, (by - ay) / ah, torch.log(bw / aw), torch.log(bh / ah)], dim=1)
    mean = torch.as_tensor(mean, dtype=anchors.dtype, device=anchors.device)
    std = torch.as_tensor(std, dtype=anchors.dtype, device=anchors.device)
    return (raw - mean) / std


def decode_offsets(anchors, offsets, mean, std):
    mean = torch.as_tensor(mean, dtype=anchors.dtype, device=anchors.device)
    std = torch.as_tensor(std, dtype=anchors.dtype, device=anchors.device)
    dx, dy, dw, dh = (offsets * std + mean).unbind(dim=1)
    ax, ay, aw, ah = _centre(anchors)
    cx, cy = ax + dx * aw, ay + dy * ah
    w, h = aw * torch.exp(dw), ah * torch.exp(dh)
    return torch.stack([cx - w / 2, cy - h / 2, cx + w / 2, cy + h / 2], dim=1)
