"""Mistakes in conv_output_size; what stands above the first separator belongs to each of them."""

# ruff: noqa: F811

import math

import torch


def checked(room):
    if room < 0:
        raise ValueError("the kernel does not fit")
    return room


# --- rounded up


def conv_output_size(size, kernel_size, padding=0, stride=1, dilation=1):
    return math.ceil(checked(size + 2 * padding - dilation * (kernel_size - 1) - 1) / stride) + 1


# --- rounded to the nearest


def conv_output_size(size, kernel_size, padding=0, stride=1, dilation=1):
    return round(checked(size + 2 * padding - dilation * (kernel_size - 1) - 1) / stride) + 1


# --- dilation ignored


def conv_output_size(size, kernel_size, padding=0, stride=1, dilation=1):
    return checked(size + 2 * padding - kernel_size) // stride + 1


# --- padding on one side only


def conv_output_size(size, kernel_size, padding=0, stride=1, dilation=1):
    return checked(size + padding - dilation * (kernel_size - 1) - 1) // stride + 1


# --- padding ignored


def conv_output_size(size, kernel_size, padding=0, stride=1, dilation=1):
    return checked(size - dilation * (kernel_size - 1) - 1) // stride + 1


# --- the + 1 forgotten


def conv_output_size(size, kernel_size, padding=0, stride=1, dilation=1):
    return checked(size + 2 * padding - dilation * (kernel_size - 1) - 1) // stride


# --- the + 1 inside the quotient


def conv_output_size(size, kernel_size, padding=0, stride=1, dilation=1):
    return (checked(size + 2 * padding - dilation * (kernel_size - 1) - 1) + 1) // stride


# --- a float


def conv_output_size(size, kernel_size, padding=0, stride=1, dilation=1):
    return checked(size + 2 * padding - dilation * (kernel_size - 1) - 1) / stride + 1


# --- a whole float


