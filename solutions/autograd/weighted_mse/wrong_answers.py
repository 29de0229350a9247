"""What goes wrong in a hand-written backward pass."""

import torch

from grader import wrong_answer


def _loss(ctx, pred, target, weight):
    ctx.save_for_backward(pred, target, weight)
    return (weight * (pred - target) ** 2).mean()


def _gradients(ctx, grad_output):
    """All three, whether they are needed or not."""
    pred, target, weight = ctx.saved_tensors
    d = pred - target
    g = grad_output / d.numel()
    return 2 * g * weight * d, -2 * g * weight * d, g * d**2


def _needed(ctx, gradients):
    """None in the place of those that are not needed."""
    return tuple(g if needed else None for g, needed in zip(gradients, ctx.needs_input_grad, strict=True))


@wrong_answer(
    "ignores grad_output",
    zh="忽略了 grad_output",
    hint="The loss may be scaled, or be one term of several. The chain rule multiplies by what arrives "
    "from above: is that always 1?",
    hint_zh="损失可能还会被缩放，或只是总损失中的一项。链式法则要乘上后面传来的梯度，它总是 1 吗？",
)
class WeightedMSE(torch.autograd.Function):
    @staticmethod
    def forward(ctx, pred, target, weight):
        return _loss(ctx, pred, target, weight)

    @staticmethod
    def backward(ctx, grad_output):
        return _needed(ctx, _gradients(ctx, torch.ones_like(grad_output)))


@wrong_answer(
    "computes gradients that nobody needs, instead of None",
    zh="没有按需返回 None，而是计算了不需要的梯度",
    hint="A target or a weight is often plain data. ctx.needs_input_grad says which inputs need a gradient.",
    hint_zh="目标值和权重往往只是数据。ctx.needs_input_grad 说明了哪些输入需要梯度。",
)
class WeightedMSE(torch.autograd.Function):
    @staticmethod
    def forward(ctx, pred, target, weight):
        return _loss(ctx, pred, target, weight)

    @staticmethod
    def backward(ctx, grad_output):
        return _gradients(ctx, grad_output)


@wrong_answer(
    "leaves out the factor 2 of the square",
    zh="漏掉了平方求导产生的系数 2",
    hint="What is the derivative of d² with respect to d?",
    hint_zh="d² 对 d 的导数是什么？",
)
class WeightedMSE(torch.autograd.Function):
    @staticmethod
    def forward(ctx, pred, target, weight):
        return _loss(ctx, pred, target, weight)

    @staticmethod
    def backward(ctx, grad_output):
        of_pred, of_target, of_weight = _gradients(ctx, grad_output)
        return _needed(ctx, (of_pred / 2, of_target / 2, of_weight))


@wrong_answer(
    "puts the factor 2 on the weight's gradient as well",
    zh="在权重的梯度上也多乘了 2",
    hint="The loss is linear in the weight: its derivative has no factor 2.",
    hint_zh="损失对权重是线性的，求导时不会出现系数 2。",
)
class WeightedMSE(torch.autograd.Function):
    @staticmethod
    def forward(ctx, pred, target, weight):
        return _loss(ctx, pred, target, weight)

    @staticmethod
    def backward(ctx, grad_output):
        of_pred, of_target, of_weight = _gradients(ctx, grad_output)
        return _needed(ctx, (of_pred, of_target, 2 * of_weight))


@wrong_answer(
    "gives the gradient of the sum instead of the mean",
    zh="反向传播给出的是总和的梯度，而不是平均值的梯度",
    hint="The forward pass divides by the number of elements. A constant factor of the loss is one of its "
    "gradient, too.",
    hint_zh="前向时除以了元素个数。损失中的常数因子，在梯度里也要有。",
)
class WeightedMSE(torch.autograd.Function):
    @staticmethod
    def forward(ctx, pred, target, weight):
        return _loss(ctx, pred, target, weight)

    @staticmethod
    def backward(ctx, grad_output):
        return _needed(ctx, _gradients(ctx, grad_output * ctx.saved_tensors[0].numel()))


@wrong_answer(
    "divides by the number of rows instead of all elements",
    zh="除以了行数，而不是元素总数",
    hint="The mean runs over all elements: a batch of 3 rows of 4 has 12.",
    hint_zh="平均是对全部元素进行的：3 行 4 列共有 12 个元素。",
)
class WeightedMSE(torch.autograd.Function):
    @staticmethod
    def forward(ctx, pred, target, weight):
        return _loss(ctx, pred, target, weight) * (pred.numel() / pred.shape[0])

    @staticmethod
    def backward(ctx, grad_output):
        pred = ctx.saved_tensors[0]
        return _needed(ctx, _gradients(ctx, grad_output * (pred.numel() / pred.shape[0])))


