"""What goes wrong in encoding and decoding offsets."""
# ruff: noqa: F811  each misconception defines the exercise's name anew

import torch

from grader import wrong_answer


def sizes(corners):
    return corners[:, 2:] - corners[:, :2]


def centers(corners):
    return (corners[:, :2] + corners[:, 2:]) / 2


def from_center(center, size):
    return torch.cat([center - size / 2, center + size / 2], dim=1)


def row(numbers, like):
    return torch.as_tensor(numbers, dtype=like.dtype)


def normalised(shift, stretch, mean, std):
    raw = torch.cat([shift, stretch], dim=1)
    return (raw - row(mean, raw)) / row(std, raw)


def denormalised(offsets, mean, std):
    raw = offsets * row(std, offsets) + row(mean, offsets)
    return raw[:, :2], raw[:, 2:]


@wrong_answer(
    "takes the upper left corners for the centres",
    zh="把左上角当成了中心",
    hint="Double a box in place, about its centre: should its first two offsets change? Do they, if a corner is measured?",
    hint_zh="把一个框绕中心放大一倍，前两个偏移量应该变吗？如果量的是角点，它们会变吗？",
)
def encode_offsets(anchors, boxes, mean, std):
    shift = (boxes[:, :2] - anchors[:, :2]) / sizes(anchors)
    return normalised(shift, (sizes(boxes) / sizes(anchors)).log(), mean, std)


@wrong_answer(
    "takes the upper left corners for the centres",
    zh="把左上角当成了中心",
    hint="Double a box in place, about its centre: should its first two offsets change? Do they, if a corner is measured?",
    hint_zh="把一个框绕中心放大一倍，前两个偏移量应该变吗？如果量的是角点，它们会变吗？",
)
def decode_offsets(anchors, offsets, mean, std):
    shift, stretch = denormalised(offsets, mean, std)
    corner, size = anchors[:, :2] + shift * sizes(anchors), sizes(anchors) * stretch.exp()
    return torch.cat([corner, corner + size], dim=1)


@wrong_answer(
    "divides by the box's size instead of the anchor's",
    zh="除以的是边界框的大小，而不是锚框的大小",
    hint="When offsets are decoded, which of the two sizes is known?",
    hint_zh="解码偏移量的时候，哪一个框的大小是已知的？",
)
def encode_offsets(anchors, boxes, mean, std):
    shift = (centers(boxes) - centers(anchors)) / sizes(boxes)
    return normalised(shift, (sizes(boxes) / sizes(anchors)).log(), mean, std)


@wrong_answer(
    "does not divide the shift by any size: it is in pixels",
    zh="位移没有除以大小，单位还是像素",
    hint="Take a picture twice as large: which of your four numbers change?",
    hint_zh="把图片放大一倍，四个数里哪些会变？",
)
def encode_offsets(anchors, boxes, mean, std):
    return normalised(centers(boxes) - centers(anchors), (sizes(boxes) / sizes(anchors)).log(), mean, std)


@wrong_answer(
    "leaves the logarithm out",
    zh="漏掉了对数",
    hint="Half as wide and twice as wide should lie equally far from 0. Do 0.5 and 2?",
    hint_zh="宽度减半和宽度加倍，到 0 的距离应该一样远。0.5 和 2 是这样吗？",
)
def encode_offsets(anchors, boxes, mean, std):
    shift = (centers(boxes) - centers(anchors)) / sizes(anchors)
    return normalised(shift, sizes(boxes) / sizes(anchors), mean, std)


@wrong_answer(
    "takes the relative change of the sizes instead of the logarithm of their quotient",
    zh="用的是大小的相对变化，而不是比值的对数",
    hint="w_b / w_a - 1 never falls below -1 and may grow without bound. What makes halving and doubling symmetric?",
    hint_zh="w_b / w_a - 1 不会小于 -1，往上却没有界。什么函数能让减半和加倍对称？",
)
def encode_offsets(anchors, boxes, mean, std):
    shift = (centers(boxes) - centers(anchors)) / sizes(anchors)
    return normalised(shift, sizes(boxes) / sizes(anchors) - 1, mean, std)


@wrong_answer(
    "takes the logarithm to base 2",
    zh="用了以 2 为底的对数",
    hint="The convention asks for the natural logarithm: what is undone by exp?",
    hint_zh="约定用自然对数：exp 的逆运算是哪一种对数？",
)
def encode_offsets(anchors, boxes, mean, std):
    shift = (centers(boxes) - centers(anchors)) / sizes(anchors)
    return normalised(shift, (sizes(boxes) / sizes(anchors)).log2(), mean, std)


