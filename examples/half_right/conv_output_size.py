def conv_output_size(size, kernel_size, padding=0, stride=1, dilation=1):
    reach = dilation * (kernel_size - 1) + 1
    return (size + padding - reach) // stride + 1
