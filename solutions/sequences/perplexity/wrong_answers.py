"""What goes wrong in perplexity."""
# ruff: noqa: F811  each misconception defines the exercise's name anew

import torch

from grader import wrong_answer


def token_losses(logits, target):
    return torch.nn.functional.cross_entropy(logits.movedim(-1, 1), target, reduction="none")


def counted(values, mask):
    return values.flatten() if mask is None else values[mask != 0]


@wrong_answer(
    "takes exp for each sentence and averages the results",
    zh="先对每个句子取 exp，再求平均",
    hint="exp of a mean is not the mean of exps. And should a sentence of two tokens weigh as much as one of fifty?",
    hint_zh="平均值的 exp 不等于 exp 的平均值。另外，两个词的句子应该和五十个词的句子权重相同吗？",
)
def perplexity(logits, target, mask=None):
    losses = token_losses(logits, target)
    weights = torch.ones_like(losses) if mask is None else (mask != 0).to(losses.dtype)
    return ((losses * weights).sum(1) / weights.sum(1)).exp().mean()


@wrong_answer(
    "averages over each sentence first, and then over the sentences",
    zh="先在每个句子内求平均，再对句子求平均",
    hint="All tokens weigh the same. With sentences of 2 and 50 tokens, how much does a token of the short one weigh here?",
    hint_zh="所有词元的权重应该相同。两个句子分别有 2 个和 50 个词元时，短句里的每个词元在这里占多大权重？",
)
def perplexity(logits, target, mask=None):
    losses = token_losses(logits, target)
    weights = torch.ones_like(losses) if mask is None else (mask != 0).to(losses.dtype)
    return ((losses * weights).sum(1) / weights.sum(1)).mean().exp()


@wrong_answer(
    "takes exp for each token and averages the results: the arithmetic mean of 1/p",
    zh="先对每个词元取 exp，再求平均：成了 1/p 的算术平均",
    hint="A single token with p = 1e-6 then drowns a thousand good ones. Perplexity is the geometric mean of 1/p: where "
    "does that put the exp?",
    hint_zh="这样的话，一个 p = 1e-6 的词元就会淹没上千个预测得很好的词元。困惑度是 1/p 的几何平均，那么 exp 应该放在哪里？",
)
def perplexity(logits, target, mask=None):
    return counted(token_losses(logits, target), mask).exp().mean()


@wrong_answer(
    "takes the harmonic mean of 1/p: one over the mean probability",
    zh="算成了 1/p 的调和平均，即平均概率的倒数",
    hint="Some notes call perplexity the harmonic mean of the number of choices. It is the geometric mean of 1/p. What is "
    "averaged: the probabilities, or their logarithms?",
    hint_zh="有的笔记说困惑度是“选择数的调和平均数”，这不对：它是 1/p 的几何平均。应该求平均的是概率，还是概率的对数？",
)
def perplexity(logits, target, mask=None):
    return 1 / counted((-token_losses(logits, target)).exp(), mask).mean()


@wrong_answer(
    "raises 2, not e, to the power of a loss in nats",
    zh="损失以奈特为单位（自然对数），却用 2 作底数求幂",
    hint="The base of the power must be the base of the logarithm. Which logarithm does your loss have?",
    hint_zh="求幂的底数必须和对数的底数一致。你的损失用的是哪种对数？",
)
def perplexity(logits, target, mask=None):
    return 2 ** counted(token_losses(logits, target), mask).mean()


@wrong_answer(
    "counts the padding",
    zh="把填充也算了进去",
    hint="Whatever stands in the mask changes nothing here. Should a text become easier by being padded?",
    hint_zh="无论 mask 里写什么，结果都不变。一段文本多填充几个词元，就应该变得更容易预测吗？",
)
def perplexity(logits, target, mask=None):
    return token_losses(logits, target).mean().exp()


@wrong_answer(
    "leaves the padding out of the sum, but not out of the count",
    zh="求和时去掉了填充，计数时却没有去掉",
    hint="The mean divides by as many tokens as were added up. How many are those?",
    hint_zh="平均值应该除以参与求和的词元个数。那是多少个？",
)
def perplexity(logits, target, mask=None):
    losses = token_losses(logits, target)
    return (counted(losses, mask).sum() / losses.numel()).exp()


