"""Mistakes in encode_offsets and decode_offsets; what stands above the first separator belongs to each."""

# ruff: noqa: F811, RUF005, RUF059

import torch

# --- a pixel is added to width and height


def widths(corners):
    x1, y1, x2, y2 = corners.unbind(1)
    return (x1 + x2) / 2, (y1 + y2) / 2, x2 - x1 + 1, y2 - y1 + 1


def four(numbers, like):
    return torch.as_tensor(numbers, dtype=like.dtype, device=like.device)


def encode_offsets(anchors, boxes, mean, std):
    ax, ay, aw, ah = widths(anchors)
    bx, by, bw, bh = widths(boxes)
    raw = torch.stack([(bx - ax) / aw, (by - ay) / ah, torch.log(bw / aw), torch.log(bh / ah)], 1)
    return (raw - four(mean, anchors)) / four(std, anchors)


def decode_offsets(anchors, offsets, mean, std):
    ax, ay, aw, ah = widths(anchors)
    raw = offsets * four(std, anchors) + four(mean, anchors)
    cx, cy = ax + raw[:, 0] * aw, ay + raw[:, 1] * ah
    w, h = aw * torch.exp(raw[:, 2]), ah * torch.exp(raw[:, 3])
    return torch.stack([cx - w / 2, cy - h / 2, cx + w / 2, cy + h / 2], 1)


# --- the corner taken for the centre


def widths(corners):
    x1, y1, x2, y2 = corners.unbind(1)
    return x1, y1, x2 - x1, y2 - y1


def four(numbers, like):
    return torch.as_tensor(numbers, dtype=like.dtype, device=like.device)


def encode_offsets(anchors, boxes, mean, std):
    ax, ay, aw, ah = widths(anchors)
    bx, by, bw, bh = widths(boxes)
    raw = torch.stack([(bx - ax) / aw, (by - ay) / ah, torch.log(bw / aw), torch.log(bh / ah)], 1)
    return (raw - four(mean, anchors)) / four(std, anchors)


def decode_offsets(anchors, offsets, mean, std):
    ax, ay, aw, ah = widths(anchors)
    raw = offsets * four(std, anchors) + four(mean, anchors)
    cx, cy = ax + raw[:, 0] * aw, ay + raw[:, 1] * ah
    w, h = aw * torch.exp(raw[:, 2]), ah * torch.exp(raw[:, 3])
    return torch.stack([cx, cy, cx + w, cy + h], 1)


# --- the corner taken for the centre in encode only


def widths(corners):
    x1, y1, x2, y2 = corners.unbind(1)
    return (x1 + x2) / 2, (y1 + y2) / 2, x2 - x1, y2 - y1


def four(numbers, like):
    return torch.as_tensor(numbers, dtype=like.dtype, device=like.device)


def encode_offsets(anchors, boxes, mean, std):
    ax, ay, aw, ah = widths(anchors)
    bx, by, bw, bh = widths(boxes)
    raw = torch.stack(
        [
            (boxes[:, 0] - anchors[:, 0]) / aw,
            (boxes[:, 1] - anchors[:, 1]) / ah,
            torch.log(bw / aw),
            torch.log(bh / ah),
        ],
        1,
    )
    return (raw - four(mean, anchors)) / four(std, anchors)


def decode_offsets(anchors, offsets, mean, std):
    ax, ay, aw, ah = widths(anchors)
    raw = offsets * four(std, anchors) + four(mean, anchors)
    cx, cy = ax + raw[:, 0] * aw, ay + raw[:, 1] * ah
    w, h = aw * torch.exp(raw[:, 2]), ah * torch.exp(raw[:, 3])
    return torch.stack([cx - w / 2, cy - h / 2, cx + w / 2, cy + h / 2], 1)


# --- no exp in decode


def widths(corners):
    x1, y1, x2, y2 = corners.unbind(1)
    return (x1 + x2) / 2, (y1 + y2) / 2, x2 - x1, y2 - y1


def four(numbers, like):
    return torch.as_tensor(numbers, dtype=like.dtype, device=like.device)


def encode_offsets(anchors, boxes, mean, std):
    ax, ay, aw, ah = widths(anchors)
    bx, by, bw, bh = widths(boxes)
    raw = torch.stack([(bx - ax) / aw, (by - ay) / ah, torch.log(bw / aw), torch.log(bh / ah)], 1)
    return (raw - four(mean, anchors)) / four(std, anchors)


def decode_offsets(anchors, offsets, mean, std):
    ax, ay, aw, ah = widths(anchors)
    raw = offsets * four(std, anchors) + four(mean, anchors)
    cx, cy = ax + raw[:, 0] * aw, ay + raw[:, 1] * ah
    w, h = aw * (1 + raw[:, 2]), ah * (1 + raw[:, 3])
    return torch.stack([cx - w / 2, cy - h / 2, cx + w / 2, cy + h / 2], 1)


# --- no logarithm in encode


def widths(corners):
    x1, y1, x2, y2 = corners.unbind(1)
    return (x1 + x2) / 2, (y1 + y2) / 2, x2 - x1, y2 - y1


def four(numbers, like):
    return torch.as_tensor(numbers, dtype=like.dtype, device=like.device)


def encode_offsets(anchors, boxes, mean, std):
    ax, ay, aw, ah = widths(anchors)
    bx, by, bw, bh = widths(boxes)
    raw = torch.stack([(bx - ax) / aw, (by - ay) / ah, bw / aw, bh / ah], 1)
    return (raw - four(mean, anchors)) / four(std, anchors)


def decode_offsets(anchors, offsets, mean, std):
    ax, ay, aw, ah = widths(anchors)
    raw = offsets * four(std, anchors) + four(mean, anchors)
    cx, cy = ax + raw[:, 0] * aw, ay + raw[:, 1] * ah
    w, h = aw * torch.exp(raw[:, 2]), ah * torch.exp(raw[:, 3])
    return torch.stack([cx - w / 2, cy - h / 2, cx + w / 2, cy + h / 2], 1)


# --- the logarithm to base 2


def widths(corners):
    x1, y1, x2, y2 = corners.unbind(1)
    return (x1 + x2) / 2, (y1 + y2) / 2, x2 - x1, y2 - y1


def four(numbers, like):
    return torch.as_tensor(numbers, dtype=like.dtype, device=like.device)


def encode_offsets(anchors, boxes, mean, std):
    ax, ay, aw, ah = widths(anchors)
    bx, by, bw, bh = widths(boxes)
    raw = torch.stack([(bx - ax) / aw, (by - ay) / ah, torch.log2(bw / aw), torch.log2(bh / ah)], 1)
    return (raw - four(mean, anchors)) / four(std, anchors)


def decode_offsets(anchors, offsets, mean, std):
    ax, ay, aw, ah = widths(anchors)
    raw = offsets * four(std, anchors) + four(mean, anchors)
    cx, cy = ax + raw[:, 0] * aw, ay + raw[:, 1] * ah
    w, h = aw * torch.exp(raw[:, 2]), ah * torch.exp(raw[:, 3])
    return torch.stack([cx - w / 2, cy - h / 2, cx + w / 2, cy + h / 2], 1)


# --- base 2 in both directions


def widths(corners):
    x1, y1, x2, y2 = corners.unbind(1)
    return (x1 + x2) / 2, (y1 + y2) / 2, x2 - x1, y2 - y1


def four(numbers, like):
    return torch.as_tensor(numbers, dtype=like.dtype, device=like.device)


def encode_offsets(anchors, boxes, mean, std):
    ax, ay, aw, ah = widths(anchors)
    bx, by, bw, bh = widths(boxes)
    raw = torch.stack([(bx - ax) / aw, (by - ay) / ah, torch.log2(bw / aw), torch.log2(bh / ah)], 1)
    return (raw - four(mean, anchors)) / four(std, anchors)


def decode_offsets(anchors, offsets, mean, std):
    ax, ay, aw, ah = widths(anchors)
    raw = offsets * four(std, anchors) + four(mean, anchors)
    cx, cy = ax + raw[:, 0] * aw, ay + raw[:, 1] * ah
    w, h = aw * torch.exp2(raw[:, 2]), ah * torch.exp2(raw[:, 3])
    return torch.stack([cx - w / 2, cy - h / 2, cx + w / 2, cy + h / 2], 1)


# --- log1p


def widths(corners):
    x1, y1, x2, y2 = corners.unbind(1)
    return (x1 + x2) / 2, (y1 + y2) / 2, x2 - x1, y2 - y1


def four(numbers, like):
    return torch.as_tensor(numbers, dtype=like.dtype, device=like.device)


def encode_offsets(anchors, boxes, mean, std):
    ax, ay, aw, ah = widths(anchors)
    bx, by, bw, bh = widths(boxes)
    raw = torch.stack([(bx - ax) / aw, (by - ay) / ah, torch.log1p(bw / aw), torch.log1p(bh / ah)], 1)
    return (raw - four(mean, anchors)) / four(std, anchors)


def decode_offsets(anchors, offsets, mean, std):
    ax, ay, aw, ah = widths(anchors)
    raw = offsets * four(std, anchors) + four(mean, anchors)
    cx, cy = ax + raw[:, 0] * aw, ay + raw[:, 1] * ah
    w, h = aw * torch.exp(raw[:, 2]), ah * torch.exp(raw[:, 3])
    return torch.stack([cx - w / 2, cy - h / 2, cx + w / 2, cy + h / 2], 1)


# --- an eps in the logarithm


def widths(corners):
    x1, y1, x2, y2 = corners.unbind(1)
    return (x1 + x2) / 2, (y1 + y2) / 2, x2 - x1, y2 - y1


