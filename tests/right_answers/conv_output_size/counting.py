"""Slide the kernel along and count, one position after the other."""


def conv_output_size(
    size: int, kernel_size: int, padding: int = 0, stride: int = 1, dilation: int = 1
) -> int:
    padded = size + padding + padding
    last_offset = (kernel_size - 1) * dilation
    count = 0
    start = 0
    while start + last_offset < padded:
        count += 1
        start += stride
    if count == 0:
        raise ValueError(f"a kernel with reach {last_offset + 1} does not fit into {padded}")
    return count