@wrong_answer(
    "takes the sum of the losses for their mean",
    zh="用损失之和代替了平均值",
    hint="Does the result grow with the length of the text? A perplexity compares texts of different lengths.",
    hint_zh="文本越长，结果就越大吗？困惑度应该能让不同长度的文本互相比较。",
)
def perplexity(logits, target, mask=None):
    return counted(token_losses(logits, target), mask).sum().exp()


@wrong_answer(
    "divides by the number of sentences instead of tokens",
    zh="除以的是句子数，而不是词元数",
    hint="The mean is over tokens. How does your result change when the same text is cut into fewer, longer sentences?",
    hint_zh="平均是对词元求的。把同一段文本切成更少、更长的句子，你的结果会变吗？",
)
def perplexity(logits, target, mask=None):
    return (counted(token_losses(logits, target), mask).sum() / len(logits)).exp()


@wrong_answer(
    "returns the mean loss, without exp",
    zh="返回的是平均损失，忘了取 exp",
    hint="A model that is unsure among V tokens has the perplexity V. What does your code give it?",
    hint_zh="对 V 个词元毫无头绪的模型，困惑度应该是 V。你的代码给出的是多少？",
)
def perplexity(logits, target, mask=None):
    return counted(token_losses(logits, target), mask).mean()


@wrong_answer(
    "has the sign wrong: exp of the mean log-probability",
    zh="符号反了：算成了平均对数概率的 exp",
    hint="Perplexity is at least 1, and the smaller the better. Is yours?",
    hint_zh="困惑度至少是 1，并且越小越好。你的结果是这样吗？",
)
def perplexity(logits, target, mask=None):
    return (-counted(token_losses(logits, target), mask).mean()).exp()


@wrong_answer(
    "takes the logarithm of the softmax, which may have become 0",
    zh="先算 softmax 再取对数，而概率可能已经变成 0",
    hint="A probability of exp(-200) is 0 in float32, and its logarithm -inf. Yet one such token in a long text leaves "
    "the perplexity finite. Which function gives the logarithm without the probability?",
    hint_zh="exp(-200) 在 float32 里就是 0，取对数得到 -inf。可一段长文本里有一个这样的词元，困惑度仍然是有限的。"
    "哪个函数不经过概率就能直接给出它的对数？",
)
def perplexity(logits, target, mask=None):
    p = torch.softmax(logits, -1).gather(-1, target.unsqueeze(-1)).squeeze(-1)
    return torch.exp(-counted(p, mask).log().mean())


@wrong_answer(
    "takes log(p + eps) of the probabilities",
    zh="对概率取 log(p + eps)",
    hint="eps gives every token a little probability that the model did not give it. Which form of the logarithm of a "
    "softmax needs no eps?",
    hint_zh="eps 等于额外送给每个词元一点概率，而模型并没有给它。softmax 的对数写成什么形式就不需要 eps？",
)
def perplexity(logits, target, mask=None):
    p = logits.softmax(-1).gather(-1, target.unsqueeze(-1)).squeeze(-1)
    return (-counted((p + 1e-6).log(), mask).mean()).exp()


@wrong_answer(
    "takes the exponential of the logits as they are, and it overflows",
    zh="直接对原始 logits 取指数，导致溢出",
    hint="exp(1000) is inf. What can be taken from all scores of a position without changing its softmax?",
    hint_zh="exp(1000) 等于 inf。从一个位置的所有分数里减去什么数，softmax 不会变？",
)
def perplexity(logits, target, mask=None):
    e = logits.exp()
    p = e.gather(-1, target.unsqueeze(-1)).squeeze(-1) / e.sum(-1)
    return (-counted(p.log(), mask).mean()).exp()


@wrong_answer(
    "multiplies the probabilities before it takes the root: a long text underflows",
    zh="先把概率连乘再开方，文本一长就会下溢",
    hint="The product of a hundred small probabilities is 0 in floats. What turns a product into a sum?",
    hint_zh="一百个小概率连乘，在浮点数里就是 0。什么运算能把连乘变成求和？",
)
def perplexity(logits, target, mask=None):
    p = counted((-token_losses(logits, target)).exp(), mask)
    return p.prod() ** (-1 / p.numel())


