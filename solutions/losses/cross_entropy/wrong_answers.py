"""What goes wrong in cross entropy."""
# ruff: noqa: F811  each misconception defines the exercise's name anew

import torch

from grader import wrong_answer


def check(reduction):
    if reduction not in ("none", "sum", "mean"):
        raise ValueError(reduction)


def reduced(losses, reduction):
    check(reduction)
    return {"none": losses, "sum": losses.sum(), "mean": losses.mean()}[reduction]


def log_softmax(logits):
    shifted = logits - logits.amax(dim=1, keepdim=True)
    return shifted - shifted.exp().sum(dim=1, keepdim=True).log()


def picked(rows, target):
    return rows.gather(1, target.unsqueeze(1)).squeeze(1)


@wrong_answer(
    "takes the softmax twice",
    zh="做了两次 softmax",
    hint="The loss takes logits, and has the softmax within. What does a softmax make of numbers that are probabilities "
    "already, all between 0 and 1?",
    hint_zh="这个损失的输入是 logits，softmax 已经包含在里面。对已经是概率、都在 0 到 1 之间的数再做一次 softmax，会得到什么？",
)
def cross_entropy(logits, target, reduction="mean"):
    return reduced(-picked(log_softmax(torch.softmax(logits, 1)), target), reduction)


@wrong_answer(
    "takes log(p + eps) of the probabilities",
    zh="对概率取 log(p + eps)",
    hint="With eps = 1e-8 no loss exceeds 18.4, and where p is 0 there is no gradient left. Which form of the logarithm "
    "needs no eps?",
    hint_zh="eps = 1e-8 时，损失永远不会超过 18.4；而 p 为 0 的地方，梯度也没有了。对数写成什么形式就不需要 eps？",
)
def cross_entropy(logits, target, reduction="mean"):
    p = torch.softmax(logits, 1)
    return reduced(-torch.log(picked(p, target) + 1e-8), reduction)


@wrong_answer(
    "clamps the probabilities before the logarithm",
    zh="取对数之前截断了概率",
    hint="Where the clamp acts, its gradient is 0: the samples that are most wrong teach nothing. Can the logarithm be "
    "had without the probability?",
    hint_zh="被截断的地方梯度为 0：错得最离谱的样本反而什么也学不到。能不能不经过概率，直接得到它的对数？",
)
def cross_entropy(logits, target, reduction="mean"):
    p = torch.softmax(logits, 1)
    return reduced(-torch.log(picked(p, target).clamp(min=1e-12)), reduction)


@wrong_answer(
    "takes the logarithm of the softmax, which may have become 0",
    zh="先算 softmax 再取对数，而概率可能已经变成 0",
    hint="A probability of exp(-20000) is 0 in floats, and its logarithm -inf; yet -20000 was there all along. Where?",
    hint_zh="exp(-20000) 在浮点数里就是 0，取对数得到 -inf；可 -20000 这个数本来就在手上。它在哪里？",
)
def cross_entropy(logits, target, reduction="mean"):
    return reduced(-picked(torch.softmax(logits, 1).log(), target), reduction)


@wrong_answer(
    "takes the exponential of the logits as they are, and it overflows",
    zh="直接对原始 logits 取指数，导致溢出",
    hint="exp(1000) is inf. Which number can be taken from a whole row without changing its softmax?",
    hint_zh="exp(1000) 等于 inf。从一整行里减去什么数，softmax 不会变？",
)
def cross_entropy(logits, target, reduction="mean"):
    return reduced(logits.exp().sum(dim=1).log() - picked(logits, target), reduction)


@wrong_answer(
    "subtracts one maximum from all rows, and the low ones underflow",
    zh="所有行都减去同一个最大值，分数低的行下溢成 0",
    hint="What is left of a row of scores near -10000 after subtracting the 10000 of another row?",
    hint_zh="某一行的分数都在 -10000 附近，减去另一行的 10000 以后还剩什么？",
)
def cross_entropy(logits, target, reduction="mean"):
    check(reduction)
    shifted = logits - logits.max() if logits.numel() else logits
    return reduced(shifted.exp().sum(dim=1).log() - picked(shifted, target), reduction)


