"""What offsets, and the way back, have to get right."""

import pytest
import torch

from grader import agree

KINDS = [tuple, list, torch.tensor]
KIND_NAMES = ["tuple", "list", "tensor"]


def corners(make, count, dtype=torch.float32):
    """Boxes of 4 to 30 pixels in and around an image, wide ones and high ones."""
    low, size = make.uniform(-20, 40, count, 2, dtype=dtype), make.uniform(4, 30, count, 2, dtype=dtype)
    return torch.cat([low, low + size], dim=1).requires_grad_()


def four(make, low, high):
    return [make.number(low, high) for _ in range(4)]


# Centres are rounded on the scale of the coordinates; divided by a small width and a small std, that grows.
def same_offsets(student, reference, rtol=1e-4, atol=1e-4):
    return agree(student.encode_offsets, reference.encode_offsets, rtol=rtol, atol=atol)


def same_boxes(student, reference, rtol=1e-4, atol=1e-4):
    return agree(student.decode_offsets, reference.decode_offsets, rtol=rtol, atol=atol)


@pytest.mark.points(2)
@pytest.mark.parametrize("kind", KINDS, ids=KIND_NAMES)
def test_offsets_and_their_gradients(student, reference, make, kind):
    mean, std = kind(four(make, -0.5, 0.5)), kind(four(make, 0.1, 0.5))
    same_offsets(student, reference)(corners(make, 5), corners(make, 5), mean, std)


@pytest.mark.points(2)
@pytest.mark.parametrize("kind", KINDS, ids=KIND_NAMES)
def test_boxes_and_their_gradients(student, reference, make, kind):
    mean, std = kind(four(make, -0.5, 0.5)), kind(four(make, 0.1, 0.5))
    same_boxes(student, reference)(corners(make, 5), make.randn(5, 4, requires_grad=True), mean=mean, std=std)


@pytest.mark.points(2)
def test_decoding_undoes_encoding(student, make):
    anchors, boxes = corners(make, 4, torch.float64).detach(), corners(make, 4, torch.float64).detach()
    mean, std = four(make, -0.5, 0.5), four(make, 0.1, 0.5)
    # Copies: what is compared with is nothing that the student can write to.
    offsets = student.encode_offsets(anchors.clone(), boxes.clone(), mean, std)
    back = student.decode_offsets(anchors.clone(), offsets.detach(), mean, std)
    assert back.shape == boxes.shape, "there is one box for each row of offsets"
    assert torch.allclose(back, boxes), "decoding the offsets of boxes must give back these boxes"


def test_where_the_picture_lies_and_how_large_it_is_does_not_matter(student, make):
    anchors, boxes = corners(make, 4, torch.float64).detach(), corners(make, 4, torch.float64).detach()
    mean, std = four(make, -0.5, 0.5), four(make, 0.1, 0.5)
    moved = make.randn(2, dtype=torch.float64, scale=30.0).repeat(2)
    before = student.encode_offsets(anchors, boxes, mean, std)
    after = student.encode_offsets(3 * anchors + moved, 3 * boxes + moved, mean, std)
    assert after.shape == before.shape == boxes.shape, "there is one row of offsets for each box"
    assert torch.allclose(after, before), "shift and scale anchor and box together: the offsets must stay"


def test_tiny_and_huge_boxes(student, reference, make):
    mean, std = [0.0, 0.0, 0.0, 0.0], [0.1, 0.1, 0.2, 0.2]
    extremes = make.tensor([[3.0, 5.0, 3.004, 5.002], [-4e3, -9e3, 2e4, 3e4]], dtype=torch.float64)
    boxes = corners(make, 2, torch.float64)
    agreeing = same_offsets(student, reference, rtol=1e-9, atol=1e-9)
    agreeing(boxes, extremes.requires_grad_(), mean, std)
    agreeing(extremes, boxes, mean, std)
    anchors = corners(make, 2)
    offsets = make.tensor([[0.5, -2.0, -40.0, -35.0], [-7.0, 3.0, 25.0, 30.0]], requires_grad=True)
    same_boxes(student, reference, rtol=1e-3, atol=1e-3)(anchors, offsets, mean, std)


def test_double_precision(student, reference, make):
    anchors, boxes = corners(make, 3, torch.float64), corners(make, 3, torch.float64)
    mean, std = four(make, -0.5, 0.5), four(make, 0.1, 0.5)
    same_offsets(student, reference, rtol=1e-10, atol=1e-10)(anchors, boxes, mean, std)
    offsets = make.randn(3, 4, dtype=torch.float64, requires_grad=True)
    same_boxes(student, reference, rtol=1e-10, atol=1e-10)(anchors, offsets, mean, std)


@pytest.mark.parametrize("count", [0, 1], ids=["no_boxes_at_all", "a_single_box"])
def test_few_boxes(student, reference, make, count):
    anchors, mean, std = corners(make, count), four(make, -0.5, 0.5), four(make, 0.1, 0.5)
    same_offsets(student, reference)(anchors, corners(make, count), mean, std)
    same_boxes(student, reference)(anchors, make.randn(count, 4, requires_grad=True), mean, std)


def test_the_inputs_are_left_alone(student, reference, make):
    anchors, boxes = (make.noncontiguous(corners(make, 3).detach()) for _ in range(2))
    mean, std = make.tensor(four(make, -0.5, 0.5)), make.tensor(four(make, 0.1, 0.5))
    same_offsets(student, reference)(anchors, boxes, mean, std)
    same_boxes(student, reference)(anchors, make.noncontiguous(make.randn(3, 4)), mean, std)