def four(numbers, like):
    return torch.as_tensor(numbers, dtype=like.dtype, device=like.device)


def encode_offsets(anchors, boxes, mean, std):
    ax, ay, aw, ah = widths(anchors)
    bx, by, bw, bh = widths(boxes)
    raw = torch.stack(
        [(bx - ax) / aw, (by - ay) / ah, torch.log(bw / aw + 1e-6), torch.log(bh / ah + 1e-6)], 1
    )
    return (raw - four(mean, anchors)) / four(std, anchors)


def decode_offsets(anchors, offsets, mean, std):
    ax, ay, aw, ah = widths(anchors)
    raw = offsets * four(std, anchors) + four(mean, anchors)
    cx, cy = ax + raw[:, 0] * aw, ay + raw[:, 1] * ah
    w, h = aw * torch.exp(raw[:, 2]), ah * torch.exp(raw[:, 3])
    return torch.stack([cx - w / 2, cy - h / 2, cx + w / 2, cy + h / 2], 1)


# --- an eps below the fraction


def widths(corners):
    x1, y1, x2, y2 = corners.unbind(1)
    return (x1 + x2) / 2, (y1 + y2) / 2, x2 - x1, y2 - y1


def four(numbers, like):
    return torch.as_tensor(numbers, dtype=like.dtype, device=like.device)


def encode_offsets(anchors, boxes, mean, std):
    ax, ay, aw, ah = widths(anchors)
    bx, by, bw, bh = widths(boxes)
    raw = torch.stack(
        [(bx - ax) / aw, (by - ay) / ah, torch.log(bw / (aw + 1e-6)), torch.log(bh / (ah + 1e-6))], 1
    )
    return (raw - four(mean, anchors)) / four(std, anchors)


def decode_offsets(anchors, offsets, mean, std):
    ax, ay, aw, ah = widths(anchors)
    raw = offsets * four(std, anchors) + four(mean, anchors)
    cx, cy = ax + raw[:, 0] * aw, ay + raw[:, 1] * ah
    w, h = aw * torch.exp(raw[:, 2]), ah * torch.exp(raw[:, 3])
    return torch.stack([cx - w / 2, cy - h / 2, cx + w / 2, cy + h / 2], 1)


# --- tiny boxes clamped before the logarithm


def widths(corners):
    x1, y1, x2, y2 = corners.unbind(1)
    return (x1 + x2) / 2, (y1 + y2) / 2, x2 - x1, y2 - y1


def four(numbers, like):
    return torch.as_tensor(numbers, dtype=like.dtype, device=like.device)


def encode_offsets(anchors, boxes, mean, std):
    ax, ay, aw, ah = widths(anchors)
    bx, by, bw, bh = widths(boxes)
    raw = torch.stack(
        [
            (bx - ax) / aw,
            (by - ay) / ah,
            torch.log((bw / aw).clamp(min=1e-3)),
            torch.log((bh / ah).clamp(min=1e-3)),
        ],
        1,
    )
    return (raw - four(mean, anchors)) / four(std, anchors)


def decode_offsets(anchors, offsets, mean, std):
    ax, ay, aw, ah = widths(anchors)
    raw = offsets * four(std, anchors) + four(mean, anchors)
    cx, cy = ax + raw[:, 0] * aw, ay + raw[:, 1] * ah
    w, h = aw * torch.exp(raw[:, 2]), ah * torch.exp(raw[:, 3])
    return torch.stack([cx - w / 2, cy - h / 2, cx + w / 2, cy + h / 2], 1)


# --- the exponent clamped in decode


def widths(corners):
    x1, y1, x2, y2 = corners.unbind(1)
    return (x1 + x2) / 2, (y1 + y2) / 2, x2 - x1, y2 - y1


def four(numbers, like):
    return torch.as_tensor(numbers, dtype=like.dtype, device=like.device)


def encode_offsets(anchors, boxes, mean, std):
    ax, ay, aw, ah = widths(anchors)
    bx, by, bw, bh = widths(boxes)
    raw = torch.stack([(bx - ax) / aw, (by - ay) / ah, torch.log(bw / aw), torch.log(bh / ah)], 1)
    return (raw - four(mean, anchors)) / four(std, anchors)


def decode_offsets(anchors, offsets, mean, std):
    ax, ay, aw, ah = widths(anchors)
    raw = offsets * four(std, anchors) + four(mean, anchors)
    cx, cy = ax + raw[:, 0] * aw, ay + raw[:, 1] * ah
    w, h = aw * torch.exp(raw[:, 2].clamp(max=4.135)), ah * torch.exp(raw[:, 3].clamp(max=4.135))
    return torch.stack([cx - w / 2, cy - h / 2, cx + w / 2, cy + h / 2], 1)


# --- boxes clamped to positive coordinates


def widths(corners):
    x1, y1, x2, y2 = corners.unbind(1)
    return (x1 + x2) / 2, (y1 + y2) / 2, x2 - x1, y2 - y1


def four(numbers, like):
    return torch.as_tensor(numbers, dtype=like.dtype, device=like.device)


def encode_offsets(anchors, boxes, mean, std):
    ax, ay, aw, ah = widths(anchors)
    bx, by, bw, bh = widths(boxes)
    raw = torch.stack([(bx - ax) / aw, (by - ay) / ah, torch.log(bw / aw), torch.log(bh / ah)], 1)
    return (raw - four(mean, anchors)) / four(std, anchors)


def decode_offsets(anchors, offsets, mean, std):
    ax, ay, aw, ah = widths(anchors)
    raw = offsets * four(std, anchors) + four(mean, anchors)
    cx, cy = ax + raw[:, 0] * aw, ay + raw[:, 1] * ah
    w, h = aw * torch.exp(raw[:, 2]), ah * torch.exp(raw[:, 3])
    return torch.stack([cx - w / 2, cy - h / 2, cx + w / 2, cy + h / 2], 1).clamp(min=0)


# --- boxes clamped to the unit square


def widths(corners):
    x1, y1, x2, y2 = corners.unbind(1)
    return (x1 + x2) / 2, (y1 + y2) / 2, x2 - x1, y2 - y1


def four(numbers, like):
    return torch.as_tensor(numbers, dtype=like.dtype, device=like.device)


def encode_offsets(anchors, boxes, mean, std):
    ax, ay, aw, ah = widths(anchors)
    bx, by, bw, bh = widths(boxes)
    raw = torch.stack([(bx - ax) / aw, (by - ay) / ah, torch.log(bw / aw), torch.log(bh / ah)], 1)
    return (raw - four(mean, anchors)) / four(std, anchors)


def decode_offsets(anchors, offsets, mean, std):
    ax, ay, aw, ah = widths(anchors)
    raw = offsets * four(std, anchors) + four(mean, anchors)
    cx, cy = ax + raw[:, 0] * aw, ay + raw[:, 1] * ah
    w, h = aw * torch.exp(raw[:, 2]), ah * torch.exp(raw[:, 3])
    return torch.stack([cx - w / 2, cy - h / 2, cx + w / 2, cy + h / 2], 1).clamp(0, 1)


# --- multiplied by std in encode


def widths(corners):
    x1, y1, x2, y2 = corners.unbind(1)
    return (x1 + x2) / 2, (y1 + y2) / 2, x2 - x1, y2 - y1


def four(numbers, like):
    return torch.as_tensor(numbers, dtype=like.dtype, device=like.device)


def encode_offsets(anchors, boxes, mean, std):
    ax, ay, aw, ah = widths(anchors)
    bx, by, bw, bh = widths(boxes)
    raw = torch.stack([(bx - ax) / aw, (by - ay) / ah, torch.log(bw / aw), torch.log(bh / ah)], 1)
    return (raw - four(mean, anchors)) * four(std, anchors)


def decode_offsets(anchors, offsets, mean, std):
    ax, ay, aw, ah = widths(anchors)
    raw = offsets * four(std, anchors) + four(mean, anchors)
    cx, cy = ax + raw[:, 0] * aw, ay + raw[:, 1] * ah
    w, h = aw * torch.exp(raw[:, 2]), ah * torch.exp(raw[:, 3])
    return torch.stack([cx - w / 2, cy - h / 2, cx + w / 2, cy + h / 2], 1)


# --- divided by std in decode


def widths(corners):
    x1, y1, x2, y2 = corners.unbind(1)
    return (x1 + x2) / 2, (y1 + y2) / 2, x2 - x1, y2 - y1


def four(numbers, like):
    return torch.as_tensor(numbers, dtype=like.dtype, device=like.device)


def encode_offsets(anchors, boxes, mean, std):
    ax, ay, aw, ah = widths(anchors)
    bx, by, bw, bh = widths(boxes)
    raw = torch.stack([(bx - ax) / aw, (by - ay) / ah, torch.log(bw / aw), torch.log(bh / ah)], 1)
    return (raw - four(mean, anchors)) / four(std, anchors)


def decode_offsets(anchors, offsets, mean, std):
    ax, ay, aw, ah = widths(anchors)
    raw = offsets / four(std, anchors) + four(mean, anchors)
    cx, cy = ax + raw[:, 0] * aw, ay + raw[:, 1] * ah
    w, h = aw * torch.exp(raw[:, 2]), ah * torch.exp(raw[:, 3])
    return torch.stack([cx - w / 2, cy - h / 2, cx + w / 2, cy + h / 2], 1)


# --- mean ignored in encode


def widths(corners):
    x1, y1, x2, y2 = corners.unbind(1)
    return (x1 + x2) / 2, (y1 + y2) / 2, x2 - x1, y2 - y1


def four(numbers, like):
    return torch.as_tensor(numbers, dtype=like.dtype, device=like.device)


