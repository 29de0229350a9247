"""What goes wrong in dropout."""
# ruff: noqa: F811  each misconception defines the exercise's name anew

import random

import torch

from grader import wrong_answer


def check(p):
    if not 0.0 <= p <= 1.0:
        raise ValueError(f"p is {p}")


@wrong_answer(
    "does not scale up what stays",
    zh="没有放大留下的元素",
    hint="What is the expected value of your y, and what will the next layer see in evaluation?",
    hint_zh="你的 y 的期望是多少？评估时下一层看到的又是多少？",
)
def dropout(x, p, training):
    check(p)
    if not training:
        return x
    return x * (torch.rand_like(x) >= p)


@wrong_answer(
    "takes p for the probability to stay",
    zh="把 p 当成了保留的概率",
    hint="With p = 0.3, what share of your elements is zero?",
    hint_zh="p = 0.3 时，你的结果里有多少比例是零？",
)
def dropout(x, p, training):
    check(p)
    if not training:
        return x
    if p == 0.0:
        return torch.zeros_like(x)
    return x * (torch.rand_like(x) < p) / p


@wrong_answer(
    "keeps with probability p, and scales by 1 / (1 - p)",
    zh="以概率 p 保留，却按 1 / (1 - p) 缩放",
    hint="Of rand() < p and rand() >= p, which is true with probability p?",
    hint_zh="rand() < p 和 rand() >= p，哪一个成立的概率是 p？",
)
def dropout(x, p, training):
    check(p)
    if not training:
        return x
    if p == 1.0:
        return torch.zeros_like(x)
    return x * (torch.rand_like(x) < p) / (1 - p)


@wrong_answer(
    "draws the same mask in each call",
    zh="每次调用用的都是同一个掩码",
    hint="A generator that is seeded in the function starts again in each call. Who should seed it, if "
    "anybody?",
    hint_zh="在函数里设了种子的生成器，每次调用都会从头开始。种子该由谁来设？",
)
def dropout(x, p, training):
    check(p)
    if not training:
        return x
    if p == 1.0:
        return torch.zeros_like(x)
    generator = torch.Generator().manual_seed(0)
    kept = torch.rand(x.shape, generator=generator).to(x.device) >= p
    return x * kept / (1 - p)


@wrong_answer(
    "seeds torch's generator at each call",
    zh="每次调用都重新设置了 torch 的随机种子",
    hint="What do two calls in a row draw then, and what becomes of everybody else's random numbers?",
    hint_zh="这样连续两次调用会抽到什么？别处的随机数又会怎样？",
)
def dropout(x, p, training):
    check(p)
    if not training:
        return x
    if p == 1.0:
        return torch.zeros_like(x)
    torch.manual_seed(42)
    return x * (torch.rand_like(x) >= p) / (1 - p)


@wrong_answer(
    "scales in evaluation as well",
    zh="评估时也做了缩放",
    hint="The factor 1 / (1 - p) makes good for the zeros of training. How many zeros are there in "
    "evaluation?",
    hint_zh="1 / (1 - p) 是为了补偿训练时的零。评估时有多少个零？",
)
def dropout(x, p, training):
    check(p)
    if p == 1.0:
        return torch.zeros_like(x)
    if not training:
        return x / (1 - p)
    return x * (torch.rand_like(x) >= p) / (1 - p)


@wrong_answer(
    "scales in training and, by 1 - p, in evaluation again",
    zh="训练时缩放了一次，评估时又乘了 1 - p",
    hint="Either training scales up, or evaluation scales down. What do both together do to the expected "
    "value?",
    hint_zh="要么训练时放大，要么评估时缩小。两者都做，期望会变成什么？",
)
def dropout(x, p, training):
    check(p)
    if not training:
        return x * (1 - p)
    if p == 1.0:
        return torch.zeros_like(x)
    return x * (torch.rand_like(x) >= p) / (1 - p)


@wrong_answer(
    "scales in evaluation instead of in training",
    zh="在评估时缩放，而不是在训练时",
    hint="This is how the first papers did it. Which of the two does this exercise ask for?",
    hint_zh="最初的论文是这样做的。本题要求的是哪一种？",
)
def dropout(x, p, training):
    check(p)
    if not training:
        return x * (1 - p)
    return x * (torch.rand_like(x) >= p)


@wrong_answer(
    "drops in evaluation as well",
    zh="评估时也在丢弃",
    hint="Which of the arguments does your code not look at?",
    hint_zh="你的代码没有用到哪个参数？",
)
def dropout(x, p, training):
    check(p)
    if p == 1.0:
        return torch.zeros_like(x)
    return x * (torch.rand_like(x) >= p) / (1 - p)


