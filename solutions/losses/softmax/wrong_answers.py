"""What goes wrong in softmax."""
# ruff: noqa: F811  each misconception defines the exercise's name anew

import torch

from grader import wrong_answer


@wrong_answer(
    "takes the exponential of the scores as they are, and it overflows",
    zh="直接对原始分数取指数，导致溢出",
    hint="exp(1000) is inf, and inf / inf is NaN. Which number may be taken from a whole slice without changing "
    "its probabilities?",
    hint_zh="exp(1000) 等于 inf，而 inf / inf 是 NaN。从一整组分数里减去什么数，概率不会变，又不会溢出？",
)
def softmax(x, dim):
    e = torch.exp(x)
    return e / e.sum(dim, keepdim=True)


@wrong_answer(
    "divides by the sum over all elements",
    zh="除以了所有元素之和",
    hint="The sum runs along `dim`, and keeps it: what does keepdim=True do?",
    hint_zh="求和只沿 dim 方向进行，并且要保留该维。keepdim=True 有什么作用？",
)
def softmax(x, dim):
    e = torch.exp(x - x.amax(dim, keepdim=True))
    return e / e.sum()


@wrong_answer(
    "ignores `dim` and always takes the last one",
    zh="没有理会 dim，总是用最后一维",
    hint="Try a matrix with dim=0: do its columns sum to 1, or its rows?",
    hint_zh="拿一个矩阵试试 dim=0：和为 1 的是列还是行？",
)
def softmax(x, dim):
    e = torch.exp(x - x.amax(-1, keepdim=True))
    return e / e.sum(-1, keepdim=True)


@wrong_answer(
    "ignores `dim` and always takes the first one",
    zh="没有理会 dim，总是用第一维",
    hint="Try a matrix with dim=1: do its rows sum to 1, or its columns?",
    hint_zh="拿一个矩阵试试 dim=1：和为 1 的是行还是列？",
)
def softmax(x, dim):
    e = torch.exp(x - x.amax(0, keepdim=True))
    return e / e.sum(0, keepdim=True)


@wrong_answer(
    "subtracts one maximum from all slices, and the low ones underflow",
    zh="所有组都减去同一个最大值，分数低的组下溢成 0",
    hint="Take the rows [10000, 9999] and [0, 1]: what is left of the second after subtracting 10000? Each slice has "
    "a maximum of its own.",
    hint_zh="考虑两行 [10000, 9999] 和 [0, 1]：第二行减去 10000 以后还剩什么？每一组都有自己的最大值。",
)
def softmax(x, dim):
    e = torch.exp(x - x.max()) if x.numel() else torch.exp(x)
    return e / e.sum(dim, keepdim=True)


@wrong_answer(
    "subtracts the mean of the slice instead of its maximum",
    zh="减去的是平均值，而不是最大值",
    hint="With one large score among many small ones, how far above the mean does it stand, and what is its exponential?",
    hint_zh="许多小分数里混着一个大分数时，它比平均值高出多少？它的指数又是多少？",
)
def softmax(x, dim):
    e = torch.exp(x - x.mean(dim, keepdim=True))
    return e / e.sum(dim, keepdim=True)


@wrong_answer(
    "subtracts the smallest entry instead of the largest",
    zh="减去的是最小值，而不是最大值",
    hint="After the shift, are the exponents at most 0 or at least 0? Which of the two can overflow?",
    hint_zh="平移之后，指数是都不大于 0，还是都不小于 0？哪一种会溢出？",
)
def softmax(x, dim):
    e = torch.exp(x - x.amin(dim, keepdim=True))
    return e / e.sum(dim, keepdim=True)


@wrong_answer(
    "divides the scores by their maximum, as if softmax did not mind the scale",
    zh="把分数除以最大值，以为 softmax 与尺度无关",
    hint="Softmax does not mind a shift; it does mind the scale. Are softmax([1, 2]) and softmax([10, 20]) the same? "
    "The probabilities hang on differences of scores, not on their ratios.",
    hint_zh="softmax 对平移不变，但对缩放不是不变的。softmax([1, 2]) 和 softmax([10, 20]) 一样吗？"
    "决定概率的是分数之差，而不是分数之比。",
)
def softmax(x, dim):
    e = torch.exp(x / x.abs().amax(dim, keepdim=True))
    return e / e.sum(dim, keepdim=True)


@wrong_answer(
    "subtracts the largest absolute value",
    zh="减去的是绝对值的最大值",
    hint="Where all scores of a slice are near -10000, the largest absolute value is 10000. What does the subtraction "
    "give?",
    hint_zh="如果一组分数都在 -10000 附近，绝对值的最大值就是 10000。减完以后得到什么？",
)
def softmax(x, dim):
    e = torch.exp(x - x.abs().amax(dim, keepdim=True))
    return e / e.sum(dim, keepdim=True)


@wrong_answer(
    "clamps the scores to keep the exponential finite",
    zh="为了避免溢出而截断分数",
    hint="Clamped, 10000 and 9999 become the same number. Are they equally probable, and what gradient is left?",
    hint_zh="截断以后，10000 和 9999 变成了同一个数。它们的概率应该相等吗？梯度还剩下什么？",
)
def softmax(x, dim):
    e = torch.exp(x.clamp(-60.0, 60.0))
    return e / e.sum(dim, keepdim=True)


@wrong_answer(
    "replaces the NaN after the fact",
    zh="事后才把 NaN 替换掉",
    hint="nan_to_num hides that exp overflowed; the probabilities are lost all the same. What could be done before exp?",
    hint_zh="nan_to_num 只是掩盖了指数溢出，概率已经丢失了。在取指数之前可以做些什么？",
)
def softmax(x, dim):
    e = torch.exp(x)
    return torch.nan_to_num(e / e.sum(dim, keepdim=True))


