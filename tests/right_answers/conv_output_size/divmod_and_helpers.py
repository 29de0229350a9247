"""Helper functions, divmod, and an error class of its own that is a ValueError."""


class KernelTooLarge(ValueError):
    """The kernel hangs over the edge."""


def _reach(kernel_size: int, dilation: int) -> int:
    gaps = kernel_size - 1
    return kernel_size + gaps * (dilation - 1)


def _padded(size: int, padding: int) -> int:
    left = right = padding
    return left + size + right


def conv_output_size(size, kernel_size, padding=0, stride=1, dilation=1):
    length, reach = _padded(size, padding), _reach(kernel_size, dilation)
    if reach > length:
        raise KernelTooLarge(f"{reach} > {length}")
    whole, _left_over = divmod(length - reach, stride)
    return 1 + whole
