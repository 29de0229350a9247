"""The length of the range of starting points."""


def conv_output_size(size, kernel_size, padding=0, stride=1, dilation=1):
    starts = range(0, size + 2 * padding - dilation * (kernel_size - 1), stride)
    if not starts:
        raise ValueError
    return len(starts)