def encode_offsets(anchors, boxes, mean, std):
    ax, ay, aw, ah = widths(anchors)
    bx, by, bw, bh = widths(boxes)
    raw = torch.stack([(bx - ax) / aw, (by - ay) / ah, torch.log(bw / aw), torch.log(bh / ah)], 1)
    return raw / four(std, anchors)


def decode_offsets(anchors, offsets, mean, std):
    ax, ay, aw, ah = widths(anchors)
    raw = offsets * four(std, anchors) + four(mean, anchors)
    cx, cy = ax + raw[:, 0] * aw, ay + raw[:, 1] * ah
    w, h = aw * torch.exp(raw[:, 2]), ah * torch.exp(raw[:, 3])
    return torch.stack([cx - w / 2, cy - h / 2, cx + w / 2, cy + h / 2], 1)


# --- mean ignored in decode


def widths(corners):
    x1, y1, x2, y2 = corners.unbind(1)
    return (x1 + x2) / 2, (y1 + y2) / 2, x2 - x1, y2 - y1


def four(numbers, like):
    return torch.as_tensor(numbers, dtype=like.dtype, device=like.device)


def encode_offsets(anchors, boxes, mean, std):
    ax, ay, aw, ah = widths(anchors)
    bx, by, bw, bh = widths(boxes)
    raw = torch.stack([(bx - ax) / aw, (by - ay) / ah, torch.log(bw / aw), torch.log(bh / ah)], 1)
    return (raw - four(mean, anchors)) / four(std, anchors)


def decode_offsets(anchors, offsets, mean, std):
    ax, ay, aw, ah = widths(anchors)
    raw = offsets * four(std, anchors)
    cx, cy = ax + raw[:, 0] * aw, ay + raw[:, 1] * ah
    w, h = aw * torch.exp(raw[:, 2]), ah * torch.exp(raw[:, 3])
    return torch.stack([cx - w / 2, cy - h / 2, cx + w / 2, cy + h / 2], 1)


# --- mean ignored in both


def widths(corners):
    x1, y1, x2, y2 = corners.unbind(1)
    return (x1 + x2) / 2, (y1 + y2) / 2, x2 - x1, y2 - y1


def four(numbers, like):
    return torch.as_tensor(numbers, dtype=like.dtype, device=like.device)


def encode_offsets(anchors, boxes, mean, std):
    ax, ay, aw, ah = widths(anchors)
    bx, by, bw, bh = widths(boxes)
    raw = torch.stack([(bx - ax) / aw, (by - ay) / ah, torch.log(bw / aw), torch.log(bh / ah)], 1)
    return raw / four(std, anchors)


def decode_offsets(anchors, offsets, mean, std):
    ax, ay, aw, ah = widths(anchors)
    raw = offsets * four(std, anchors)
    cx, cy = ax + raw[:, 0] * aw, ay + raw[:, 1] * ah
    w, h = aw * torch.exp(raw[:, 2]), ah * torch.exp(raw[:, 3])
    return torch.stack([cx - w / 2, cy - h / 2, cx + w / 2, cy + h / 2], 1)


# --- std ignored in both


def widths(corners):
    x1, y1, x2, y2 = corners.unbind(1)
    return (x1 + x2) / 2, (y1 + y2) / 2, x2 - x1, y2 - y1


def four(numbers, like):
    return torch.as_tensor(numbers, dtype=like.dtype, device=like.device)


def encode_offsets(anchors, boxes, mean, std):
    ax, ay, aw, ah = widths(anchors)
    bx, by, bw, bh = widths(boxes)
    raw = torch.stack([(bx - ax) / aw, (by - ay) / ah, torch.log(bw / aw), torch.log(bh / ah)], 1)
    return raw - four(mean, anchors)


def decode_offsets(anchors, offsets, mean, std):
    ax, ay, aw, ah = widths(anchors)
    raw = offsets + four(mean, anchors)
    cx, cy = ax + raw[:, 0] * aw, ay + raw[:, 1] * ah
    w, h = aw * torch.exp(raw[:, 2]), ah * torch.exp(raw[:, 3])
    return torch.stack([cx - w / 2, cy - h / 2, cx + w / 2, cy + h / 2], 1)


# --- mean taken off after the division


def widths(corners):
    x1, y1, x2, y2 = corners.unbind(1)
    return (x1 + x2) / 2, (y1 + y2) / 2, x2 - x1, y2 - y1


def four(numbers, like):
    return torch.as_tensor(numbers, dtype=like.dtype, device=like.device)


def encode_offsets(anchors, boxes, mean, std):
    ax, ay, aw, ah = widths(anchors)
    bx, by, bw, bh = widths(boxes)
    raw = torch.stack([(bx - ax) / aw, (by - ay) / ah, torch.log(bw / aw), torch.log(bh / ah)], 1)
    return raw / four(std, anchors) - four(mean, anchors)


def decode_offsets(anchors, offsets, mean, std):
    ax, ay, aw, ah = widths(anchors)
    raw = offsets * four(std, anchors) + four(mean, anchors)
    cx, cy = ax + raw[:, 0] * aw, ay + raw[:, 1] * ah
    w, h = aw * torch.exp(raw[:, 2]), ah * torch.exp(raw[:, 3])
    return torch.stack([cx - w / 2, cy - h / 2, cx + w / 2, cy + h / 2], 1)


# --- mean added before the product


def widths(corners):
    x1, y1, x2, y2 = corners.unbind(1)
    return (x1 + x2) / 2, (y1 + y2) / 2, x2 - x1, y2 - y1


def four(numbers, like):
    return torch.as_tensor(numbers, dtype=like.dtype, device=like.device)


def encode_offsets(anchors, boxes, mean, std):
    ax, ay, aw, ah = widths(anchors)
    bx, by, bw, bh = widths(boxes)
    raw = torch.stack([(bx - ax) / aw, (by - ay) / ah, torch.log(bw / aw), torch.log(bh / ah)], 1)
    return (raw - four(mean, anchors)) / four(std, anchors)


def decode_offsets(anchors, offsets, mean, std):
    ax, ay, aw, ah = widths(anchors)
    raw = (offsets + four(mean, anchors)) * four(std, anchors)
    cx, cy = ax + raw[:, 0] * aw, ay + raw[:, 1] * ah
    w, h = aw * torch.exp(raw[:, 2]), ah * torch.exp(raw[:, 3])
    return torch.stack([cx - w / 2, cy - h / 2, cx + w / 2, cy + h / 2], 1)


# --- mean added in encode, taken off in decode


def widths(corners):
    x1, y1, x2, y2 = corners.unbind(1)
    return (x1 + x2) / 2, (y1 + y2) / 2, x2 - x1, y2 - y1


def four(numbers, like):
    return torch.as_tensor(numbers, dtype=like.dtype, device=like.device)


def encode_offsets(anchors, boxes, mean, std):
    ax, ay, aw, ah = widths(anchors)
    bx, by, bw, bh = widths(boxes)
    raw = torch.stack([(bx - ax) / aw, (by - ay) / ah, torch.log(bw / aw), torch.log(bh / ah)], 1)
    return (raw + four(mean, anchors)) / four(std, anchors)


def decode_offsets(anchors, offsets, mean, std):
    ax, ay, aw, ah = widths(anchors)
    raw = offsets * four(std, anchors) - four(mean, anchors)
    cx, cy = ax + raw[:, 0] * aw, ay + raw[:, 1] * ah
    w, h = aw * torch.exp(raw[:, 2]), ah * torch.exp(raw[:, 3])
    return torch.stack([cx - w / 2, cy - h / 2, cx + w / 2, cy + h / 2], 1)


# --- the usual std, whatever is asked for


def widths(corners):
    x1, y1, x2, y2 = corners.unbind(1)
    return (x1 + x2) / 2, (y1 + y2) / 2, x2 - x1, y2 - y1


def four(numbers, like):
    return torch.as_tensor(numbers, dtype=like.dtype, device=like.device)


def encode_offsets(anchors, boxes, mean, std):
    ax, ay, aw, ah = widths(anchors)
    bx, by, bw, bh = widths(boxes)
    raw = torch.stack([(bx - ax) / aw, (by - ay) / ah, torch.log(bw / aw), torch.log(bh / ah)], 1)
    return (raw - four(mean, anchors)) / four((0.1, 0.1, 0.2, 0.2), anchors)


def decode_offsets(anchors, offsets, mean, std):
    ax, ay, aw, ah = widths(anchors)
    raw = offsets * four(std, anchors) + four(mean, anchors)
    cx, cy = ax + raw[:, 0] * aw, ay + raw[:, 1] * ah
    w, h = aw * torch.exp(raw[:, 2]), ah * torch.exp(raw[:, 3])
    return torch.stack([cx - w / 2, cy - h / 2, cx + w / 2, cy + h / 2], 1)


# --- the usual std in decode, whatever is asked for


def widths(corners):
    x1, y1, x2, y2 = corners.unbind(1)
    return (x1 + x2) / 2, (y1 + y2) / 2, x2 - x1, y2 - y1


def four(numbers, like):
    return torch.as_tensor(numbers, dtype=like.dtype, device=like.device)


def encode_offsets(anchors, boxes, mean, std):
    ax, ay, aw, ah = widths(anchors)
    bx, by, bw, bh = widths(boxes)
    raw = torch.stack([(bx - ax) / aw, (by - ay) / ah, torch.log(bw / aw), torch.log(bh / ah)], 1)
    return (raw - four(mean, anchors)) / four(std, anchors)