@wrong_answer(
    "takes the softmax over the positions instead of the vocabulary",
    zh="softmax 沿时间维做了，而不是沿词表维",
    hint="At each position the tokens of the vocabulary compete. Along which dim of [B, T, V] do they lie?",
    hint_zh="在每个位置上，相互竞争的是词表里的各个词元。在 [B, T, V] 里，它们沿哪一维排列？",
)
def perplexity(logits, target, mask=None):
    losses = logits.logsumexp(1, keepdim=True) - logits
    losses = losses.gather(-1, target.unsqueeze(-1)).squeeze(-1)
    return counted(losses, mask).mean().exp()


@wrong_answer(
    "reads the classes from dim 1 by reshaping [B, T, V] to [B, V, T]",
    zh="用 reshape 把 [B, T, V] 变成 [B, V, T]",
    hint="A reshape keeps the order of the numbers in memory and moves no dim. What swaps two dims?",
    hint_zh="reshape 不改变数在内存中的顺序，也不会交换维度。交换两个维应该用什么？",
)
def perplexity(logits, target, mask=None):
    b, t, v = logits.shape
    losses = torch.nn.functional.cross_entropy(logits.reshape(b, v, t), target, reduction="none")
    return counted(losses, mask).mean().exp()


@wrong_answer(
    "shifts the targets by one position once more",
    zh="把目标又错开了一位",
    hint="logits[:, t] already speak about target[:, t]. How many predictions does your mean count for T positions?",
    hint_zh="logits[:, t] 对应的就是 target[:, t]。有 T 个位置时，你的平均里有多少个预测？",
)
def perplexity(logits, target, mask=None):
    losses = token_losses(logits[:, :-1], target[:, 1:])
    return counted(losses, None if mask is None else mask[:, 1:]).mean().exp()


@wrong_answer(
    "turns the mask round and counts what is to be left out",
    zh="把 mask 用反了，只算了该忽略的词元",
    hint="True, or not 0, marks a token that counts. masked_fill and the key_padding_mask of torch read their masks the "
    "other way round.",
    hint_zh="True（或非零）表示该词元要计入。torch 的 masked_fill 和 key_padding_mask 的含义正好相反。",
)
def perplexity(logits, target, mask=None):
    losses = token_losses(logits, target)
    return counted(losses, None if mask is None else mask == 0).mean().exp()


@wrong_answer(
    "uses a mask of numbers as indices",
    zh="把数值型的 mask 当成了下标",
    hint="x[mask] selects where a boolean mask is True. With integers it looks up rows by number. What makes booleans of "
    "them?",
    hint_zh="mask 是布尔型时，x[mask] 选出为 True 的元素；是整数时，就变成了按行号取行。怎样把它变成布尔型？",
)
def perplexity(logits, target, mask=None):
    losses = token_losses(logits, target)
    if mask is None:
        return losses.mean().exp()
    return losses[mask if mask.dtype == torch.bool else mask.long()].mean().exp()


@wrong_answer(
    "weighs each token by the number in the mask",
    zh="把 mask 里的数当成了权重",
    hint="A token counts or it does not. What does a mask that holds a 5 do to your sum?",
    hint_zh="一个词元要么计入，要么不计入。如果 mask 里有个 5，你的和会怎样？",
)
def perplexity(logits, target, mask=None):
    losses = token_losses(logits, target)
    if mask is None:
        return losses.mean().exp()
    return ((losses * mask).sum() / mask.sum()).exp()


@wrong_answer(
    "returns a plain number, and with it no graph",
    zh="返回的是普通数值，没有计算图",
    hint="math.exp and .item() give a Python float. What is asked for is a tensor without dims that still has its graph.",
    hint_zh="math.exp 和 .item() 得到的是 Python 浮点数；题目要的是零维张量，并且保留计算图。",
)
def perplexity(logits, target, mask=None):
    return counted(token_losses(logits, target), mask).mean().exp().item()


@wrong_answer(
    "cuts the graph: no gradient reaches the logits",
    zh="切断了计算图，梯度传不到 logits",
    hint="Under torch.no_grad(), or after .detach(), what can .backward() find?",
    hint_zh="在 torch.no_grad() 里，或者用了 .detach() 之后，.backward() 还能找到什么？",
)
def perplexity(logits, target, mask=None):
    with torch.no_grad():
        return counted(token_losses(logits, target), mask).mean().exp()
