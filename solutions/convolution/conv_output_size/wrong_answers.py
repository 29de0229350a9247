"""What goes wrong in the output size of a convolution."""
# ruff: noqa: F811  each misconception defines the exercise's name anew

import math

from grader import wrong_answer


@wrong_answer(
    "counts the padding once",
    zh="填充只算了一次",
    hint="At how many ends of the input are the `padding` elements added?",
    hint_zh="输入的几个端各要添加 padding 个元素？",
)
def conv_output_size(size, kernel_size, padding=0, stride=1, dilation=1):
    room = size + padding - dilation * (kernel_size - 1) - 1
    if room < 0:
        raise ValueError("does not fit")
    return room // stride + 1


@wrong_answer(
    "divides the padding by the stride on its own",
    zh="把填充单独除以步幅",
    hint="Rounded down twice, two remainders are lost that may make up a whole step together. What is divided: the input, "
    "or the padded input?",
    hint_zh="分两次向下取整，会丢掉两个余数，而它们合起来也许正好够走一步。应该相除的是输入，还是填充之后的输入？",
)
def conv_output_size(size, kernel_size, padding=0, stride=1, dilation=1):
    reach = dilation * (kernel_size - 1) + 1
    if size + 2 * padding < reach:
        raise ValueError("does not fit")
    return (size - reach) // stride + 2 * padding // stride + 1


@wrong_answer(
    "rounds up: counts a last position that sticks out",
    zh="向上取整：把伸出边界的最后一个位置也算了",
    hint="If the stride leaves two elements over at the end, is there a position for the kernel?",
    hint_zh="如果走完整数步之后末尾还剩两个元素，卷积核在那里还有一个位置吗？",
)
def conv_output_size(size, kernel_size, padding=0, stride=1, dilation=1):
    room = size + 2 * padding - dilation * (kernel_size - 1) - 1
    if room < 0:
        raise ValueError("does not fit")
    return math.ceil(room / stride) + 1


@wrong_answer(
    "rounds to the nearest",
    zh="四舍五入了",
    hint="Positions are whole: what becomes of seven eighths of a step?",
    hint_zh="位置只能是整数个：走了八分之七步，算不算一个位置？",
)
def conv_output_size(size, kernel_size, padding=0, stride=1, dilation=1):
    room = size + 2 * padding - dilation * (kernel_size - 1) - 1
    if room < 0:
        raise ValueError("does not fit")
    return round(room / stride) + 1


@wrong_answer(
    "leaves dilation out",
    zh="漏掉了 dilation",
    hint="A kernel of 3 with dilation 2 touches elements 0, 2 and 4. Over how many does it reach?",
    hint_zh="大小为 3、dilation 为 2 的卷积核会接触第 0、2、4 个元素。它一共跨越几个元素？",
)
def conv_output_size(size, kernel_size, padding=0, stride=1, dilation=1):
    room = size + 2 * padding - kernel_size
    if room < 0:
        raise ValueError("does not fit")
    return room // stride + 1


@wrong_answer(
    "takes dilation times the kernel's size for its reach",
    zh="以为扩张后的长度是 dilation 乘以卷积核大小",
    hint="Between k elements there are k - 1 gaps. A kernel of 1: does dilation stretch it?",
    hint_zh="k 个元素之间只有 k - 1 个间隔。大小为 1 的卷积核会被 dilation 拉长吗？",
)
def conv_output_size(size, kernel_size, padding=0, stride=1, dilation=1):
    room = size + 2 * padding - dilation * kernel_size
    if room < 0:
        raise ValueError("does not fit")
    return room // stride + 1


@wrong_answer(
    "takes dilation for the number of elements left out between two",
    zh="把 dilation 理解成两个元素之间跳过的个数",
    hint="In PyTorch a dilation of 1 is the plain kernel: it is the distance between neighbours, not the gap.",
    hint_zh="在 PyTorch 里，dilation=1 就是普通卷积：它指相邻两个元素的距离，而不是空隙的大小。",
)
def conv_output_size(size, kernel_size, padding=0, stride=1, dilation=1):
    room = size + 2 * padding - (dilation + 1) * (kernel_size - 1) - 1
    if room < 0:
        raise ValueError("does not fit")
    return room // stride + 1


@wrong_answer(
    "returns a float",
    zh="返回了浮点数",
    hint="What does / give in Python, and does a tensor's shape take it?",
    hint_zh="Python 的 / 得到什么类型？张量的形状能用它吗？",
)
def conv_output_size(size, kernel_size, padding=0, stride=1, dilation=1):
    room = size + 2 * padding - dilation * (kernel_size - 1) - 1
    if room < 0:
        raise ValueError("does not fit")
    return (room - room % stride) / stride + 1


@wrong_answer(
    "forgets the first position: does not add 1",
    zh="忘了起始位置：没有加 1",
    hint="A kernel as large as its input cannot move at all. How many positions has it?",
    hint_zh="与输入一样大的卷积核完全不能移动。它有几个位置？",
)
def conv_output_size(size, kernel_size, padding=0, stride=1, dilation=1):
    room = size + 2 * padding - dilation * (kernel_size - 1) - 1
    if room < 0:
        raise ValueError("does not fit")
    return room // stride


@wrong_answer(
    "adds 1 before it divides by the stride",
    zh="先加 1 再除以步幅",
    hint="The stride divides the way that the kernel travels; the first position comes on top. With a kernel that fits "
    "exactly and stride 2, what does your formula give?",
    hint_zh="步幅除的是卷积核移动的距离，起始位置要另外加上。卷积核恰好放得下、步幅为 2 时，你的公式得到多少？",
)
def conv_output_size(size, kernel_size, padding=0, stride=1, dilation=1):
    room = size + 2 * padding - dilation * (kernel_size - 1) - 1
    if room < 0:
        raise ValueError("does not fit")
    return (room + 1) // stride