def decode_offsets(anchors, offsets, mean, std):
    ax, ay, aw, ah = widths(anchors)
    raw = offsets * four((0.1, 0.1, 0.2, 0.2), anchors) + four(mean, anchors)
    cx, cy = ax + raw[:, 0] * aw, ay + raw[:, 1] * ah
    w, h = aw * torch.exp(raw[:, 2]), ah * torch.exp(raw[:, 3])
    return torch.stack([cx - w / 2, cy - h / 2, cx + w / 2, cy + h / 2], 1)


# --- one std for all columns


def widths(corners):
    x1, y1, x2, y2 = corners.unbind(1)
    return (x1 + x2) / 2, (y1 + y2) / 2, x2 - x1, y2 - y1


def four(numbers, like):
    return torch.as_tensor(numbers, dtype=like.dtype, device=like.device)


def encode_offsets(anchors, boxes, mean, std):
    ax, ay, aw, ah = widths(anchors)
    bx, by, bw, bh = widths(boxes)
    raw = torch.stack([(bx - ax) / aw, (by - ay) / ah, torch.log(bw / aw), torch.log(bh / ah)], 1)
    return (raw - four(mean, anchors)) / four(std, anchors)[0]


def decode_offsets(anchors, offsets, mean, std):
    ax, ay, aw, ah = widths(anchors)
    raw = offsets * four(std, anchors)[0] + four(mean, anchors)
    cx, cy = ax + raw[:, 0] * aw, ay + raw[:, 1] * ah
    w, h = aw * torch.exp(raw[:, 2]), ah * torch.exp(raw[:, 3])
    return torch.stack([cx - w / 2, cy - h / 2, cx + w / 2, cy + h / 2], 1)


# --- std of the first two columns only


def widths(corners):
    x1, y1, x2, y2 = corners.unbind(1)
    return (x1 + x2) / 2, (y1 + y2) / 2, x2 - x1, y2 - y1


def four(numbers, like):
    return torch.as_tensor(numbers, dtype=like.dtype, device=like.device)


def encode_offsets(anchors, boxes, mean, std):
    ax, ay, aw, ah = widths(anchors)
    bx, by, bw, bh = widths(boxes)
    raw = torch.stack([(bx - ax) / aw, (by - ay) / ah, torch.log(bw / aw), torch.log(bh / ah)], 1)
    scale = torch.cat([four(std, anchors)[:2], torch.ones(2, dtype=raw.dtype)])
    return (raw - four(mean, anchors)) / scale


def decode_offsets(anchors, offsets, mean, std):
    ax, ay, aw, ah = widths(anchors)
    raw = offsets * four(std, anchors) + four(mean, anchors)
    cx, cy = ax + raw[:, 0] * aw, ay + raw[:, 1] * ah
    w, h = aw * torch.exp(raw[:, 2]), ah * torch.exp(raw[:, 3])
    return torch.stack([cx - w / 2, cy - h / 2, cx + w / 2, cy + h / 2], 1)


# --- in units of the box instead of the anchor


def widths(corners):
    x1, y1, x2, y2 = corners.unbind(1)
    return (x1 + x2) / 2, (y1 + y2) / 2, x2 - x1, y2 - y1


def four(numbers, like):
    return torch.as_tensor(numbers, dtype=like.dtype, device=like.device)


def encode_offsets(anchors, boxes, mean, std):
    ax, ay, aw, ah = widths(anchors)
    bx, by, bw, bh = widths(boxes)
    raw = torch.stack([(bx - ax) / bw, (by - ay) / bh, torch.log(bw / aw), torch.log(bh / ah)], 1)
    return (raw - four(mean, anchors)) / four(std, anchors)


def decode_offsets(anchors, offsets, mean, std):
    ax, ay, aw, ah = widths(anchors)
    raw = offsets * four(std, anchors) + four(mean, anchors)
    cx, cy = ax + raw[:, 0] * aw, ay + raw[:, 1] * ah
    w, h = aw * torch.exp(raw[:, 2]), ah * torch.exp(raw[:, 3])
    return torch.stack([cx - w / 2, cy - h / 2, cx + w / 2, cy + h / 2], 1)


# --- x in units of the height


def widths(corners):
    x1, y1, x2, y2 = corners.unbind(1)
    return (x1 + x2) / 2, (y1 + y2) / 2, x2 - x1, y2 - y1


def four(numbers, like):
    return torch.as_tensor(numbers, dtype=like.dtype, device=like.device)


def encode_offsets(anchors, boxes, mean, std):
    ax, ay, aw, ah = widths(anchors)
    bx, by, bw, bh = widths(boxes)
    raw = torch.stack([(bx - ax) / ah, (by - ay) / aw, torch.log(bw / aw), torch.log(bh / ah)], 1)
    return (raw - four(mean, anchors)) / four(std, anchors)


def decode_offsets(anchors, offsets, mean, std):
    ax, ay, aw, ah = widths(anchors)
    raw = offsets * four(std, anchors) + four(mean, anchors)
    cx, cy = ax + raw[:, 0] * aw, ay + raw[:, 1] * ah
    w, h = aw * torch.exp(raw[:, 2]), ah * torch.exp(raw[:, 3])
    return torch.stack([cx - w / 2, cy - h / 2, cx + w / 2, cy + h / 2], 1)


# --- both in units of the width


def widths(corners):
    x1, y1, x2, y2 = corners.unbind(1)
    return (x1 + x2) / 2, (y1 + y2) / 2, x2 - x1, y2 - y1


def four(numbers, like):
    return torch.as_tensor(numbers, dtype=like.dtype, device=like.device)


def encode_offsets(anchors, boxes, mean, std):
    ax, ay, aw, ah = widths(anchors)
    bx, by, bw, bh = widths(boxes)
    raw = torch.stack([(bx - ax) / aw, (by - ay) / aw, torch.log(bw / aw), torch.log(bh / ah)], 1)
    return (raw - four(mean, anchors)) / four(std, anchors)


def decode_offsets(anchors, offsets, mean, std):
    ax, ay, aw, ah = widths(anchors)
    raw = offsets * four(std, anchors) + four(mean, anchors)
    cx, cy = ax + raw[:, 0] * aw, ay + raw[:, 1] * aw
    w, h = aw * torch.exp(raw[:, 2]), ah * torch.exp(raw[:, 3])
    return torch.stack([cx - w / 2, cy - h / 2, cx + w / 2, cy + h / 2], 1)


# --- anchor less box


def widths(corners):
    x1, y1, x2, y2 = corners.unbind(1)
    return (x1 + x2) / 2, (y1 + y2) / 2, x2 - x1, y2 - y1


def four(numbers, like):
    return torch.as_tensor(numbers, dtype=like.dtype, device=like.device)


def encode_offsets(anchors, boxes, mean, std):
    ax, ay, aw, ah = widths(anchors)
    bx, by, bw, bh = widths(boxes)
    raw = torch.stack([(ax - bx) / aw, (ay - by) / ah, torch.log(bw / aw), torch.log(bh / ah)], 1)
    return (raw - four(mean, anchors)) / four(std, anchors)


def decode_offsets(anchors, offsets, mean, std):
    ax, ay, aw, ah = widths(anchors)
    raw = offsets * four(std, anchors) + four(mean, anchors)
    cx, cy = ax + raw[:, 0] * aw, ay + raw[:, 1] * ah
    w, h = aw * torch.exp(raw[:, 2]), ah * torch.exp(raw[:, 3])
    return torch.stack([cx - w / 2, cy - h / 2, cx + w / 2, cy + h / 2], 1)


# --- anchor over box


def widths(corners):
    x1, y1, x2, y2 = corners.unbind(1)
    return (x1 + x2) / 2, (y1 + y2) / 2, x2 - x1, y2 - y1


def four(numbers, like):
    return torch.as_tensor(numbers, dtype=like.dtype, device=like.device)


def encode_offsets(anchors, boxes, mean, std):
    ax, ay, aw, ah = widths(anchors)
    bx, by, bw, bh = widths(boxes)
    raw = torch.stack([(bx - ax) / aw, (by - ay) / ah, torch.log(aw / bw), torch.log(ah / bh)], 1)
    return (raw - four(mean, anchors)) / four(std, anchors)


def decode_offsets(anchors, offsets, mean, std):
    ax, ay, aw, ah = widths(anchors)
    raw = offsets * four(std, anchors) + four(mean, anchors)
    cx, cy = ax + raw[:, 0] * aw, ay + raw[:, 1] * ah
    w, h = aw * torch.exp(raw[:, 2]), ah * torch.exp(raw[:, 3])
    return torch.stack([cx - w / 2, cy - h / 2, cx + w / 2, cy + h / 2], 1)


# --- width and height swapped


def widths(corners):
    x1, y1, x2, y2 = corners.unbind(1)
    return (x1 + x2) / 2, (y1 + y2) / 2, y2 - y1, x2 - x1


def four(numbers, like):
    return torch.as_tensor(numbers, dtype=like.dtype, device=like.device)


def encode_offsets(anchors, boxes, mean, std):
    ax, ay, aw, ah = widths(anchors)
    bx, by, bw, bh = widths(boxes)
    raw = torch.stack([(bx - ax) / aw, (by - ay) / ah, torch.log(bw / aw), torch.log(bh / ah)], 1)
    return (raw - four(mean, anchors)) / four(std, anchors)


def decode_offsets(anchors, offsets, mean, std):
    ax, ay, aw, ah = widths(anchors)
    raw = offsets * four(std, anchors) + four(mean, anchors)
    cx, cy = ax + raw[:, 0] * aw, ay + raw[:, 1] * ah
    w, h = aw * torch.exp(raw[:, 2]), ah * torch.exp(raw[:, 3])
    return torch.stack([cx - w / 2, cy - h / 2, cx + w / 2, cy + h / 2], 1)