@wrong_answer(
    "gives NaN at p = 1",
    zh="p = 1 时得到 NaN",
    hint="What is 1 - p then, and what is 0 divided by it?",
    hint_zh="这时 1 - p 等于多少？0 除以它等于什么？",
)
def dropout(x, p, training):
    check(p)
    if not training:
        return x
    return x * (torch.rand_like(x) >= p) / (1 - p)


@wrong_answer(
    "has a NaN gradient at p = 1",
    zh="p = 1 时梯度是 NaN",
    hint="torch.where computes both branches, and differentiates both. What is 0 times the gradient of x / "
    "0?",
    hint_zh="torch.where 的两个分支都会计算，也都会求导。0 乘以 x / 0 的梯度等于什么？",
)
def dropout(x, p, training):
    check(p)
    if not training:
        return x
    scaled = x / torch.tensor(1.0 - p, dtype=x.dtype, device=x.device)
    return torch.where(torch.rand_like(x) >= p, scaled, torch.zeros_like(x))


@wrong_answer(
    "scales by 1 / p",
    zh="按 1 / p 缩放",
    hint="The share that stays is 1 - p. What must it be multiplied by to give 1?",
    hint_zh="留下的比例是 1 - p。乘以多少才等于 1？",
)
def dropout(x, p, training):
    check(p)
    if not training or p == 0.0:
        return x
    return x * (torch.rand_like(x) >= p) / p


@wrong_answer(
    "multiplies by 1 - p where it should divide",
    zh="该除以 1 - p 的地方做了乘法",
    hint="Some elements are gone. Must those that stay become larger or smaller, for the sum to stay the "
    "same?",
    hint_zh="有些元素没有了。为了总和不变，留下的应该变大还是变小？",
)
def dropout(x, p, training):
    check(p)
    if not training:
        return x
    return x * (torch.rand_like(x) >= p) * (1 - p)


@wrong_answer(
    "scales by the share that happened to stay",
    zh="按实际留下的比例缩放",
    hint="The factor in the contract is a constant. On what does yours depend?",
    hint_zh="题目里的系数是常数。你的系数取决于什么？",
)
def dropout(x, p, training):
    check(p)
    if not training:
        return x
    mask = (torch.rand_like(x) >= p).to(x.dtype)
    return x * mask / mask.mean().clamp(min=1e-12)


@wrong_answer(
    "draws one mask for all rows",
    zh="所有行共用一个掩码",
    hint="How many random numbers do you draw for a batch of [N, D]?",
    hint_zh="对形状为 [N, D] 的批次，你抽了多少个随机数？",
)
def dropout(x, p, training):
    check(p)
    if not training:
        return x
    if p == 1.0:
        return torch.zeros_like(x)
    kept = torch.rand(x.shape[-1], device=x.device) >= p
    return x * kept / (1 - p)


@wrong_answer(
    "keeps or drops whole rows",
    zh="整行整行地保留或丢弃",
    hint="A row is a sample. What is to be thrown away, samples or units?",
    hint_zh="一行是一个样本。要丢弃的是样本还是单元？",
)
def dropout(x, p, training):
    check(p)
    if not training:
        return x
    if p == 1.0:
        return torch.zeros_like(x)
    kept = torch.rand(x.shape[0], *[1] * (x.dim() - 1), device=x.device) >= p
    return x * kept / (1 - p)


@wrong_answer(
    "tosses one coin for the whole tensor",
    zh="整个张量只抛了一枚硬币",
    hint="How many random numbers do you draw, and how many elements has x?",
    hint_zh="你抽了几个随机数？x 有几个元素？",
)
def dropout(x, p, training):
    check(p)
    if not training:
        return x
    if p == 1.0:
        return torch.zeros_like(x)
    return x * (torch.rand((), device=x.device) >= p) / (1 - p)


@wrong_answer(
    "draws from the normal distribution",
    zh="用了正态分布的随机数",
    hint="How likely is a standard normal number to lie below 0.3? And a uniform one?",
    hint_zh="标准正态随机数小于 0.3 的概率是多少？均匀分布的呢？",
)
def dropout(x, p, training):
    check(p)
    if not training or p == 0.0:
        return x
    if p == 1.0:
        return torch.zeros_like(x)
    return x * (torch.randn_like(x) >= p) / (1 - p)