def conv_output_size(size, kernel_size, padding=0, stride=1, dilation=1):
    return float(checked(size + 2 * padding - dilation * (kernel_size - 1) - 1) // stride + 1)


# --- a tensor


def conv_output_size(size, kernel_size, padding=0, stride=1, dilation=1):
    return torch.tensor(checked(size + 2 * padding - dilation * (kernel_size - 1) - 1) // stride + 1)


# --- the reach is dilation times kernel size


def conv_output_size(size, kernel_size, padding=0, stride=1, dilation=1):
    return checked(size + 2 * padding - dilation * kernel_size) // stride + 1


# --- the reach without its + 1


def conv_output_size(size, kernel_size, padding=0, stride=1, dilation=1):
    return checked(size + 2 * padding - dilation * (kernel_size - 1)) // stride + 1


# --- dilation counted as the elements left out


def conv_output_size(size, kernel_size, padding=0, stride=1, dilation=1):
    return checked(size + 2 * padding - (kernel_size + (kernel_size - 1) * dilation)) // stride + 1


# --- no error: 0 or less


def conv_output_size(size, kernel_size, padding=0, stride=1, dilation=1):
    return (size + 2 * padding - dilation * (kernel_size - 1) - 1) // stride + 1


# --- an error only for a negative result, not for 0


def conv_output_size(size, kernel_size, padding=0, stride=1, dilation=1):
    output = (size + 2 * padding - dilation * (kernel_size - 1) - 1) // stride + 1
    if output < 0:
        raise ValueError
    return output


# --- truncated towards zero: a kernel that hangs over a little still fits


def conv_output_size(size, kernel_size, padding=0, stride=1, dilation=1):
    output = int((size + 2 * padding - dilation * (kernel_size - 1) - 1) / stride) + 1
    if output < 1:
        raise ValueError
    return output


# --- at least one, whatever happens


def conv_output_size(size, kernel_size, padding=0, stride=1, dilation=1):
    return max(1, (size + 2 * padding - dilation * (kernel_size - 1) - 1) // stride + 1)


# --- a kernel that fits exactly is an error


def conv_output_size(size, kernel_size, padding=0, stride=1, dilation=1):
    room = size + 2 * padding - dilation * (kernel_size - 1) - 1
    if room <= 0:
        raise ValueError
    return room // stride + 1


# --- the error looks at the input without padding


def conv_output_size(size, kernel_size, padding=0, stride=1, dilation=1):
    reach = dilation * (kernel_size - 1) + 1
    if reach > size:
        raise ValueError
    return (size + 2 * padding - reach) // stride + 1


# --- the error looks at the kernel without dilation


def conv_output_size(size, kernel_size, padding=0, stride=1, dilation=1):
    if kernel_size > size + 2 * padding:
        raise ValueError
    return (size + 2 * padding - dilation * (kernel_size - 1) - 1) // stride + 1


# --- an AssertionError


def conv_output_size(size, kernel_size, padding=0, stride=1, dilation=1):
    room = size + 2 * padding - dilation * (kernel_size - 1) - 1
    assert room >= 0, "the kernel does not fit"
    return room // stride + 1


# --- None instead of an error


def conv_output_size(size, kernel_size, padding=0, stride=1, dilation=1):
    room = size + 2 * padding - dilation * (kernel_size - 1) - 1
    return room // stride + 1 if room >= 0 else None


# --- the stride defaults to the kernel size, as in pooling


def conv_output_size(size, kernel_size, padding=0, stride=None, dilation=1):
    stride = kernel_size if stride is None else stride
    return checked(size + 2 * padding - dilation * (kernel_size - 1) - 1) // stride + 1


# --- padding defaults to 1


def conv_output_size(size, kernel_size, padding=1, stride=1, dilation=1):
    return checked(size + 2 * padding - dilation * (kernel_size - 1) - 1) // stride + 1


# --- stride ignored


def conv_output_size(size, kernel_size, padding=0, stride=1, dilation=1):
    return checked(size + 2 * padding - dilation * (kernel_size - 1) - 1) + 1


# --- stride and dilation swapped


def conv_output_size(size, kernel_size, padding=0, stride=1, dilation=1):
    return checked(size + 2 * padding - stride * (kernel_size - 1) - 1) // dilation + 1


# --- the order of padding and stride swapped


def conv_output_size(size, kernel_size, stride=1, padding=0, dilation=1):
    return checked(size + 2 * padding - dilation * (kernel_size - 1) - 1) // stride + 1


# --- padding divided by the stride on its own


def conv_output_size(size, kernel_size, padding=0, stride=1, dilation=1):
    checked(size + 2 * padding - dilation * (kernel_size - 1) - 1)
    return (size - dilation * (kernel_size - 1) - 1) // stride + 2 * padding // stride + 1


# --- padding no larger than half the kernel


def conv_output_size(size, kernel_size, padding=0, stride=1, dilation=1):
    if padding > kernel_size // 2:
        raise ValueError("padding too large")
    return checked(size + 2 * padding - dilation * (kernel_size - 1) - 1) // stride + 1


# --- padding larger than the kernel is cut


def conv_output_size(size, kernel_size, padding=0, stride=1, dilation=1):
    padding = min(padding, dilation * (kernel_size - 1))
    return checked(size + 2 * padding - dilation * (kernel_size - 1) - 1) // stride + 1


# --- a stride longer than the kernel is an error


def conv_output_size(size, kernel_size, padding=0, stride=1, dilation=1):
    if stride > kernel_size:
        raise ValueError("elements would be left out")
    return checked(size + 2 * padding - dilation * (kernel_size - 1) - 1) // stride + 1


# --- kernels of even size are taken for odd ones


def conv_output_size(size, kernel_size, padding=0, stride=1, dilation=1):
    half = kernel_size // 2
    return checked(size + 2 * padding - 2 * half * dilation - 1) // stride + 1


# --- the formula of a transposed convolution


def conv_output_size(size, kernel_size, padding=0, stride=1, dilation=1):
    checked(size + 2 * padding - dilation * (kernel_size - 1) - 1)
    return (size - 1) * stride - 2 * padding + dilation * (kernel_size - 1) + 1
