"""What goes wrong in a vector-Jacobian product."""

import torch

from grader import wrong_answer


def _gradient(y, point, v):
    """The product by autograd, with every corner in order."""
    if not y.requires_grad:
        return torch.zeros_like(point, requires_grad=False)
    (product,) = torch.autograd.grad(y, point, v, allow_unused=True)
    return torch.zeros_like(point, requires_grad=False) if product is None else product.detach()


def _rows(f, x):
    """The whole Jacobian, one row for each element of f(x)."""
    point = x.detach().requires_grad_()
    y = f(point)
    unit = torch.eye(y.numel(), dtype=y.dtype)
    return torch.stack([_gradient(f(point), point, row.reshape(y.shape)).reshape(-1) for row in unit])


@wrong_answer(
    "ignores v: adds up the gradients of all outputs",
    zh="忽略了 v，把所有输出的梯度直接相加",
    hint="`f(x).sum()` has the gradient that belongs to a v of ones. Where do the weights in v come in?",
    hint_zh="对 f(x).sum() 求导，相当于 v 全为 1。题目给出的权重 v 应该在哪里起作用？",
)
def vjp(f, x, v):
    point = x.detach().requires_grad_()
    y = f(point)
    return _gradient(y, point, torch.ones_like(y))


@wrong_answer(
    "multiplies the gradient of the sum by v",
    zh="先对总和求梯度，再乘以 v",
    hint="v weighs the outputs, not the inputs: it must act before the chain rule runs back to x. The two "
    "agree only where each output depends on one input.",
    hint_zh="v 是输出的权重，不是输入的权重，必须在链式法则传回 x 之前起作用。只有逐元素函数才碰巧相同。",
)
def vjp(f, x, v):
    point = x.detach().requires_grad_()
    y = f(point)
    product = _gradient(y, point, torch.ones_like(y))
    return (v * product).reshape(x.shape) if v.numel() in (1, x.numel()) else product


@wrong_answer(
    "adds up the product to one number",
    zh="把结果又求和成了一个数",
    hint="The product has one entry for each element of x. The sum in the formula runs over the outputs "
    "only.",
    hint_zh="结果应当与 x 的每个元素一一对应。公式里的求和只对输出进行。",
)
def vjp(f, x, v):
    point = x.detach().requires_grad_()
    return _gradient(f(point), point, v).sum()


@wrong_answer(
    "reads the product from x.grad, where gradients accumulate",
    zh="用 backward 之后读取 x.grad，而梯度是累加的",
    hint="`backward` adds to what `.grad` already holds, it does not overwrite it; and x is not yours to "
    "write to. Which function of torch.autograd returns gradients instead?",
    hint_zh="backward 是把梯度加到 .grad 已有的值上，而不是覆盖；何况 x 是调用者的。torch.autograd 中哪个函"
    "数直接返回梯度？",
)
def vjp(f, x, v):
    x.requires_grad_()
    y = f(x)
    if y.requires_grad:
        y.backward(v)
    return torch.zeros_like(x, requires_grad=False) if x.grad is None else x.grad


@wrong_answer(
    "runs backward, which also fills the gradients of f's weights",
    zh="调用 backward，连 f 内部权重的 .grad 也被改动",
    hint="`backward` visits every leaf of the graph, the weights that f closes over included. Ask for the "
    "gradient of x alone.",
    hint_zh="backward 会走到计算图的每一个叶子，包括 f 所引用的权重。请只求 x 的梯度。",
)
def vjp(f, x, v):
    point = x.detach().clone().requires_grad_()
    y = f(point)
    if y.requires_grad:
        y.backward(v)
    return torch.zeros_like(x, requires_grad=False) if point.grad is None else point.grad


@wrong_answer(
    "switches requires_grad on in the caller's x",
    zh="打开了调用者的 x 的 requires_grad",
    hint="`requires_grad_()` works in place, on the caller's own tensor. How do you get a leaf with the "
    "same values that is yours?",
    hint_zh="requires_grad_() 是原地操作，改的是调用者的张量。怎样得到一个数值相同、但属于你自己的叶子张量？",
)
def vjp(f, x, v):
    if not x.requires_grad:
        x.requires_grad_()
    return _gradient(f(x), x, v)


@wrong_answer(
    "keeps the graph of the backward pass in the result",
    zh="结果仍带有反向传播的计算图",
    hint="`create_graph=True` is for gradients of gradients. Nobody asked for those, and the graph holds "
    "memory.",
    hint_zh="create_graph=True 是求高阶梯度时才用的。这里并不需要，而且计算图会一直占用内存。",
)
def vjp(f, x, v):
    point = x if x.requires_grad else x.detach().requires_grad_()
    y = f(point)
    if not y.requires_grad:
        return torch.zeros_like(x, requires_grad=False)
    (product,) = torch.autograd.grad(y, point, v, create_graph=True, allow_unused=True)
    return torch.zeros_like(x, requires_grad=False) if product is None else product


@wrong_answer(
    "takes for granted that f(x) depends on x",
    zh="默认 f(x) 一定依赖于 x",
    hint="A function may be constant, or cut its argument off. Then there is no path from f(x) back to x: "
    "what does torch.autograd.grad say, and what is the derivative of a constant?",
    hint_zh="f 可能是常函数，也可能把输入 detach 掉，这时从 f(x) 到 x 没有通路。torch.autograd.grad 会怎"
    "样？常数的导数是多少？",
)
def vjp(f, x, v):
    point = x.detach().requires_grad_()
    (product,) = torch.autograd.grad(f(point), point, v)
    return product


@wrong_answer(
    "returns None where f does not use x",
    zh="f 不使用 x 时返回了 None",
    hint="`allow_unused=True` gives None for an input that was not used. The derivative there is a number: "
    "which?",
    hint_zh="allow_unused=True 会对未使用的输入返回 None，但那里的导数是一个确定的数。是多少？",
)
def vjp(f, x, v):
    point = x.detach().requires_grad_()
    y = f(point)
    if not y.requires_grad:
        return None
    (product,) = torch.autograd.grad(y, point, v, allow_unused=True)
    return product


@wrong_answer(
    "multiplies the Jacobian from the right",
    zh="从右边乘雅可比矩阵",
    hint="J v says how f(x) moves when x moves along v. The backward pass computes the other product, in "
    "which v has the shape of f(x).",
    hint_zh="Jv 表示 x 沿 v 移动时 f(x) 如何变化。反向传播计算的是另一个乘积，其中 v 的形状与 f(x) 相同。",
)
def vjp(f, x, v):
    rows = _rows(f, x)
    if rows.shape[0] != rows.shape[1]:
        return (v.reshape(-1) @ rows).reshape(x.shape)
    return (rows @ v.reshape(-1)).reshape(x.shape)


@wrong_answer(
    "returns the product flattened",
    zh="返回的结果被展平了",
    hint="The formula numbers the elements of x in one row; the result goes back into the shape of x.",
    hint_zh="公式把 x 的元素排成一行编号，结果应恢复成 x 的形状。",
)
def vjp(f, x, v):
    return v.detach().reshape(-1) @ _rows(f, x)


@wrong_answer(
    "returns zeros: the graph was cut before f",
    zh="在调用 f 之前就切断了计算图，结果全为零",
    hint="Without a graph from x to f(x) there is nothing to walk back along. Does the x that you give to "
    "f require a gradient?",
    hint_zh="从 x 到 f(x) 没有计算图，就无从反向传播。传给 f 的 x 是否需要梯度？",
)
def vjp(f, x, v):
    return torch.zeros_like(x, requires_grad=False)