@wrong_answer(
    "multiplies by std instead of dividing",
    zh="乘以了 std，而不是除以 std",
    hint="The raw offsets are small; std = 0.1 is to bring their spread to about 1. Does your step make them larger?",
    hint_zh="原始偏移量很小，std = 0.1 是为了把它们的离散程度调到 1 左右。你这一步让它们变大了吗？",
)
def encode_offsets(anchors, boxes, mean, std):
    shift = (centers(boxes) - centers(anchors)) / sizes(anchors)
    raw = torch.cat([shift, (sizes(boxes) / sizes(anchors)).log()], dim=1)
    return (raw - row(mean, raw)) * row(std, raw)


@wrong_answer(
    "leaves the mean out",
    zh="没有减去 mean",
    hint="With the usual mean of zeros nobody notices. What becomes of a mean that is not 0?",
    hint_zh="mean 通常全是 0，所以看不出来。mean 不为 0 时会怎样？",
)
def encode_offsets(anchors, boxes, mean, std):
    shift = (centers(boxes) - centers(anchors)) / sizes(anchors)
    raw = torch.cat([shift, (sizes(boxes) / sizes(anchors)).log()], dim=1)
    return raw / row(std, raw)


@wrong_answer(
    "divides by std first and subtracts the mean afterwards",
    zh="先除以 std，再减去 mean",
    hint="The mean is that of the raw offsets. In which units is it, then: before or after the division?",
    hint_zh="mean 是原始偏移量的均值。它应该在除以 std 之前减，还是之后减？",
)
def encode_offsets(anchors, boxes, mean, std):
    shift = (centers(boxes) - centers(anchors)) / sizes(anchors)
    raw = torch.cat([shift, (sizes(boxes) / sizes(anchors)).log()], dim=1)
    return raw / row(std, raw) - row(mean, raw)


@wrong_answer(
    "writes in a std of 0.1 and 0.2, as textbooks do, whatever is given",
    zh="无论传入什么，都按教科书写死 std 为 0.1 和 0.2",
    hint="10 * shift and 5 * log are what std = (0.1, 0.1, 0.2, 0.2) gives. And another std?",
    hint_zh="10 * 位移、5 * 对数只对应 std = (0.1, 0.1, 0.2, 0.2)。换一组 std 呢？",
)
def encode_offsets(anchors, boxes, mean, std):
    shift = (centers(boxes) - centers(anchors)) / sizes(anchors)
    return torch.cat([10 * shift, 5 * (sizes(boxes) / sizes(anchors)).log()], dim=1)


@wrong_answer(
    "adds an eps within the logarithm",
    zh="在对数里加了 eps",
    hint="Boxes have a width above 0 here. What does an eps of 1e-6 do to the offset of a box that is a thousand times "
    "smaller than its anchor, and does decoding undo it?",
    hint_zh="这里的框宽度都大于 0。如果框比锚框小一千倍，1e-6 的 eps 会让偏移量偏多少？解码时能还原吗？",
)
def encode_offsets(anchors, boxes, mean, std):
    shift = (centers(boxes) - centers(anchors)) / sizes(anchors)
    return normalised(shift, (sizes(boxes) / sizes(anchors) + 1e-6).log(), mean, std)


@wrong_answer(
    "adds an eps to the denominators",
    zh="在分母上加了 eps",
    hint="An anchor has a positive width and height: what is the eps to prevent? On a tiny anchor it counts as part of "
    "the size.",
    hint_zh="锚框的宽和高都是正数，eps 要防止什么？锚框很小的时候，它就成了尺寸的一部分。",
)
def encode_offsets(anchors, boxes, mean, std):
    size = sizes(anchors) + 1e-6
    shift = (centers(boxes) - centers(anchors)) / size
    return normalised(shift, (sizes(boxes) / size).log(), mean, std)


@wrong_answer(
    "measures from the box to the anchor: the sign is turned",
    zh="方向反了：从边界框指向锚框",
    hint="A box to the right of its anchor has a larger x. Which sign should its offset have?",
    hint_zh="边界框在锚框右边时，它的 x 更大。偏移量应该是正还是负？",
)
def encode_offsets(anchors, boxes, mean, std):
    shift = (centers(anchors) - centers(boxes)) / sizes(anchors)
    return normalised(shift, (sizes(anchors) / sizes(boxes)).log(), mean, std)


@wrong_answer(
    "swaps width and height",
    zh="把宽和高弄反了",
    hint="Corners are x1, y1, x2, y2, so that the first two offsets are along x and y. By which side is each divided?",
    hint_zh="角点的顺序是 x1, y1, x2, y2，前两个偏移量分别沿 x 和 y。它们各自应该除以哪条边？",
)
def encode_offsets(anchors, boxes, mean, std):
    shift = (centers(boxes) - centers(anchors)) / sizes(anchors).flip(1)
    return normalised(shift, (sizes(boxes) / sizes(anchors)).log().flip(1), mean, std)