@wrong_answer(
    "drops the reduced dim, so that it broadcasts against the wrong one",
    zh="规约后丢掉了该维，结果沿错误的维广播",
    hint="Without keepdim=True the sums of a matrix's rows are one-dimensional, and broadcasting lines them up with "
    "the columns. On a square matrix nobody complains.",
    hint_zh="不写 keepdim=True，矩阵每行的和是一维的，广播时会和列对齐。方阵时甚至不会报错。",
)
def softmax(x, dim):
    e = torch.exp(x - x.amax(dim, keepdim=True))
    return e / e.sum(dim)


@wrong_answer(
    "returns numbers without a graph: no gradient reaches the scores",
    zh="返回的结果没有计算图，梯度传不到分数",
    hint="What becomes of the graph under torch.no_grad(), or after .detach() or .data?",
    hint_zh="在 torch.no_grad() 里，或者用了 .detach()、.data 之后，计算图会怎样？",
)
def softmax(x, dim):
    with torch.no_grad():
        e = torch.exp(x - x.amax(dim, keepdim=True))
        return e / e.sum(dim, keepdim=True)


@wrong_answer(
    "treats the denominator as a constant: its gradient is cut",
    zh="把分母当成了常数，切断了它的梯度",
    hint="Raise one score: do the other probabilities stay? That they fall is the gradient through the sum.",
    hint_zh="把一个分数调高，其他概率会不变吗？它们之所以变小，正是因为梯度经过了分母。",
)
def softmax(x, dim):
    e = torch.exp(x - x.amax(dim, keepdim=True))
    return e / e.sum(dim, keepdim=True).detach()


@wrong_answer(
    "adds an eps to the denominator",
    zh="在分母上加了 eps",
    hint="After the shift by the maximum, how small can the sum get? And what do the probabilities sum to with the eps?",
    hint_zh="减去最大值之后，分母最小能是多少？加了 eps 以后，概率之和还是 1 吗？",
)
def softmax(x, dim):
    e = torch.exp(x - x.amax(dim, keepdim=True))
    return e / (e.sum(dim, keepdim=True) + 1e-6)


@wrong_answer(
    "works on the input in place",
    zh="原地修改了输入",
    hint="Whose tensor is x? After `x -= ...` the caller's scores are gone; on a leaf that needs a gradient it raises.",
    hint_zh="x 是谁的张量？执行 `x -= ...` 之后，调用者的分数就没了；如果 x 是需要梯度的叶子张量，还会报错。",
)
def softmax(x, dim):
    x -= x.amax(dim, keepdim=True)
    e = torch.exp(x)
    return e / e.sum(dim, keepdim=True)


@wrong_answer(
    "returns the logarithm of the probabilities",
    zh="返回的是概率的对数",
    hint="Are these numbers in [0, 1], and do they sum to 1?",
    hint_zh="这些数在 [0, 1] 之间吗？它们的和是 1 吗？",
)
def softmax(x, dim):
    return x - torch.logsumexp(x, dim, keepdim=True)


@wrong_answer(
    "subtracts the logsumexp, which is rounded as coarsely as the scores are large",
    zh="减去 logsumexp，而它的舍入误差随分数一起变大",
    hint="In float16 the neighbours of 10000 are 9992 and 10008. What is the logsumexp of [10000, 10000] rounded to, and "
    "what do the probabilities sum to then? A maximum is not rounded.",
    hint_zh="在 float16 里，与 10000 相邻的数是 9992 和 10008。[10000, 10000] 的 logsumexp 会舍入成多少？"
    "这时概率之和又是多少？而最大值不会有舍入误差。",
)
def softmax(x, dim):
    return torch.exp(x - torch.logsumexp(x, dim, keepdim=True))


@wrong_answer(
    "gives each score its sigmoid: the scores do not compete",
    zh="对每个分数单独做 sigmoid，各类之间没有竞争",
    hint="Sigmoid asks of each class alone whether it is there. Do the results of a slice sum to 1?",
    hint_zh="sigmoid 是对每一类单独判断“是不是”。同一组的结果之和是 1 吗？",
)
def softmax(x, dim):
    return torch.sigmoid(x)


@wrong_answer(
    "takes powers of 2 instead of e",
    zh="用 2 的幂代替了 e 的幂",
    hint="The result sums to 1 either way. What does another base do to the scores' scale?",
    hint_zh="无论用什么底数，结果之和都是 1。换一个底数，相当于对分数做了什么缩放？",
)
def softmax(x, dim):
    e = torch.exp2(x - x.amax(dim, keepdim=True))
    return e / e.sum(dim, keepdim=True)


@wrong_answer(
    "computes in float32 whatever comes, and returns float32",
    zh="无论输入是什么精度，都用 float32 计算并返回 float32",
    hint="What is the dtype of the result for float64 scores, and for float16 ones?",
    hint_zh="输入是 float64 时，结果是什么 dtype？输入是 float16 时呢？",
)
def softmax(x, dim):
    x = x.float()
    e = torch.exp(x - x.amax(dim, keepdim=True))
    return e / e.sum(dim, keepdim=True)


@wrong_answer(
    "computes in float32 and loses float64's digits on the way",
    zh="中途转成 float32 计算，丢掉了 float64 的精度",
    hint="Casting back afterwards restores the dtype; does it restore the digits?",
    hint_zh="最后转回原来的 dtype，丢掉的有效数字能找回来吗？",
)
def softmax(x, dim):
    y = x.float()
    e = torch.exp(y - y.amax(dim, keepdim=True))
    return (e / e.sum(dim, keepdim=True)).to(x.dtype)
