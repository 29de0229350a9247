"""What the output size of a convolution has to get right."""

import pytest

from grader import agree


def same_size(student, reference):
    return agree(student.conv_output_size, reference.conv_output_size)


def test_a_plain_kernel(student, reference, make):
    same_size(student, reference)(make.integer(10, 30), make.integer(2, 8))
    same_size(student, reference)(make.integer(5, 30), kernel_size=1)


def test_padding_lies_at_both_ends(student, reference, make):
    same_size(student, reference)(make.integer(10, 30), make.integer(2, 6), padding=make.integer(1, 5))


@pytest.mark.parametrize("left_over", [0, 1, 3], ids=["comes_out_even", "one_left_over", "nearly_one_more"])
def test_stride_rounds_down(student, reference, make, left_over):
    kernel_size = make.integer(2, 6)
    same_size(student, reference)(kernel_size + 4 * make.integer(3, 9) + left_over, kernel_size, stride=4)


def test_dilation_stretches_the_kernel(student, reference, make):
    for dilation in (2, 3):
        same_size(student, reference)(make.integer(25, 40), make.integer(3, 7), dilation=dilation)


@pytest.mark.points(2)
@pytest.mark.parametrize(("padding", "stride", "dilation"), [(1, 2, 3), (4, 3, 2), (7, 5, 4)])
def test_all_together(student, reference, make, padding, stride, dilation):
    kernel_size = make.integer(3, 6)
    left_over = make.integer(1, stride)
    size = dilation * (kernel_size - 1) + 1 - 2 * padding + stride * make.integer(6, 12) + left_over
    same_size(student, reference)(size, kernel_size, padding, stride, dilation)


def test_padding_and_stride_of_any_size(student, reference):
    same_size(student, reference)(7, kernel_size=3, padding=1, stride=3)  # the padding makes up one more step
    same_size(student, reference)(5, kernel_size=2, padding=4)  # wider than the kernel
    same_size(student, reference)(9, kernel_size=2, stride=3)  # leaves elements out


def test_a_kernel_that_fits_exactly_has_one_position(student, reference, make):
    kernel_size = make.integer(3, 7)
    same_size(student, reference)(kernel_size, kernel_size, stride=3)
    same_size(student, reference)(3 * (kernel_size - 1) + 1 - 2, kernel_size, padding=1, stride=2, dilation=3)


@pytest.mark.points(2)
@pytest.mark.parametrize("stride", [1, 2, 3])
def test_a_kernel_that_does_not_fit_is_refused(student, make, stride):
    kernel_size = make.integer(5, 9)
    fits = student.conv_output_size(kernel_size + 2 * stride, kernel_size, stride=stride)
    assert fits == 3, "a kernel that fits is not refused"
    with pytest.raises(ValueError):
        student.conv_output_size(1, kernel_size, stride=stride)
    with pytest.raises(ValueError):
        student.conv_output_size(2 * (kernel_size - 1) - 2, kernel_size, padding=1, stride=stride, dilation=2)


def test_same_padding_keeps_the_size_at_stride_1_only(student, make):
    size, half = make.integer(10, 30), make.integer(1, 4)
    kept = student.conv_output_size(size, 2 * half + 1, padding=half)
    assert kept == size, "an odd kernel k with padding (k - 1) / 2 keeps the size at stride 1"
    halved = student.conv_output_size(size, 2 * half + 1, padding=half, stride=2)
    assert halved == (size + 1) // 2, "the same padding at stride 2 gives half the size, rounded up"