# --- only numbers in a tensor


def widths(corners):
    x1, y1, x2, y2 = corners.unbind(1)
    return (x1 + x2) / 2, (y1 + y2) / 2, x2 - x1, y2 - y1


def four(numbers, like):
    return numbers.to(like.dtype)


def encode_offsets(anchors, boxes, mean, std):
    ax, ay, aw, ah = widths(anchors)
    bx, by, bw, bh = widths(boxes)
    raw = torch.stack([(bx - ax) / aw, (by - ay) / ah, torch.log(bw / aw), torch.log(bh / ah)], 1)
    return (raw - four(mean, anchors)) / four(std, anchors)


def decode_offsets(anchors, offsets, mean, std):
    ax, ay, aw, ah = widths(anchors)
    raw = offsets * four(std, anchors) + four(mean, anchors)
    cx, cy = ax + raw[:, 0] * aw, ay + raw[:, 1] * ah
    w, h = aw * torch.exp(raw[:, 2]), ah * torch.exp(raw[:, 3])
    return torch.stack([cx - w / 2, cy - h / 2, cx + w / 2, cy + h / 2], 1)


# --- only numbers in a list


def widths(corners):
    x1, y1, x2, y2 = corners.unbind(1)
    return (x1 + x2) / 2, (y1 + y2) / 2, x2 - x1, y2 - y1


def four(numbers, like):
    return torch.tensor([] + numbers, dtype=like.dtype)


def encode_offsets(anchors, boxes, mean, std):
    ax, ay, aw, ah = widths(anchors)
    bx, by, bw, bh = widths(boxes)
    raw = torch.stack([(bx - ax) / aw, (by - ay) / ah, torch.log(bw / aw), torch.log(bh / ah)], 1)
    return (raw - four(mean, anchors)) / four(std, anchors)


def decode_offsets(anchors, offsets, mean, std):
    ax, ay, aw, ah = widths(anchors)
    raw = offsets * four(std, anchors) + four(mean, anchors)
    cx, cy = ax + raw[:, 0] * aw, ay + raw[:, 1] * ah
    w, h = aw * torch.exp(raw[:, 2]), ah * torch.exp(raw[:, 3])
    return torch.stack([cx - w / 2, cy - h / 2, cx + w / 2, cy + h / 2], 1)


# --- mean and std as float32


def widths(corners):
    x1, y1, x2, y2 = corners.unbind(1)
    return (x1 + x2) / 2, (y1 + y2) / 2, x2 - x1, y2 - y1


def four(numbers, like):
    return torch.as_tensor(numbers, dtype=torch.float32)


def encode_offsets(anchors, boxes, mean, std):
    ax, ay, aw, ah = widths(anchors)
    bx, by, bw, bh = widths(boxes)
    raw = torch.stack([(bx - ax) / aw, (by - ay) / ah, torch.log(bw / aw), torch.log(bh / ah)], 1)
    return (raw - four(mean, anchors)) / four(std, anchors)


def decode_offsets(anchors, offsets, mean, std):
    ax, ay, aw, ah = widths(anchors)
    raw = offsets * four(std, anchors) + four(mean, anchors)
    cx, cy = ax + raw[:, 0] * aw, ay + raw[:, 1] * ah
    w, h = aw * torch.exp(raw[:, 2]), ah * torch.exp(raw[:, 3])
    return torch.stack([cx - w / 2, cy - h / 2, cx + w / 2, cy + h / 2], 1)


# --- mean and std rounded to float32, then cast


def widths(corners):
    x1, y1, x2, y2 = corners.unbind(1)
    return (x1 + x2) / 2, (y1 + y2) / 2, x2 - x1, y2 - y1


def four(numbers, like):
    return torch.as_tensor(numbers, dtype=torch.float32).to(like.dtype)


def encode_offsets(anchors, boxes, mean, std):
    ax, ay, aw, ah = widths(anchors)
    bx, by, bw, bh = widths(boxes)
    raw = torch.stack([(bx - ax) / aw, (by - ay) / ah, torch.log(bw / aw), torch.log(bh / ah)], 1)
    return (raw - four(mean, anchors)) / four(std, anchors)


def decode_offsets(anchors, offsets, mean, std):
    ax, ay, aw, ah = widths(anchors)
    raw = offsets * four(std, anchors) + four(mean, anchors)
    cx, cy = ax + raw[:, 0] * aw, ay + raw[:, 1] * ah
    w, h = aw * torch.exp(raw[:, 2]), ah * torch.exp(raw[:, 3])
    return torch.stack([cx - w / 2, cy - h / 2, cx + w / 2, cy + h / 2], 1)


# --- anchors cut from the graph in encode


def widths(corners):
    x1, y1, x2, y2 = corners.unbind(1)
    return (x1 + x2) / 2, (y1 + y2) / 2, x2 - x1, y2 - y1


def four(numbers, like):
    return torch.as_tensor(numbers, dtype=like.dtype, device=like.device)


def encode_offsets(anchors, boxes, mean, std):
    ax, ay, aw, ah = widths(anchors.detach())
    bx, by, bw, bh = widths(boxes)
    raw = torch.stack([(bx - ax) / aw, (by - ay) / ah, torch.log(bw / aw), torch.log(bh / ah)], 1)
    return (raw - four(mean, anchors)) / four(std, anchors)


def decode_offsets(anchors, offsets, mean, std):
    ax, ay, aw, ah = widths(anchors)
    raw = offsets * four(std, anchors) + four(mean, anchors)
    cx, cy = ax + raw[:, 0] * aw, ay + raw[:, 1] * ah
    w, h = aw * torch.exp(raw[:, 2]), ah * torch.exp(raw[:, 3])
    return torch.stack([cx - w / 2, cy - h / 2, cx + w / 2, cy + h / 2], 1)


# --- anchors cut from the graph in decode


def widths(corners):
    x1, y1, x2, y2 = corners.unbind(1)
    return (x1 + x2) / 2, (y1 + y2) / 2, x2 - x1, y2 - y1


def four(numbers, like):
    return torch.as_tensor(numbers, dtype=like.dtype, device=like.device)


def encode_offsets(anchors, boxes, mean, std):
    ax, ay, aw, ah = widths(anchors)
    bx, by, bw, bh = widths(boxes)
    raw = torch.stack([(bx - ax) / aw, (by - ay) / ah, torch.log(bw / aw), torch.log(bh / ah)], 1)
    return (raw - four(mean, anchors)) / four(std, anchors)


def decode_offsets(anchors, offsets, mean, std):
    ax, ay, aw, ah = widths(anchors.detach())
    raw = offsets * four(std, anchors) + four(mean, anchors)
    cx, cy = ax + raw[:, 0] * aw, ay + raw[:, 1] * ah
    w, h = aw * torch.exp(raw[:, 2]), ah * torch.exp(raw[:, 3])
    return torch.stack([cx - w / 2, cy - h / 2, cx + w / 2, cy + h / 2], 1)


# --- boxes cut from the graph


def widths(corners):
    x1, y1, x2, y2 = corners.unbind(1)
    return (x1 + x2) / 2, (y1 + y2) / 2, x2 - x1, y2 - y1


def four(numbers, like):
    return torch.as_tensor(numbers, dtype=like.dtype, device=like.device)


def encode_offsets(anchors, boxes, mean, std):
    ax, ay, aw, ah = widths(anchors)
    bx, by, bw, bh = widths(boxes.detach())
    raw = torch.stack([(bx - ax) / aw, (by - ay) / ah, torch.log(bw / aw), torch.log(bh / ah)], 1)
    return (raw - four(mean, anchors)) / four(std, anchors)


def decode_offsets(anchors, offsets, mean, std):
    ax, ay, aw, ah = widths(anchors)
    raw = offsets * four(std, anchors) + four(mean, anchors)
    cx, cy = ax + raw[:, 0] * aw, ay + raw[:, 1] * ah
    w, h = aw * torch.exp(raw[:, 2]), ah * torch.exp(raw[:, 3])
    return torch.stack([cx - w / 2, cy - h / 2, cx + w / 2, cy + h / 2], 1)


# --- offsets cut from the graph for the sizes


def widths(corners):
    x1, y1, x2, y2 = corners.unbind(1)
    return (x1 + x2) / 2, (y1 + y2) / 2, x2 - x1, y2 - y1


def four(numbers, like):
    return torch.as_tensor(numbers, dtype=like.dtype, device=like.device)


def encode_offsets(anchors, boxes, mean, std):
    ax, ay, aw, ah = widths(anchors)
    bx, by, bw, bh = widths(boxes)
    raw = torch.stack([(bx - ax) / aw, (by - ay) / ah, torch.log(bw / aw), torch.log(bh / ah)], 1)
    return (raw - four(mean, anchors)) / four(std, anchors)


def decode_offsets(anchors, offsets, mean, std):
    ax, ay, aw, ah = widths(anchors)
    raw = offsets * four(std, anchors) + four(mean, anchors)
    cx, cy = ax + raw[:, 0] * aw, ay + raw[:, 1] * ah
    w, h = aw * torch.exp(raw[:, 2].detach()), ah * torch.exp(raw[:, 3].detach())
    return torch.stack([cx - w / 2, cy - h / 2, cx + w / 2, cy + h / 2], 1)


# --- decode in no_grad


def widths(corners):
    x1, y1, x2, y2 = corners.unbind(1)
    return (x1 + x2) / 2, (y1 + y2) / 2, x2 - x1, y2 - y1


def four(numbers, like):
    return torch.as_tensor(numbers, dtype=like.dtype, device=like.device)