@wrong_answer(
    "returns the mean whatever the reduction",
    zh="无论 reduction 是什么，都返回平均值",
    hint='What shape has the result for "none", and does "sum" grow with the batch?',
    hint_zh='reduction="none" 时结果是什么形状？"sum" 会随批次变大而增大吗？',
)
def cross_entropy(logits, target, reduction="mean"):
    check(reduction)
    return -picked(log_softmax(logits), target).mean()


@wrong_answer(
    "takes the sum for the mean",
    zh="把求和当成了求平均",
    hint="Sum and mean differ by the factor N, in the loss and in every gradient. What would a batch twice as large do "
    "to the learning rate?",
    hint_zh="sum 和 mean 相差 N 倍，损失如此，梯度也如此。批次加倍时，学习率等于变成了多少？",
)
def cross_entropy(logits, target, reduction="mean"):
    check(reduction)
    losses = -picked(log_softmax(logits), target)
    return losses if reduction == "none" else losses.sum()


@wrong_answer(
    "picks the target columns of all rows: logits[:, target]",
    zh="对所有行都取了目标列：logits[:, target]",
    hint="What shape has x[:, target] for N samples, and which of its elements did you want? One index for each row is "
    "needed as well.",
    hint_zh="有 N 个样本时，x[:, target] 是什么形状？其中哪些元素才是你要的？还需要给每一行一个行下标。",
)
def cross_entropy(logits, target, reduction="mean"):
    return reduced(-log_softmax(logits)[:, target], reduction)


@wrong_answer(
    "takes the softmax over the samples instead of the classes",
    zh="softmax 沿样本维做了，而不是沿类别维",
    hint="The classes of one sample compete with each other. Along which dim of [N, C] do they lie?",
    hint_zh="相互竞争的是同一个样本的各个类别。在 [N, C] 里，它们沿哪一维排列？",
)
def cross_entropy(logits, target, reduction="mean"):
    check(reduction)
    logp = logits - torch.logsumexp(logits, 0, keepdim=True)
    return reduced(-picked(logp, target), reduction)


@wrong_answer(
    "averages over all N * C elements",
    zh="对全部 N * C 个元素求了平均",
    hint="How many losses are there for N samples? The mean divides by that number.",
    hint_zh="N 个样本有多少个损失？平均就应该除以这个数。",
)
def cross_entropy(logits, target, reduction="mean"):
    losses = reduced(-picked(log_softmax(logits), target), reduction)
    return losses / logits.shape[1] if reduction == "mean" else losses


@wrong_answer(
    "multiplies by a one-hot row: 0 times -inf is NaN",
    zh="用独热向量相乘：0 乘 -inf 得到 NaN",
    hint="In floats 0 * inf is NaN, not 0. What picks a number without multiplying all the others by 0?",
    hint_zh="在浮点数里，0 * inf 是 NaN，不是 0。怎样只取出一个数，而不用把其他数都乘以 0？",
)
def cross_entropy(logits, target, reduction="mean"):
    one_hot = torch.zeros_like(logits).scatter(1, target.unsqueeze(1), 1.0)
    return reduced(-(one_hot * log_softmax(logits)).sum(dim=1), reduction)


@wrong_answer(
    "forgets the minus sign",
    zh="漏掉了负号",
    hint="A probability is at most 1: which sign has its logarithm, and which way would training go?",
    hint_zh="概率不大于 1，它的对数是正还是负？这样训练会朝哪个方向走？",
)
def cross_entropy(logits, target, reduction="mean"):
    return reduced(picked(log_softmax(logits), target), reduction)


@wrong_answer(
    "measures in bits: takes the logarithm to base 2",
    zh="用了以 2 为底的对数",
    hint="The convention asks for the natural logarithm. By which factor are loss and gradients off?",
    hint_zh="约定用自然对数。换成以 2 为底，损失和梯度各差多少倍？",
)
def cross_entropy(logits, target, reduction="mean"):
    return reduced(-picked(log_softmax(logits), target) / 0.6931471805599453, reduction)


@wrong_answer(
    "treats the normaliser as a constant: its gradient is cut",
    zh="把归一化项当成了常数，切断了它的梯度",
    hint="The gradient is softmax minus one-hot. Which of the two parts comes through the normaliser?",
    hint_zh="梯度应该是 softmax 减去独热向量。其中哪一部分是通过归一化项传回来的？",
)
def cross_entropy(logits, target, reduction="mean"):
    losses = torch.logsumexp(logits, 1).detach() - picked(logits, target)
    return reduced(losses, reduction)


