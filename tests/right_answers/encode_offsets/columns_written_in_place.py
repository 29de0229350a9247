"""A beginner: every column by its own formula, written into an empty tensor."""

import torch


def encode_offsets(anchors, boxes, mean, std):
    w_a = anchors[:, 2] - anchors[:, 0]
    h_a = anchors[:, 3] - anchors[:, 1]
    cx_a = anchors[:, 0] + 0.5 * w_a
    cy_a = anchors[:, 1] + 0.5 * h_a
    w_b = boxes[:, 2] - boxes[:, 0]
    h_b = boxes[:, 3] - boxes[:, 1]
    cx_b = boxes[:, 0] + 0.5 * w_b
    cy_b = boxes[:, 1] + 0.5 * h_b
    offsets = torch.zeros_like(anchors)
    offsets[:, 0] = ((cx_b - cx_a) / w_a - mean[0]) / std[0]
    offsets[:, 1] = ((cy_b - cy_a) / h_a - mean[1]) / std[1]
    offsets[:, 2] = (torch.log(w_b / w_a) - mean[2]) / std[2]
    offsets[:, 3] = (torch.log(h_b / h_a) - mean[3]) / std[3]
    return offsets


def decode_offsets(anchors, offsets, mean, std):
    w_a = anchors[:, 2] - anchors[:, 0]
    h_a = anchors[:, 3] - anchors[:, 1]
    cx_a = anchors[:, 0] + 0.5 * w_a
    cy_a = anchors[:, 1] + 0.5 * h_a
    raw0 = offsets[:, 0] * std[0] + mean[0]
    raw1 = offsets[:, 1] * std[1] + mean[1]
    raw2 = offsets[:, 2] * std[2] + mean[2]
    raw3 = offsets[:, 3] * std[3] + mean[3]
    cx_b = cx_a + raw0 * w_a
    cy_b = cy_a + raw1 * h_a
    w_b = w_a * torch.exp(raw2)
    h_b = h_a * torch.exp(raw3)
    boxes = torch.empty_like(anchors)
    boxes[:, 0] = cx_b - 0.5 * w_b
    boxes[:, 1] = cy_b - 0.5 * h_b
    boxes[:, 2] = cx_b + 0.5 * w_b
    boxes[:, 3] = cy_b + 0.5 * h_b
    return boxes