@wrong_answer(
    "adds a pixel to widths and heights",
    zh="宽和高多加了一个像素",
    hint="x2 - x1 + 1 counts pixels of a grid. Here coordinates are numbers on a line; does your offset stay, when the "
    "picture is scaled?",
    hint_zh="x2 - x1 + 1 是在数像素格子，而这里的坐标是数轴上的实数。图片缩放以后，你的偏移量还不变吗？",
)
def encode_offsets(anchors, boxes, mean, std):
    size_a, size_b = sizes(anchors) + 1, sizes(boxes) + 1
    return normalised((centers(boxes) - centers(anchors)) / size_a, (size_b / size_a).log(), mean, std)


@wrong_answer(
    "reads the corners as centre, width and height",
    zh="把角点坐标当成了中心和宽高",
    hint="The last two columns are x2 and y2. What turns two corners into a centre and a size?",
    hint_zh="后两列是 x2 和 y2。怎样由两个角点得到中心和宽高？",
)
def encode_offsets(anchors, boxes, mean, std):
    shift = (boxes[:, :2] - anchors[:, :2]) / anchors[:, 2:]
    return normalised(shift, (boxes[:, 2:] / anchors[:, 2:]).log(), mean, std)


@wrong_answer(
    "treats the anchors as constants: their gradient is cut",
    zh="把锚框当成常数，切断了它的梯度",
    hint="The contract asks for a graph to both inputs. What does detach() or no_grad do to it?",
    hint_zh="题目要求两个输入都保留计算图。detach() 或 no_grad 会对它做什么？",
)
def encode_offsets(anchors, boxes, mean, std):
    anchors = anchors.detach()
    shift = (centers(boxes) - centers(anchors)) / sizes(anchors)
    return normalised(shift, (sizes(boxes) / sizes(anchors)).log(), mean, std)


@wrong_answer(
    "turns the corners into centres and sizes in place",
    zh="原地把角点改成了中心和宽高",
    hint="Whose tensors are anchors and boxes? The next exercise's IoU will read them as corners again.",
    hint_zh="anchors 和 boxes 是谁的张量？之后计算交并比时，还会把它们当成角点来读。",
)
def encode_offsets(anchors, boxes, mean, std):
    with torch.no_grad():
        for corners in (anchors, boxes):
            corners[:, 2:] -= corners[:, :2]
            corners[:, :2] += corners[:, 2:] / 2
    shift = (boxes[:, :2] - anchors[:, :2]) / anchors[:, 2:]
    return normalised(shift, (boxes[:, 2:] / anchors[:, 2:]).log(), mean, std)


@wrong_answer(
    "computes in float32 whatever comes",
    zh="无论输入是什么精度，都用 float32 计算",
    hint="Which dtype have the offsets of float64 boxes?",
    hint_zh="输入是 float64 的框时，偏移量是什么 dtype？",
)
def encode_offsets(anchors, boxes, mean, std):
    anchors, boxes = anchors.float(), boxes.float()
    shift = (centers(boxes) - centers(anchors)) / sizes(anchors)
    return normalised(shift, (sizes(boxes) / sizes(anchors)).log(), mean, std)


@wrong_answer(
    "decodes without the exponential",
    zh="解码时漏掉了 exp",
    hint="Encoding took a logarithm of the sizes' quotient. What undoes it?",
    hint_zh="编码时对大小之比取了对数。解码时用什么还原？",
)
def decode_offsets(anchors, offsets, mean, std):
    shift, stretch = denormalised(offsets, mean, std)
    return from_center(centers(anchors) + shift * sizes(anchors), sizes(anchors) * stretch)


@wrong_answer(
    "decodes with the division by std again",
    zh="解码时又除以了一次 std",
    hint="Encoding subtracted the mean and divided by std. What undoes that, and in which order?",
    hint_zh="编码时先减 mean 再除以 std。解码应该怎样、按什么顺序还原？",
)
def decode_offsets(anchors, offsets, mean, std):
    raw = offsets / row(std, offsets) + row(mean, offsets)
    return from_center(centers(anchors) + raw[:, :2] * sizes(anchors), sizes(anchors) * raw[:, 2:].exp())


@wrong_answer(
    "decodes in the wrong order: adds the mean before multiplying by std",
    zh="解码顺序错了：先加 mean 再乘以 std",
    hint="Shoes come off before socks: what encoding did last is undone first.",
    hint_zh="先穿的后脱：编码时最后做的一步，解码时要最先还原。",
)
def decode_offsets(anchors, offsets, mean, std):
    raw = (offsets + row(mean, offsets)) * row(std, offsets)
    return from_center(centers(anchors) + raw[:, :2] * sizes(anchors), sizes(anchors) * raw[:, 2:].exp())