def encode_offsets(anchors, boxes, mean, std):
    ax, ay, aw, ah = widths(anchors)
    bx, by, bw, bh = widths(boxes)
    raw = torch.stack([(bx - ax) / aw, (by - ay) / ah, torch.log(bw / aw), torch.log(bh / ah)], 1)
    return (raw - four(mean, anchors)) / four(std, anchors)


@torch.no_grad()
def decode_offsets(anchors, offsets, mean, std):
    ax, ay, aw, ah = widths(anchors)
    raw = offsets * four(std, anchors) + four(mean, anchors)
    cx, cy = ax + raw[:, 0] * aw, ay + raw[:, 1] * ah
    w, h = aw * torch.exp(raw[:, 2]), ah * torch.exp(raw[:, 3])
    return torch.stack([cx - w / 2, cy - h / 2, cx + w / 2, cy + h / 2], 1)


# --- decode gives centre and size


def widths(corners):
    x1, y1, x2, y2 = corners.unbind(1)
    return (x1 + x2) / 2, (y1 + y2) / 2, x2 - x1, y2 - y1


def four(numbers, like):
    return torch.as_tensor(numbers, dtype=like.dtype, device=like.device)


def encode_offsets(anchors, boxes, mean, std):
    ax, ay, aw, ah = widths(anchors)
    bx, by, bw, bh = widths(boxes)
    raw = torch.stack([(bx - ax) / aw, (by - ay) / ah, torch.log(bw / aw), torch.log(bh / ah)], 1)
    return (raw - four(mean, anchors)) / four(std, anchors)


def decode_offsets(anchors, offsets, mean, std):
    ax, ay, aw, ah = widths(anchors)
    raw = offsets * four(std, anchors) + four(mean, anchors)
    cx, cy = ax + raw[:, 0] * aw, ay + raw[:, 1] * ah
    w, h = aw * torch.exp(raw[:, 2]), ah * torch.exp(raw[:, 3])
    return torch.stack([cx, cy, w, h], 1)


# --- decode takes the whole size on both sides


def widths(corners):
    x1, y1, x2, y2 = corners.unbind(1)
    return (x1 + x2) / 2, (y1 + y2) / 2, x2 - x1, y2 - y1


def four(numbers, like):
    return torch.as_tensor(numbers, dtype=like.dtype, device=like.device)


def encode_offsets(anchors, boxes, mean, std):
    ax, ay, aw, ah = widths(anchors)
    bx, by, bw, bh = widths(boxes)
    raw = torch.stack([(bx - ax) / aw, (by - ay) / ah, torch.log(bw / aw), torch.log(bh / ah)], 1)
    return (raw - four(mean, anchors)) / four(std, anchors)


def decode_offsets(anchors, offsets, mean, std):
    ax, ay, aw, ah = widths(anchors)
    raw = offsets * four(std, anchors) + four(mean, anchors)
    cx, cy = ax + raw[:, 0] * aw, ay + raw[:, 1] * ah
    w, h = aw * torch.exp(raw[:, 2]), ah * torch.exp(raw[:, 3])
    return torch.stack([cx - w, cy - h, cx + w, cy + h], 1)


# --- decode gives x1, x2, y1, y2


def widths(corners):
    x1, y1, x2, y2 = corners.unbind(1)
    return (x1 + x2) / 2, (y1 + y2) / 2, x2 - x1, y2 - y1


def four(numbers, like):
    return torch.as_tensor(numbers, dtype=like.dtype, device=like.device)


def encode_offsets(anchors, boxes, mean, std):
    ax, ay, aw, ah = widths(anchors)
    bx, by, bw, bh = widths(boxes)
    raw = torch.stack([(bx - ax) / aw, (by - ay) / ah, torch.log(bw / aw), torch.log(bh / ah)], 1)
    return (raw - four(mean, anchors)) / four(std, anchors)


def decode_offsets(anchors, offsets, mean, std):
    ax, ay, aw, ah = widths(anchors)
    raw = offsets * four(std, anchors) + four(mean, anchors)
    cx, cy = ax + raw[:, 0] * aw, ay + raw[:, 1] * ah
    w, h = aw * torch.exp(raw[:, 2]), ah * torch.exp(raw[:, 3])
    return torch.stack([cx - w / 2, cx + w / 2, cy - h / 2, cy + h / 2], 1)


# --- columns stacked as rows


def widths(corners):
    x1, y1, x2, y2 = corners.unbind(1)
    return (x1 + x2) / 2, (y1 + y2) / 2, x2 - x1, y2 - y1


def four(numbers, like):
    return torch.as_tensor(numbers, dtype=like.dtype, device=like.device)


def encode_offsets(anchors, boxes, mean, std):
    ax, ay, aw, ah = widths(anchors)
    bx, by, bw, bh = widths(boxes)
    raw = torch.stack([(bx - ax) / aw, (by - ay) / ah, torch.log(bw / aw), torch.log(bh / ah)], 1)
    return (raw - four(mean, anchors)) / four(std, anchors)


def decode_offsets(anchors, offsets, mean, std):
    ax, ay, aw, ah = widths(anchors)
    raw = offsets * four(std, anchors) + four(mean, anchors)
    cx, cy = ax + raw[:, 0] * aw, ay + raw[:, 1] * ah
    w, h = aw * torch.exp(raw[:, 2]), ah * torch.exp(raw[:, 3])
    return torch.stack([cx - w / 2, cy - h / 2, cx + w / 2, cy + h / 2])


# --- the anchor's size forgotten in the shift


def widths(corners):
    x1, y1, x2, y2 = corners.unbind(1)
    return (x1 + x2) / 2, (y1 + y2) / 2, x2 - x1, y2 - y1


def four(numbers, like):
    return torch.as_tensor(numbers, dtype=like.dtype, device=like.device)


def encode_offsets(anchors, boxes, mean, std):
    ax, ay, aw, ah = widths(anchors)
    bx, by, bw, bh = widths(boxes)
    raw = torch.stack([(bx - ax) / aw, (by - ay) / ah, torch.log(bw / aw), torch.log(bh / ah)], 1)
    return (raw - four(mean, anchors)) / four(std, anchors)


def decode_offsets(anchors, offsets, mean, std):
    ax, ay, aw, ah = widths(anchors)
    raw = offsets * four(std, anchors) + four(mean, anchors)
    cx, cy = ax + raw[:, 0], ay + raw[:, 1]
    w, h = aw * torch.exp(raw[:, 2]), ah * torch.exp(raw[:, 3])
    return torch.stack([cx - w / 2, cy - h / 2, cx + w / 2, cy + h / 2], 1)


# --- shifted in units of the new size


def widths(corners):
    x1, y1, x2, y2 = corners.unbind(1)
    return (x1 + x2) / 2, (y1 + y2) / 2, x2 - x1, y2 - y1


def four(numbers, like):
    return torch.as_tensor(numbers, dtype=like.dtype, device=like.device)


def encode_offsets(anchors, boxes, mean, std):
    ax, ay, aw, ah = widths(anchors)
    bx, by, bw, bh = widths(boxes)
    raw = torch.stack([(bx - ax) / aw, (by - ay) / ah, torch.log(bw / aw), torch.log(bh / ah)], 1)
    return (raw - four(mean, anchors)) / four(std, anchors)


def decode_offsets(anchors, offsets, mean, std):
    ax, ay, aw, ah = widths(anchors)
    raw = offsets * four(std, anchors) + four(mean, anchors)
    w, h = aw * torch.exp(raw[:, 2]), ah * torch.exp(raw[:, 3])
    cx, cy = ax + raw[:, 0] * w, ay + raw[:, 1] * h
    return torch.stack([cx - w / 2, cy - h / 2, cx + w / 2, cy + h / 2], 1)


# --- the anchor's size forgotten in the stretch


def widths(corners):
    x1, y1, x2, y2 = corners.unbind(1)
    return (x1 + x2) / 2, (y1 + y2) / 2, x2 - x1, y2 - y1


def four(numbers, like):
    return torch.as_tensor(numbers, dtype=like.dtype, device=like.device)


def encode_offsets(anchors, boxes, mean, std):
    ax, ay, aw, ah = widths(anchors)
    bx, by, bw, bh = widths(boxes)
    raw = torch.stack([(bx - ax) / aw, (by - ay) / ah, torch.log(bw / aw), torch.log(bh / ah)], 1)
    return (raw - four(mean, anchors)) / four(std, anchors)


def decode_offsets(anchors, offsets, mean, std):
    ax, ay, aw, ah = widths(anchors)
    raw = offsets * four(std, anchors) + four(mean, anchors)
    cx, cy = ax + raw[:, 0] * aw, ay + raw[:, 1] * ah
    w, h = torch.exp(raw[:, 2]), torch.exp(raw[:, 3])
    return torch.stack([cx - w / 2, cy - h / 2, cx + w / 2, cy + h / 2], 1)


# --- rounded to whole pixels


def widths(corners):
    x1, y1, x2, y2 = corners.unbind(1)
    return (x1 + x2) / 2, (y1 + y2) / 2, x2 - x1, y2 - y1


def four(numbers, like):
    return torch.as_tensor(numbers, dtype=like.dtype, device=like.device)


def encode_offsets(anchors, boxes, mean, std):
    ax, ay, aw, ah = widths(anchors)
    bx, by, bw, bh = widths(boxes)
    raw = torch.stack([(bx - ax) / aw, (by - ay) / ah, torch.log(bw / aw), torch.log(bh / ah)], 1)
    return (raw - four(mean, anchors)) / four(std, anchors)


