"""Other algebra: the number of starts, divided by the stride, rounded up."""


def conv_output_size(size, kernel_size, padding=0, stride=1, dilation=1):
    effective = 1
    for _ in range(kernel_size - 1):
        effective += dilation
    starts = size + 2 * padding - effective + 1
    if starts <= 0:
        raise ValueError("kernel larger than input")
    return -(-starts // stride)