@wrong_answer(
    "sends the gradient past the mask",
    zh="梯度绕过了掩码",
    hint="An element that was thrown away had no influence on the loss. What should its gradient be?",
    hint_zh="被丢弃的元素对损失没有影响。它的梯度应该是多少？",
)
def dropout(x, p, training):
    check(p)
    if not training:
        return x
    if p == 1.0:
        return torch.zeros_like(x)
    y = x * (torch.rand_like(x) >= p) / (1 - p)
    return x + (y - x).detach()


@wrong_answer(
    "leaves the scale out of the gradient",
    zh="梯度里漏掉了缩放",
    hint="If y = x / (1 - p), what is dy/dx?",
    hint_zh="若 y = x / (1 - p)，dy/dx 是多少？",
)
def dropout(x, p, training):
    check(p)
    if not training:
        return x
    if p == 1.0:
        return torch.zeros_like(x)
    kept = x * (torch.rand_like(x) >= p)
    return kept + (kept * (p / (1 - p))).detach()


@wrong_answer(
    "cuts the graph",
    zh="切断了计算图",
    hint="The mask needs no gradient, but x does. What did you take .data, detach() or no_grad for?",
    hint_zh="掩码不需要梯度，x 却需要。你在哪里用了 .data、detach() 或 no_grad？",
)
def dropout(x, p, training):
    check(p)
    if not training:
        return x
    if p == 1.0:
        return torch.zeros_like(x)
    return x.detach() * (torch.rand_like(x) >= p) / (1 - p)


@wrong_answer(
    "writes the zeros into x itself",
    zh="把零写进了 x 本身",
    hint="Who else holds x? Its values before are needed by the layer behind it, and by backward().",
    hint_zh="还有谁持有 x？前一层和 backward() 都可能需要它原来的值。",
)
def dropout(x, p, training):
    check(p)
    if not training:
        return x
    x.data[torch.rand_like(x) < p] = 0.0
    return x / (1 - p) if p < 1.0 else torch.zeros_like(x)


@wrong_answer(
    "accepts any p",
    zh="任何 p 都接受",
    hint="What is a probability of 1.1, or of -0.1? Nothing in the arithmetic will complain for you.",
    hint_zh="概率 1.1 或 -0.1 是什么意思？运算本身不会替你报错。",
)
def dropout(x, p, training):
    if not training:
        return x
    if p >= 1.0:
        return torch.zeros_like(x)
    return x * (torch.rand_like(x) >= p) / (1 - p)


@wrong_answer(
    "checks p in training only",
    zh="只在训练时检查 p",
    hint="A wrong p should be found at the first call. Which call may be the first?",
    hint_zh="错误的 p 应该在第一次调用时就被发现。第一次调用可能处于哪种模式？",
)
def dropout(x, p, training):
    if not training:
        return x
    check(p)
    if p == 1.0:
        return torch.zeros_like(x)
    return x * (torch.rand_like(x) >= p) / (1 - p)


@wrong_answer(
    "draws from Python's generator, not from torch's",
    zh="用的是 Python 的随机数生成器，而不是 torch 的",
    hint="Someone calls torch.manual_seed to repeat an experiment. Do your masks come back?",
    hint_zh="有人为了重复实验调用 torch.manual_seed，你的掩码会重现吗？",
)
def dropout(x, p, training):
    check(p)
    if not training:
        return x
    if p == 1.0:
        return torch.zeros_like(x)
    kept = torch.tensor([random.random() >= p for _ in range(x.numel())], device=x.device)
    return x * kept.reshape(x.shape) / (1 - p)


@wrong_answer(
    "drops exactly the share p of the elements",
    zh="丢掉的元素恰好占比 p",
    hint="Toss 200 coins: how often are exactly 100 of them heads? Each element has a draw of its own.",
    hint_zh="抛 200 枚硬币，有多少次恰好是 100 个正面？每个元素应当各抽各的。",
)
def dropout(x, p, training):
    check(p)
    if not training:
        return x
    if p == 1.0:
        return torch.zeros_like(x)
    kept = torch.ones(x.numel(), dtype=torch.bool, device=x.device)
    kept[torch.randperm(x.numel())[: round(p * x.numel())]] = False
    return x * kept.reshape(x.shape) / (1 - p)


@wrong_answer(
    "gives zeros at p = 1 in evaluation as well",
    zh="p = 1 时，评估也返回全零",
    hint="Which comes first, the question of whether it trains or the case p = 1?",
    hint_zh="应该先判断是否在训练，还是先处理 p = 1？",
)
def dropout(x, p, training):
    check(p)
    if p == 1.0:
        return torch.zeros_like(x)
    if not training:
        return x
    return x * (torch.rand_like(x) >= p) / (1 - p)