@wrong_answer(
    "has the mean's value, but the gradient of the sum",
    zh="值是平均值，梯度却是求和的梯度",
    hint="The factor 1/N belongs to the graph as well. Is it multiplied onto the loss, or onto a number taken out of it?",
    hint_zh="系数 1/N 也属于计算图。它是乘在损失上，还是乘在从损失里取出来的数值上？",
)
def cross_entropy(logits, target, reduction="mean"):
    losses = -picked(log_softmax(logits), target)
    if reduction == "mean":
        total = losses.sum()
        return total - total.item() * (1 - 1 / len(target))
    return reduced(losses, reduction)


@wrong_answer(
    "returns a plain number, and with it no graph",
    zh="返回的是普通数值，没有计算图",
    hint="What can .backward() do with a number that .item(), .detach() or no_grad has taken out of the graph?",
    hint_zh="用 .item()、.detach() 或 no_grad 从图里取出来的数，还能做 .backward() 吗？",
)
def cross_entropy(logits, target, reduction="mean"):
    return reduced(-picked(log_softmax(logits.detach()), target), reduction)


@wrong_answer(
    "lets an unknown reduction pass as the mean",
    zh="遇到不认识的 reduction 就当成 mean",
    hint='A typo such as reduction="avarage" then trains on, silently. Who notices?',
    hint_zh='写错成 reduction="avarage" 时，训练会悄悄继续。谁会发现？',
)
def cross_entropy(logits, target, reduction="mean"):
    losses = -picked(log_softmax(logits), target)
    if reduction == "none":
        return losses
    return losses.sum() if reduction == "sum" else losses.mean()


@wrong_answer(
    "lets an unknown reduction pass as none",
    zh="遇到不认识的 reduction 就不做规约",
    hint="The caller asked for one number and gets N. Where will that be noticed, and how late?",
    hint_zh="调用者想要一个数，却得到了 N 个。这要到哪里才会被发现？",
)
def cross_entropy(logits, target, reduction="mean"):
    losses = -picked(log_softmax(logits), target)
    if reduction == "mean":
        return losses.mean()
    return losses.sum() if reduction == "sum" else losses


@wrong_answer(
    'takes "None" for "none"',
    zh='把 "None" 也当成 "none"',
    hint='Notes often write reduction="None"; PyTorch knows only the lower-case "none" and refuses the rest. Which '
    "names does the contract allow?",
    hint_zh='有的笔记写成 reduction="None"，但 PyTorch 只认小写的 "none"，其他写法都会报错。题目允许哪几个名字？',
)
def cross_entropy(logits, target, reduction="mean"):
    return reduced(-picked(log_softmax(logits), target), reduction.lower())


@wrong_answer(
    "computes in float32 whatever comes, and returns float32",
    zh="无论输入是什么精度，都用 float32 计算并返回 float32",
    hint="Which dtype has the loss of float64 logits? And that of float16 ones?",
    hint_zh="logits 是 float64 时，损失是什么 dtype？logits 是 float16 时呢？",
)
def cross_entropy(logits, target, reduction="mean"):
    return reduced(-picked(log_softmax(logits.float()), target), reduction)


@wrong_answer(
    "works on the logits in place",
    zh="原地修改了 logits",
    hint="After `logits -= ...` the caller's logits are gone; on a leaf that needs a gradient it raises.",
    hint_zh="执行 `logits -= ...` 之后，调用者的 logits 就没了；如果它是需要梯度的叶子张量，还会报错。",
)
def cross_entropy(logits, target, reduction="mean"):
    check(reduction)
    logits -= logits.amax(dim=1, keepdim=True)
    return reduced(torch.logsumexp(logits, 1) - picked(logits, target), reduction)


@wrong_answer(
    "takes the loss of the class that the model prefers, not of the right one",
    zh="算的是模型最看好的类别的损失，而不是正确类别的损失",
    hint="With argmax in the place of the target, a model that is wrong but sure of itself has a loss near 0.",
    hint_zh="如果用 argmax 代替目标，一个错得很自信的模型，损失也会接近 0。",
)
def cross_entropy(logits, target, reduction="mean"):
    return reduced(-log_softmax(logits).amax(dim=1), reduction)
