"""The taps of the kernel listed, positions counted by a helper."""


def _positions(room: int, stride: int) -> int:
    count = 0
    while room >= 0:
        room -= stride
        count += 1
    return count


def conv_output_size(size, kernel_size, padding=0, stride=1, dilation=1):
    taps = [k * dilation for k in range(kernel_size)]
    room = size + 2 * padding - 1 - taps[-1]
    if room < 0:
        raise ValueError("no position at all")
    return _positions(room, stride)