@wrong_answer(
    "divides the input by the stride before it takes the kernel off",
    zh="先把输入除以步幅，再减去卷积核",
    hint="Kernel and input are measured in elements, the output in steps. What has to be in elements when it is divided?",
    hint_zh="卷积核和输入以元素计，输出以步数计。除以步幅之前，应该先在元素的单位下算完什么？",
)
def conv_output_size(size, kernel_size, padding=0, stride=1, dilation=1):
    reach = dilation * (kernel_size - 1) + 1
    if size + 2 * padding < reach:
        raise ValueError("does not fit")
    return (size + 2 * padding) // stride - reach + 1


@wrong_answer(
    "lets a kernel pass that does not fit, and returns 0 or less",
    zh="放不下的卷积核没有报错，返回了 0 或负数",
    hint="What is an image with 0 or -2 columns? PyTorch refuses here, and so should you.",
    hint_zh="有 0 列或 -2 列的图像是什么？PyTorch 在这里会报错，你的函数也应该如此。",
)
def conv_output_size(size, kernel_size, padding=0, stride=1, dilation=1):
    return (size + 2 * padding - dilation * (kernel_size - 1) - 1) // stride + 1


@wrong_answer(
    "looks at the output, which is still 1 where a large stride hides a kernel that does not fit",
    zh="只检查了输出，而步幅较大时截断取整会掩盖放不下的情况",
    hint="int() rounds towards 0: what does int(-1 / 2) + 1 give? Ask whether the kernel fits before you divide.",
    hint_zh="int() 是向 0 取整：int(-1 / 2) + 1 等于多少？应该在做除法之前就判断卷积核放不放得下。",
)
def conv_output_size(size, kernel_size, padding=0, stride=1, dilation=1):
    output = int((size + 2 * padding - dilation * (kernel_size - 1) - 1) / stride) + 1
    if output < 1:
        raise ValueError("does not fit")
    return output


@wrong_answer(
    "compares the kernel with the input as if it were not dilated",
    zh="判断放不放得下时没有考虑 dilation",
    hint="A kernel of 4 has less than 7 elements. Does it fit into an input of 6 with dilation 2?",
    hint_zh="大小为 4、dilation 为 2 的卷积核，放得进长度为 6 的输入吗？",
)
def conv_output_size(size, kernel_size, padding=0, stride=1, dilation=1):
    if kernel_size > size + 2 * padding:
        raise ValueError("does not fit")
    return (size + 2 * padding - dilation * (kernel_size - 1) - 1) // stride + 1


@wrong_answer(
    "compares the kernel with the input without its padding",
    zh="判断放不放得下时没有算上填充",
    hint="A 3-wide kernel over a single element with padding 1: does it fit?",
    hint_zh="宽度为 3 的卷积核，放在长度为 1、填充为 1 的输入上，放得下吗？",
)
def conv_output_size(size, kernel_size, padding=0, stride=1, dilation=1):
    room = size + 2 * padding - dilation * (kernel_size - 1) - 1
    if size < dilation * (kernel_size - 1) + 1:
        raise ValueError("does not fit")
    return room // stride + 1


@wrong_answer(
    "refuses a kernel that fits exactly",
    zh="恰好放得下的卷积核也报了错",
    hint="A 5-wide kernel over 5 elements: can it be laid on, and at how many positions?",
    hint_zh="宽度为 5 的卷积核放在 5 个元素上，放得下吗？有几个位置？",
)
def conv_output_size(size, kernel_size, padding=0, stride=1, dilation=1):
    room = size + 2 * padding - dilation * (kernel_size - 1) - 1
    if room <= 0:
        raise ValueError("does not fit")
    return room // stride + 1


@wrong_answer(
    "lets the stride default to the kernel's size, as pooling does",
    zh="默认步幅等于卷积核大小，那是池化的规则",
    hint="Pooling moves by its window unless told otherwise. And a convolution?",
    hint_zh="池化在不指定步幅时按窗口大小移动。卷积呢？",
)
def conv_output_size(size, kernel_size, padding=0, stride=None, dilation=1):
    room = size + 2 * padding - dilation * (kernel_size - 1) - 1
    if room < 0:
        raise ValueError("does not fit")
    return room // (stride or kernel_size) + 1


@wrong_answer(
    "pads by default until the size is kept",
    zh="默认填充到保持尺寸不变",
    hint="What does the signature say that padding is when nobody gives it?",
    hint_zh="看看函数签名：不指定 padding 时，它应该是多少？",
)
def conv_output_size(size, kernel_size, padding=None, stride=1, dilation=1):
    both = dilation * (kernel_size - 1) if padding is None else 2 * padding
    room = size + both - dilation * (kernel_size - 1) - 1
    if room < 0:
        raise ValueError("does not fit")
    return room // stride + 1


@wrong_answer(
    "turns the kernel that does not fit into an output of 0",
    zh="放不下时返回 0，而不是报错",
    hint="max(0, ...) passes the trouble on to the next layer. What does the contract ask for?",
    hint_zh="max(0, ...) 只是把麻烦留给了下一层。题目要求怎么处理？",
)
def conv_output_size(size, kernel_size, padding=0, stride=1, dilation=1):
    return max(0, (size + 2 * padding - dilation * (kernel_size - 1) - 1) // stride + 1)
