"""How many positions a convolution has along one dim."""


def conv_output_size(
    size: int, kernel_size: int, padding: int = 0, stride: int = 1, dilation: int = 1
) -> int:
    r"""Count the positions at which a kernel fits along one dim of its input.

        reach  = dilation * (kernel_size - 1) + 1
        output = floor((size + 2 * padding - reach) / stride) + 1

    Args:
        size: the input's length along the dim, at least 1.
        kernel_size: how many elements the kernel has along the dim, at least 1.
        padding: how many elements are added at each of the two ends, at least 0.
        stride: how far the kernel moves from one position to the next, at least 1.
        dilation: how far neighbouring elements of the kernel lie apart in the input, at least 1: 1 means
            side by side.

    Returns:
        The output's length along the dim, as a Python int, at least 1.

    Raises:
        ValueError: the kernel, stretched to its reach, does not fit into the padded input.

    Conventions:
        The size is that of torch's convolutions: the last positions are dropped where the stride does not
        come out even. A kernel that fits exactly has one position. Padding may be larger than the kernel.
        Other arguments than the Args allow are not asked for.

    Not allowed:
        Measuring the output of a real convolution: `torch.nn.functional.conv1d`, `torch.nn.Conv1d`,
        `unfold`, and their kin.

    >>> conv_output_size(28, kernel_size=5)
    24
    >>> conv_output_size(28, kernel_size=5, padding=2, stride=2)
    14
    """
    # solution begins
    reach = dilation * (kernel_size - 1) + 1
    room = size + 2 * padding - reach
    if room < 0:
        raise ValueError(f"a kernel that reaches over {reach} elements does not fit into the padded input")
    return room // stride + 1
    # solution ends