def decode_offsets(anchors, offsets, mean, std):
    ax, ay, aw, ah = widths(anchors)
    raw = offsets * four(std, anchors) + four(mean, anchors)
    cx, cy = ax + raw[:, 0] * aw, ay + raw[:, 1] * ah
    w, h = aw * torch.exp(raw[:, 2]), ah * torch.exp(raw[:, 3])
    return torch.stack([cx - w / 2, cy - h / 2, cx + w / 2, cy + h / 2], 1).round()


# --- float32 throughout


def widths(corners):
    x1, y1, x2, y2 = corners.unbind(1)
    return (x1 + x2) / 2, (y1 + y2) / 2, x2 - x1, y2 - y1


def four(numbers, like):
    return torch.as_tensor(numbers, dtype=like.dtype, device=like.device)


def encode_offsets(anchors, boxes, mean, std):
    ax, ay, aw, ah = widths(anchors)
    bx, by, bw, bh = widths(boxes.float())
    raw = torch.stack([(bx - ax) / aw, (by - ay) / ah, torch.log(bw / aw), torch.log(bh / ah)], 1)
    return ((raw - four(mean, anchors)) / four(std, anchors)).float()


def decode_offsets(anchors, offsets, mean, std):
    ax, ay, aw, ah = widths(anchors)
    raw = offsets * four(std, anchors) + four(mean, anchors)
    cx, cy = ax + raw[:, 0] * aw, ay + raw[:, 1] * ah
    w, h = aw * torch.exp(raw[:, 2]), ah * torch.exp(raw[:, 3])
    return torch.stack([cx - w / 2, cy - h / 2, cx + w / 2, cy + h / 2], 1)


# --- float32 inside encode


def widths(corners):
    x1, y1, x2, y2 = corners.unbind(1)
    return (x1 + x2) / 2, (y1 + y2) / 2, x2 - x1, y2 - y1


def four(numbers, like):
    return torch.as_tensor(numbers, dtype=like.dtype, device=like.device)


def encode_offsets(anchors, boxes, mean, std):
    ax, ay, aw, ah = widths(anchors)
    bx, by, bw, bh = widths(boxes)
    raw = torch.stack([(bx - ax) / aw, (by - ay) / ah, torch.log(bw / aw), torch.log(bh / ah)], 1)
    return ((raw - four(mean, anchors)) / four(std, anchors)).float().to(anchors.dtype)


def decode_offsets(anchors, offsets, mean, std):
    ax, ay, aw, ah = widths(anchors)
    raw = offsets * four(std, anchors) + four(mean, anchors)
    cx, cy = ax + raw[:, 0] * aw, ay + raw[:, 1] * ah
    w, h = aw * torch.exp(raw[:, 2]), ah * torch.exp(raw[:, 3])
    return torch.stack([cx - w / 2, cy - h / 2, cx + w / 2, cy + h / 2], 1)


# --- float32 inside decode


def widths(corners):
    x1, y1, x2, y2 = corners.unbind(1)
    return (x1 + x2) / 2, (y1 + y2) / 2, x2 - x1, y2 - y1


def four(numbers, like):
    return torch.as_tensor(numbers, dtype=like.dtype, device=like.device)


def encode_offsets(anchors, boxes, mean, std):
    ax, ay, aw, ah = widths(anchors)
    bx, by, bw, bh = widths(boxes)
    raw = torch.stack([(bx - ax) / aw, (by - ay) / ah, torch.log(bw / aw), torch.log(bh / ah)], 1)
    return (raw - four(mean, anchors)) / four(std, anchors)


def decode_offsets(anchors, offsets, mean, std):
    ax, ay, aw, ah = widths(anchors)
    raw = offsets * four(std, anchors) + four(mean, anchors)
    cx, cy = ax + raw[:, 0] * aw, ay + raw[:, 1] * ah
    w, h = aw * torch.exp(raw[:, 2]), ah * torch.exp(raw[:, 3])
    return torch.stack([cx - w / 2, cy - h / 2, cx + w / 2, cy + h / 2], 1).float().to(anchors.dtype)


# --- no boxes are an error


def widths(corners):
    x1, y1, x2, y2 = corners.unbind(1)
    return (x1 + x2) / 2, (y1 + y2) / 2, x2 - x1, y2 - y1


def four(numbers, like):
    return torch.as_tensor(numbers, dtype=like.dtype, device=like.device)


def encode_offsets(anchors, boxes, mean, std):
    ax, ay, aw, ah = widths(anchors)
    bx, by, bw, bh = widths(boxes)
    if len(boxes) == 0:
        raise ValueError("no boxes")
    raw = torch.stack([(bx - ax) / aw, (by - ay) / ah, torch.log(bw / aw), torch.log(bh / ah)], 1)
    return (raw - four(mean, anchors)) / four(std, anchors)


def decode_offsets(anchors, offsets, mean, std):
    ax, ay, aw, ah = widths(anchors)
    raw = offsets * four(std, anchors) + four(mean, anchors)
    cx, cy = ax + raw[:, 0] * aw, ay + raw[:, 1] * ah
    w, h = aw * torch.exp(raw[:, 2]), ah * torch.exp(raw[:, 3])
    return torch.stack([cx - w / 2, cy - h / 2, cx + w / 2, cy + h / 2], 1)


# --- no boxes give an empty vector


def widths(corners):
    x1, y1, x2, y2 = corners.unbind(1)
    return (x1 + x2) / 2, (y1 + y2) / 2, x2 - x1, y2 - y1


def four(numbers, like):
    return torch.as_tensor(numbers, dtype=like.dtype, device=like.device)


def encode_offsets(anchors, boxes, mean, std):
    ax, ay, aw, ah = widths(anchors)
    bx, by, bw, bh = widths(boxes)
    if len(boxes) == 0:
        return torch.zeros(0)
    raw = torch.stack([(bx - ax) / aw, (by - ay) / ah, torch.log(bw / aw), torch.log(bh / ah)], 1)
    return (raw - four(mean, anchors)) / four(std, anchors)


def decode_offsets(anchors, offsets, mean, std):
    ax, ay, aw, ah = widths(anchors)
    raw = offsets * four(std, anchors) + four(mean, anchors)
    cx, cy = ax + raw[:, 0] * aw, ay + raw[:, 1] * ah
    w, h = aw * torch.exp(raw[:, 2]), ah * torch.exp(raw[:, 3])
    return torch.stack([cx - w / 2, cy - h / 2, cx + w / 2, cy + h / 2], 1)


# --- no boxes in decode: stack of nothing


def widths(corners):
    x1, y1, x2, y2 = corners.unbind(1)
    return (x1 + x2) / 2, (y1 + y2) / 2, x2 - x1, y2 - y1


def four(numbers, like):
    return torch.as_tensor(numbers, dtype=like.dtype, device=like.device)


def encode_offsets(anchors, boxes, mean, std):
    ax, ay, aw, ah = widths(anchors)
    bx, by, bw, bh = widths(boxes)
    raw = torch.stack([(bx - ax) / aw, (by - ay) / ah, torch.log(bw / aw), torch.log(bh / ah)], 1)
    return (raw - four(mean, anchors)) / four(std, anchors)


def decode_offsets(anchors, offsets, mean, std):
    ax, ay, aw, ah = widths(anchors)
    raw = offsets * four(std, anchors) + four(mean, anchors)
    cx, cy = ax + raw[:, 0] * aw, ay + raw[:, 1] * ah
    w, h = aw * torch.exp(raw[:, 2]), ah * torch.exp(raw[:, 3])
    rows = zip(cx, cy, w, h, strict=True)
    return torch.stack([torch.stack([p - r / 2, q - s / 2, p + r / 2, q + s / 2]) for p, q, r, s in rows])


# --- boxes are changed in place


def widths(corners):
    x1, y1, x2, y2 = corners.unbind(1)
    return (x1 + x2) / 2, (y1 + y2) / 2, x2 - x1, y2 - y1


def four(numbers, like):
    return torch.as_tensor(numbers, dtype=like.dtype, device=like.device)


def encode_offsets(anchors, boxes, mean, std):
    ax, ay, aw, ah = widths(anchors)
    bx, by, bw, bh = widths(boxes.clone())
    boxes.data[:, 2:] -= boxes.data[:, :2]
    raw = torch.stack([(bx - ax) / aw, (by - ay) / ah, torch.log(bw / aw), torch.log(bh / ah)], 1)
    return (raw - four(mean, anchors)) / four(std, anchors)


def decode_offsets(anchors, offsets, mean, std):
    ax, ay, aw, ah = widths(anchors)
    raw = offsets * four(std, anchors) + four(mean, anchors)
    cx, cy = ax + raw[:, 0] * aw, ay + raw[:, 1] * ah
    w, h = aw * torch.exp(raw[:, 2]), ah * torch.exp(raw[:, 3])
    return torch.stack([cx - w / 2, cy - h / 2, cx + w / 2, cy + h / 2], 1)


# --- offsets are changed in place


def widths(corners):
    x1, y1, x2, y2 = corners.unbind(1)
    return (x1 + x2) / 2, (y1 + y2) / 2, x2 - x1, y2 - y1


def four(numbers, like):
    return torch.as_tensor(numbers, dtype=like.dtype, device=like.device)


def encode_offsets(anchors, boxes, mean, std):
    ax, ay, aw, ah = widths(anchors)
    bx, by, bw, bh = widths(boxes)
    raw = torch.stack([(bx - ax) / aw, (by - ay) / ah, torch.log(bw / aw), torch.log(bh / ah)], 1)
    return (raw - four(mean, anchors)) / four(std, anchors)


