"""A beginner's math.floor of a quotient."""

import math


def conv_output_size(size, kernel_size, padding=0, stride=1, dilation=1):
    reach = dilation * (kernel_size - 1) + 1
    input_with_padding = size + 2 * padding
    if reach > input_with_padding:
        raise ValueError("The kernel does not fit")
    quotient = (input_with_padding - reach) / stride
    return math.floor(quotient) + 1