@wrong_answer(
    "decodes without mean and std",
    zh="解码时没有用 mean 和 std",
    hint="The offsets come normalised. What do they have to become before they are measured in anchors?",
    hint_zh="传入的偏移量是标准化过的。在按锚框尺度还原之前，先要把它们变成什么？",
)
def decode_offsets(anchors, offsets, mean, std):
    shift, stretch = offsets[:, :2], offsets[:, 2:]
    return from_center(centers(anchors) + shift * sizes(anchors), sizes(anchors) * stretch.exp())


@wrong_answer(
    "returns centre, width and height instead of corners",
    zh="返回的是中心和宽高，而不是角点",
    hint="Boxes are x1, y1, x2, y2 everywhere here. How far from its centre does each corner lie?",
    hint_zh="这里的框一律用 x1, y1, x2, y2 表示。每个角点离中心有多远？",
)
def decode_offsets(anchors, offsets, mean, std):
    shift, stretch = denormalised(offsets, mean, std)
    return torch.cat([centers(anchors) + shift * sizes(anchors), sizes(anchors) * stretch.exp()], dim=1)


@wrong_answer(
    "goes a whole size from the centre to each corner",
    zh="从中心到角点走了整个宽高，而不是一半",
    hint="How wide is a box whose sides lie a width w to the left and to the right of its centre?",
    hint_zh="左右两边到中心的距离都是 w 的框，宽度是多少？",
)
def decode_offsets(anchors, offsets, mean, std):
    shift, stretch = denormalised(offsets, mean, std)
    center, size = centers(anchors) + shift * sizes(anchors), sizes(anchors) * stretch.exp()
    return torch.cat([center - size, center + size], dim=1)


@wrong_answer(
    "shifts by the decoded box's size instead of the anchor's",
    zh="位移乘的是解码后框的大小，而不是锚框的大小",
    hint="By which size did encoding divide the shift?",
    hint_zh="编码时，位移除以的是哪个框的大小？",
)
def decode_offsets(anchors, offsets, mean, std):
    shift, stretch = denormalised(offsets, mean, std)
    size = sizes(anchors) * stretch.exp()
    return from_center(centers(anchors) + shift * size, size)


@wrong_answer(
    "clamps the exponent",
    zh="截断了指数",
    hint="Some detectors cap log(w_b / w_a) so that exp stays small. What then becomes of a box a hundred times as large "
    "as its anchor?",
    hint_zh="有的检测器会限制 log(w_b / w_a)，以免 exp 过大。那么比锚框大一百倍的框会变成什么？",
)
def decode_offsets(anchors, offsets, mean, std):
    shift, stretch = denormalised(offsets, mean, std)
    size = sizes(anchors) * stretch.clamp(max=4.135).exp()
    return from_center(centers(anchors) + shift * sizes(anchors), size)


@wrong_answer(
    "clips the boxes at 0",
    zh="把框裁剪到了 0 以上",
    hint="A box may stick out of the picture. What gradient does a clipped coordinate have?",
    hint_zh="框可以伸出图片之外。被裁掉的坐标还有梯度吗？",
)
def decode_offsets(anchors, offsets, mean, std):
    shift, stretch = denormalised(offsets, mean, std)
    return from_center(centers(anchors) + shift * sizes(anchors), sizes(anchors) * stretch.exp()).clamp(min=0)


@wrong_answer(
    "denormalises the offsets in place",
    zh="原地还原了偏移量",
    hint="The offsets belong to the caller: called twice, what does your function see the second time?",
    hint_zh="偏移量是调用者的张量。同一份数据调用两次，第二次看到的是什么？",
)
def decode_offsets(anchors, offsets, mean, std):
    raw = offsets.detach() if offsets.requires_grad else offsets
    raw *= row(std, offsets)
    raw += row(mean, offsets)
    return from_center(centers(anchors) + raw[:, :2] * sizes(anchors), sizes(anchors) * raw[:, 2:].exp())


@wrong_answer(
    "decodes without a graph",
    zh="解码时没有保留计算图",
    hint="A loss on decoded boxes, such as one minus IoU, needs the gradient of the offsets. Where is the graph cut?",
    hint_zh="如果损失定义在解码后的框上（例如 1 − IoU），就需要偏移量的梯度。计算图是在哪里断的？",
)
def decode_offsets(anchors, offsets, mean, std):
    with torch.no_grad():
        shift, stretch = denormalised(offsets, mean, std)
        return from_center(centers(anchors) + shift * sizes(anchors), sizes(anchors) * stretch.exp())