def decode_offsets(anchors, offsets, mean, std):
    ax, ay, aw, ah = widths(anchors)
    raw = offsets * four(std, anchors) + four(mean, anchors)
    offsets.data.mul_(four(std, anchors))
    cx, cy = ax + raw[:, 0] * aw, ay + raw[:, 1] * ah
    w, h = aw * torch.exp(raw[:, 2]), ah * torch.exp(raw[:, 3])
    return torch.stack([cx - w / 2, cy - h / 2, cx + w / 2, cy + h / 2], 1)


# --- std as a tensor is changed in place


def widths(corners):
    x1, y1, x2, y2 = corners.unbind(1)
    return (x1 + x2) / 2, (y1 + y2) / 2, x2 - x1, y2 - y1


def four(numbers, like):
    return torch.as_tensor(numbers, dtype=like.dtype, device=like.device)


def encode_offsets(anchors, boxes, mean, std):
    ax, ay, aw, ah = widths(anchors)
    bx, by, bw, bh = widths(boxes)
    raw = torch.stack([(bx - ax) / aw, (by - ay) / ah, torch.log(bw / aw), torch.log(bh / ah)], 1)
    scale = four(std, anchors)
    return (raw - four(mean, anchors)) * scale.reciprocal_()


def decode_offsets(anchors, offsets, mean, std):
    ax, ay, aw, ah = widths(anchors)
    raw = offsets * four(std, anchors) + four(mean, anchors)
    cx, cy = ax + raw[:, 0] * aw, ay + raw[:, 1] * ah
    w, h = aw * torch.exp(raw[:, 2]), ah * torch.exp(raw[:, 3])
    return torch.stack([cx - w / 2, cy - h / 2, cx + w / 2, cy + h / 2], 1)


# --- mean as a tensor is changed in place


def widths(corners):
    x1, y1, x2, y2 = corners.unbind(1)
    return (x1 + x2) / 2, (y1 + y2) / 2, x2 - x1, y2 - y1


def four(numbers, like):
    return torch.as_tensor(numbers, dtype=like.dtype, device=like.device)


def encode_offsets(anchors, boxes, mean, std):
    ax, ay, aw, ah = widths(anchors)
    bx, by, bw, bh = widths(boxes)
    raw = torch.stack([(bx - ax) / aw, (by - ay) / ah, torch.log(bw / aw), torch.log(bh / ah)], 1)
    return (raw - four(mean, anchors)) / four(std, anchors)


def decode_offsets(anchors, offsets, mean, std):
    ax, ay, aw, ah = widths(anchors)
    raw = four(mean, anchors)
    shifted = offsets * four(std, anchors) + raw
    raw.zero_()
    raw = shifted
    cx, cy = ax + raw[:, 0] * aw, ay + raw[:, 1] * ah
    w, h = aw * torch.exp(raw[:, 2]), ah * torch.exp(raw[:, 3])
    return torch.stack([cx - w / 2, cy - h / 2, cx + w / 2, cy + h / 2], 1)


# --- view on whatever strides there are


def widths(corners):
    x1, y1, x2, y2 = corners.unbind(1)
    return (x1 + x2) / 2, (y1 + y2) / 2, x2 - x1, y2 - y1


def four(numbers, like):
    return torch.as_tensor(numbers, dtype=like.dtype, device=like.device)


def encode_offsets(anchors, boxes, mean, std):
    ax, ay, aw, ah = widths(anchors)
    bx, by, bw, bh = widths(boxes.view(-1).view(-1, 4))
    raw = torch.stack([(bx - ax) / aw, (by - ay) / ah, torch.log(bw / aw), torch.log(bh / ah)], 1)
    return (raw - four(mean, anchors)) / four(std, anchors)


def decode_offsets(anchors, offsets, mean, std):
    ax, ay, aw, ah = widths(anchors)
    raw = offsets * four(std, anchors) + four(mean, anchors)
    cx, cy = ax + raw[:, 0] * aw, ay + raw[:, 1] * ah
    w, h = aw * torch.exp(raw[:, 2]), ah * torch.exp(raw[:, 3])
    return torch.stack([cx - w / 2, cy - h / 2, cx + w / 2, cy + h / 2], 1)


# --- view on whatever strides the offsets have


def widths(corners):
    x1, y1, x2, y2 = corners.unbind(1)
    return (x1 + x2) / 2, (y1 + y2) / 2, x2 - x1, y2 - y1


def four(numbers, like):
    return torch.as_tensor(numbers, dtype=like.dtype, device=like.device)


def encode_offsets(anchors, boxes, mean, std):
    ax, ay, aw, ah = widths(anchors)
    bx, by, bw, bh = widths(boxes)
    raw = torch.stack([(bx - ax) / aw, (by - ay) / ah, torch.log(bw / aw), torch.log(bh / ah)], 1)
    return (raw - four(mean, anchors)) / four(std, anchors)


def decode_offsets(anchors, offsets, mean, std):
    ax, ay, aw, ah = widths(anchors)
    raw = offsets.view(-1).view(-1, 4) * four(std, anchors) + four(mean, anchors)
    cx, cy = ax + raw[:, 0] * aw, ay + raw[:, 1] * ah
    w, h = aw * torch.exp(raw[:, 2]), ah * torch.exp(raw[:, 3])
    return torch.stack([cx - w / 2, cy - h / 2, cx + w / 2, cy + h / 2], 1)


# --- corners are sorted first


def widths(corners):
    x1, y1, x2, y2 = corners.abs().unbind(1)
    return (x1 + x2) / 2, (y1 + y2) / 2, x2 - x1, y2 - y1


def four(numbers, like):
    return torch.as_tensor(numbers, dtype=like.dtype, device=like.device)


def encode_offsets(anchors, boxes, mean, std):
    ax, ay, aw, ah = widths(anchors)
    bx, by, bw, bh = widths(boxes)
    raw = torch.stack([(bx - ax) / aw, (by - ay) / ah, torch.log(bw / aw), torch.log(bh / ah)], 1)
    return (raw - four(mean, anchors)) / four(std, anchors)


def decode_offsets(anchors, offsets, mean, std):
    ax, ay, aw, ah = widths(anchors)
    raw = offsets * four(std, anchors) + four(mean, anchors)
    cx, cy = ax + raw[:, 0] * aw, ay + raw[:, 1] * ah
    w, h = aw * torch.exp(raw[:, 2]), ah * torch.exp(raw[:, 3])
    return torch.stack([cx - w / 2, cy - h / 2, cx + w / 2, cy + h / 2], 1)


# --- a single box loses its dim


def widths(corners):
    x1, y1, x2, y2 = corners.unbind(1)
    return (x1 + x2) / 2, (y1 + y2) / 2, x2 - x1, y2 - y1


def four(numbers, like):
    return torch.as_tensor(numbers, dtype=like.dtype, device=like.device)


def encode_offsets(anchors, boxes, mean, std):
    ax, ay, aw, ah = widths(anchors)
    bx, by, bw, bh = widths(boxes)
    raw = torch.stack([(bx - ax) / aw, (by - ay) / ah, torch.log(bw / aw), torch.log(bh / ah)], 1)
    return ((raw - four(mean, anchors)) / four(std, anchors)).squeeze(0)


def decode_offsets(anchors, offsets, mean, std):
    ax, ay, aw, ah = widths(anchors)
    raw = offsets * four(std, anchors) + four(mean, anchors)
    cx, cy = ax + raw[:, 0] * aw, ay + raw[:, 1] * ah
    w, h = aw * torch.exp(raw[:, 2]), ah * torch.exp(raw[:, 3])
    return torch.stack([cx - w / 2, cy - h / 2, cx + w / 2, cy + h / 2], 1)


# --- one anchor for all boxes


def widths(corners):
    x1, y1, x2, y2 = corners.unbind(1)
    return (x1 + x2) / 2, (y1 + y2) / 2, x2 - x1, y2 - y1


def four(numbers, like):
    return torch.as_tensor(numbers, dtype=like.dtype, device=like.device)


def encode_offsets(anchors, boxes, mean, std):
    ax, ay, aw, ah = widths(anchors[:1])
    bx, by, bw, bh = widths(boxes)
    raw = torch.stack([(bx - ax) / aw, (by - ay) / ah, torch.log(bw / aw), torch.log(bh / ah)], 1)
    return (raw - four(mean, anchors)) / four(std, anchors)


def decode_offsets(anchors, offsets, mean, std):
    ax, ay, aw, ah = widths(anchors)
    raw = offsets * four(std, anchors) + four(mean, anchors)
    cx, cy = ax + raw[:, 0] * aw, ay + raw[:, 1] * ah
    w, h = aw * torch.exp(raw[:, 2]), ah * torch.exp(raw[:, 3])
    return torch.stack([cx - w / 2, cy - h / 2, cx + w / 2, cy + h / 2], 1)


# --- a single box in decode loses its dim


def encode_offsets(anchors, boxes, mean, std):
    size_a, size_b = anchors[:, 2:] - anchors[:, :2], boxes[:, 2:] - boxes[:, :2]
    shift = ((boxes[:, 2:] + boxes[:, :2]) - (anchors[:, 2:] + anchors[:, :2])) / 2 / size_a
    mean, std = (torch.as_tensor(t, dtype=anchors.dtype) for t in (mean, std))
    return (torch.cat([shift, torch.log(size_b / size_a)], 1) - mean) / std


def decode_offsets(anchors, offsets, mean, std):
    mean, std = (torch.as_tensor(t, dtype=anchors.dtype) for t in (mean, std))
    raw = offsets * std + mean
    size_a = anchors[:, 2:] - anchors[:, :2]
    centre = (anchors[:, 2:] + anchors[:, :2]) / 2 + raw[:, :2] * size_a
    size = size_a * torch.exp(raw[:, 2:])
    return torch.cat([centre - size / 2, centre + size / 2], 1).squeeze()