@wrong_answer(
    "divides by the sum of the weights",
    zh="除以了权重之和",
    hint="A weighted average divides by the weights' sum. This loss is the plain mean of the weighted "
    "errors: by what does it divide?",
    hint_zh="加权平均才除以权重之和。这里是加权误差的普通平均，应当除以什么？",
)
class WeightedMSE(torch.autograd.Function):
    @staticmethod
    def forward(ctx, pred, target, weight):
        return _loss(ctx, pred, target, weight) * (pred.numel() / weight.sum())

    @staticmethod
    def backward(ctx, grad_output):
        pred, _, weight = ctx.saved_tensors
        return _needed(ctx, _gradients(ctx, grad_output * (pred.numel() / weight.sum())))


@wrong_answer(
    "gives the target the same sign as the prediction",
    zh="目标值的梯度与预测值同号",
    hint="The difference grows with the prediction and shrinks with the target.",
    hint_zh="预测值变大时差变大，目标值变大时差变小。",
)
class WeightedMSE(torch.autograd.Function):
    @staticmethod
    def forward(ctx, pred, target, weight):
        return _loss(ctx, pred, target, weight)

    @staticmethod
    def backward(ctx, grad_output):
        of_pred, _, of_weight = _gradients(ctx, grad_output)
        return _needed(ctx, (of_pred, of_pred, of_weight))


@wrong_answer(
    "gives a gradient to the prediction alone",
    zh="只给预测值返回了梯度",
    hint="The target may be another network's output, and the weight may be learned. Each input that needs "
    "a gradient gets one.",
    hint_zh="目标值可能是另一个网络的输出，权重也可能是学出来的。凡是需要梯度的输入都要返回梯度。",
)
class WeightedMSE(torch.autograd.Function):
    @staticmethod
    def forward(ctx, pred, target, weight):
        return _loss(ctx, pred, target, weight)

    @staticmethod
    def backward(ctx, grad_output):
        of_pred, _, _ = _needed(ctx, _gradients(ctx, grad_output))
        return of_pred, None, None


@wrong_answer(
    "takes the weight for a constant",
    zh="把权重当成了常数",
    hint="What is the derivative of w·d² with respect to w? The weight is an input like the others.",
    hint_zh="w·d² 对 w 的导数是什么？权重和其他输入一样，也是输入。",
)
class WeightedMSE(torch.autograd.Function):
    @staticmethod
    def forward(ctx, pred, target, weight):
        return _loss(ctx, pred, target, weight)

    @staticmethod
    def backward(ctx, grad_output):
        of_pred, of_target, _ = _needed(ctx, _gradients(ctx, grad_output))
        return of_pred, of_target, None


@wrong_answer(
    "leaves the weight out of the gradients of prediction and target",
    zh="预测值和目标值的梯度里漏掉了权重",
    hint="Each squared error enters the loss times its weight. Where does that factor go when you take the "
    "derivative?",
    hint_zh="每个平方误差都乘以了自己的权重。求导之后，这个因子到哪里去了？",
)
class WeightedMSE(torch.autograd.Function):
    @staticmethod
    def forward(ctx, pred, target, weight):
        return _loss(ctx, pred, target, weight)

    @staticmethod
    def backward(ctx, grad_output):
        pred, target, _ = ctx.saved_tensors
        of_pred = 2 * grad_output / pred.numel() * (pred - target)
        return _needed(ctx, (of_pred, -of_pred, _gradients(ctx, grad_output)[2]))


@wrong_answer(
    "squares the weight together with the error",
    zh="把权重也一起平方了",
    hint="The weight stands outside the square.",
    hint_zh="权重在平方之外。",
)
class WeightedMSE(torch.autograd.Function):
    @staticmethod
    def forward(ctx, pred, target, weight):
        ctx.save_for_backward(pred, target, weight)
        return ((weight * (pred - target)) ** 2).mean()

    @staticmethod
    def backward(ctx, grad_output):
        pred, target, weight = ctx.saved_tensors
        d = pred - target
        g = 2 * grad_output / d.numel()
        return _needed(ctx, (g * weight**2 * d, -g * weight**2 * d, g * weight * d**2))


@wrong_answer(
    "leaves the derivative to autograd: no backward of its own",
    zh="没有自己写 backward，仍由 autograd 求导",
    hint="The graph's nodes are Functions. What `apply` returns must come out of yours, with your "
    "`backward`; a method named `backward` on an nn.Module is never called.",
    hint_zh="计算图的节点是 Function。apply 的结果应出自你自己的节点和 backward；在 nn.Module 上定义 "
    "backward 是不会被调用的。",
)
class WeightedMSE:
    @staticmethod
    def apply(pred, target, weight):
        return (weight * (pred - target) ** 2).mean()
