"""The formula with floor division."""


def conv_output_size(size, kernel_size, padding=0, stride=1, dilation=1):
    reach = dilation * (kernel_size - 1) + 1
    room = size + 2 * padding - reach
    if room < 0:
        raise ValueError("kernel does not fit")
    return room // stride + 1
