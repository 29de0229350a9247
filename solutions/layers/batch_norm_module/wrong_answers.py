"""What goes wrong in batch normalisation."""

import torch
from torch import nn

from grader import wrong_answer


class _BatchNorm(nn.Module):
    """A right answer in small steps, so that each misconception can replace one of them."""

    def __init__(self, num_features, eps=1e-5, momentum=0.1):
        super().__init__()
        self.eps = eps
        self.momentum = momentum
        self.weight = nn.Parameter(torch.ones(num_features))
        self.bias = nn.Parameter(torch.zeros(num_features))
        self.keep("running_mean", torch.zeros(num_features))
        self.keep("running_var", torch.ones(num_features))

    def keep(self, name, value):
        self.register_buffer(name, value)

    def dims(self, x):
        return [dim for dim in range(x.dim()) if dim != 1]

    def shape(self, x):
        return [1, -1] + [1] * (x.dim() - 2)

    def statistics(self, x):
        return x.mean(self.dims(x)), x.var(self.dims(x), correction=0)

    def spread(self, x):
        """The variance that running_var follows."""
        return x.var(self.dims(x), correction=1)

    def root(self, var):
        return torch.sqrt(var + self.eps)

    def follow(self, mean, var):
        with torch.no_grad():
            self.running_mean.mul_(1 - self.momentum).add_(self.momentum * mean)
            self.running_var.mul_(1 - self.momentum).add_(self.momentum * var)

    def scaled(self, normalised, shape):
        return self.weight.view(shape) * normalised + self.bias.view(shape)

    def forward(self, x):
        if self.training:
            mean, var = self.statistics(x)
            self.follow(mean, self.spread(x))
        else:
            mean, var = self.running_mean, self.running_var
        shape = self.shape(x)
        return self.scaled((x - mean.view(shape)) / self.root(var).view(shape), shape)


@wrong_answer(
    "keeps the running statistics as parameters",
    zh="把滑动统计量注册成了参数",
    hint="An optimizer takes all parameters, with weight decay and all. What is not learned, but belongs "
    "to the state, is registered otherwise: how?",
    hint_zh="参数会全部交给优化器，还可能被权重衰减。不参与学习、但属于状态的量，应当怎样注册？",
)
class BatchNorm(_BatchNorm):
    def keep(self, name, value):
        setattr(self, name, nn.Parameter(value, requires_grad=False))


@wrong_answer(
    "keeps the running statistics as plain attributes, outside the state_dict",
    zh="把滑动统计量存成普通属性，没有进入 state_dict",
    hint="A plain tensor is neither saved, nor moved with the module to another dtype or device. What does "
    "register_buffer do?",
    hint_zh="普通的张量属性既不会被保存，也不会随模块转换 dtype 或设备。register_buffer 有什么作用？",
)
class BatchNorm(_BatchNorm):
    def keep(self, name, value):
        setattr(self, name, value)


@wrong_answer(
    "leaves the buffers out of the state_dict",
    zh="缓冲区没有进入 state_dict",
    hint="A loaded model evaluates with the statistics it was saved with. What does persistent=False do to "
    "them?",
    hint_zh="重新加载的模型要用保存时的统计量来评估。persistent=False 会带来什么后果？",
)
class BatchNorm(_BatchNorm):
    def keep(self, name, value):
        self.register_buffer(name, value, persistent=False)


@wrong_answer(
    "computes the batch's statistics without gradients",
    zh="计算批统计量时切断了梯度",
    hint="The mean and the variance are functions of x. Which terms of the gradient are lost when they "
    "count as constants?",
    hint_zh="均值和方差都是 x 的函数。把它们当成常数，梯度会丢掉哪些项？",
)
class BatchNorm(_BatchNorm):
    def statistics(self, x):
        with torch.no_grad():
            return super().statistics(x)


@wrong_answer(
    "takes momentum for the share of the old value",
    zh="把 momentum 当成了旧值所占的比例",
    hint="With torch's momentum of 0.1 the new batch has a share of 0.1. Other frameworks count the other "
    "way round.",
    hint_zh="在 PyTorch 中 momentum 为 0.1 表示新的一批占 0.1。有些框架的定义恰好相反。",
)
class BatchNorm(_BatchNorm):
    def follow(self, mean, var):
        with torch.no_grad():
            self.running_mean.mul_(self.momentum).add_((1 - self.momentum) * mean)
            self.running_var.mul_(self.momentum).add_((1 - self.momentum) * var)


@wrong_answer(
    "lets running_var follow the biased variance",
    zh="running_var 用了有偏方差",
    hint="The batch is normalised by the variance over n. What stands in for the variance of all data is "
    "the unbiased one, over n - 1.",
    hint_zh="归一化本批数据用的是除以 n 的方差；用来估计全体数据方差的，则是除以 n - 1 的无偏方差。",
)
class BatchNorm(_BatchNorm):
    def spread(self, x):
        return x.var(self.dims(x), correction=0)


@wrong_answer(
    "normalises by the unbiased variance",
    zh="用无偏方差做归一化",
    hint="torch.var divides by n - 1 unless told otherwise. Which of the two makes the normalised batch "
    "have variance 1?",
    hint_zh="torch.var 默认除以 n - 1。要使归一化之后这一批的方差恰为 1，应当用哪一个？",
)
class BatchNorm(_BatchNorm):
    def statistics(self, x):
        return x.mean(self.dims(x)), x.var(self.dims(x), correction=1)


@wrong_answer(
    "takes the mean of the squares less the square of the mean, and nothing is left of the variance",
    zh="用平方的均值减去均值的平方，方差的有效数字全部抵消",
    hint="Near 5000 the squares are near 25 million, where the neighbours of a float32 lie 2 apart. How large is a "
    "variance that is to be the difference of two such numbers? Which differences are small from the start?",
    hint_zh="在 5000 附近，平方约为两千五百万，那里相邻的 float32 相差 2。两个这样的数相减，还能得到多准的方差？"
    "哪些差从一开始就是小数目？",
)
class BatchNorm(_BatchNorm):
    def statistics(self, x):
        mean = x.mean(self.dims(x))
        return mean, (x * x).mean(self.dims(x)) - mean * mean

    def spread(self, x):
        n = x.numel() // x.shape[1]
        return self.statistics(x)[1] * n / (n - 1)


@wrong_answer(
    "swaps the two variances",
    zh="把有偏方差和无偏方差用反了",
    hint="Which of them describes this batch, and which one estimates the variance of all data?",
    hint_zh="哪一个描述的是本批数据，哪一个是对全体数据方差的估计？",
)
class BatchNorm(_BatchNorm):
    def statistics(self, x):
        return x.mean(self.dims(x)), x.var(self.dims(x), correction=1)

    def spread(self, x):
        return x.var(self.dims(x), correction=0)


@wrong_answer(
    "normalises each position of an image by itself",
    zh="对图像的每个位置分别归一化",
    hint="A channel means the same everywhere in the image: its statistics run over the batch and over all "
    "positions.",
    hint_zh="同一个通道在图像各处含义相同，统计量应当同时对批量和所有位置计算。",
)
class BatchNorm(_BatchNorm):
    def forward(self, x):
        if not self.training:
            return super().forward(x)
        self.follow(super().statistics(x)[0], self.spread(x))
        mean, var = x.mean(0, keepdim=True), x.var(0, correction=0, keepdim=True)
        return self.scaled((x - mean) / self.root(var), self.shape(x))


@wrong_answer(
    "normalises each sample over its channels",
    zh="对每个样本的各个通道做了归一化",
    hint="That is layer normalisation. Batch normalisation compares the values of one channel across the "
    "batch.",
    hint_zh="那是层归一化。批量归一化比较的是同一通道在整批数据中的取值。",
)
class BatchNorm(_BatchNorm):
    def forward(self, x):
        if not self.training:
            return super().forward(x)
        self.follow(super().statistics(x)[0], self.spread(x))
        dims = list(range(1, x.dim()))
        mean, var = x.mean(dims, keepdim=True), x.var(dims, correction=0, keepdim=True)
        return self.scaled((x - mean) / self.root(var), self.shape(x))


@wrong_answer(
    "takes one mean and one variance for all channels",
    zh="所有通道共用一个均值和一个方差",
    hint="Each channel has a scale of its own: that is why weight and bias have C entries.",
    hint_zh="每个通道都有自己的尺度，正因如此 weight 和 bias 才有 C 个元素。",
)
class BatchNorm(_BatchNorm):
    def statistics(self, x):
        channels = x.shape[1]
        return x.mean().expand(channels), x.var(correction=0).expand(channels)


@wrong_answer(
    "works on dense layers only",
    zh="只支持全连接层的二维输入",
    hint="An image has the shape [N, C, H, W]. How must mean, weight and the rest be shaped to meet dim 1?",
    hint_zh="图像的形状是 [N, C, H, W]。均值、weight 等要变成什么形状，才能对齐第 1 维？",
)
class BatchNorm(_BatchNorm):
    def dims(self, x):
        return [0]

    def shape(self, x):
        return [-1]


@wrong_answer(
    "moves the running statistics in eval mode, too",
    zh="评估模式下也更新了滑动统计量",
    hint="A model must give the same answers however often it is evaluated. Which mode may learn from a "
    "batch?",
    hint_zh="同一个模型无论评估多少次，结果都应该一样。哪种模式才允许从数据中更新统计量？",
)
class BatchNorm(_BatchNorm):
    def forward(self, x):
        if self.training:
            return super().forward(x)
        before = self.running_mean.clone(), self.running_var.clone()
        self.follow(super().statistics(x)[0].detach(), self.spread(x).detach())
        mean, var = before
        shape = self.shape(x)
        return self.scaled((x - mean.view(shape)) / self.root(var).view(shape), shape)


@wrong_answer(
    "normalises by the batch in eval mode, too",
    zh="评估模式下仍然用本批的统计量",
    hint="In eval mode the answer for one sample may not depend on its neighbours in the batch.",
    hint_zh="评估模式下，一个样本的结果不应受同批其他样本的影响。",
)
class BatchNorm(_BatchNorm):
    def forward(self, x):
        mean, var = self.statistics(x)
        if self.training:
            self.follow(mean, self.spread(x))
        shape = self.shape(x)
        return self.scaled((x - mean.view(shape)) / self.root(var).view(shape), shape)


@wrong_answer(
    "normalises by the running statistics in train mode, too",
    zh="训练模式下也用滑动统计量做归一化",
    hint="The running statistics lag behind. In train mode the batch is normalised by its own.",
    hint_zh="滑动统计量总是滞后的。训练模式下应当用本批自己的统计量。",
)
class BatchNorm(_BatchNorm):
    def forward(self, x):
        if self.training:
            self.follow(super().statistics(x)[0], self.spread(x))
        shape = self.shape(x)
        # Copies: a later batch moves the buffers in place.
        mean, var = self.running_mean.clone(), self.running_var.clone()
        return self.scaled((x - mean.view(shape)) / self.root(var).view(shape), shape)


@wrong_answer(
    "lets the buffers carry a graph",
    zh="缓冲区带上了计算图",
    hint="running_mean is made from the batch's mean, which has a graph. Without torch.no_grad the graphs "
    "of all batches hang on to each other.",
    hint_zh="running_mean 由带计算图的批均值得来。不用 torch.no_grad，所有批次的计算图就会连成一串。",
)
class BatchNorm(_BatchNorm):
    def follow(self, mean, var):
        self.running_mean = (1 - self.momentum) * self.running_mean + self.momentum * mean
        self.running_var = (1 - self.momentum) * self.running_var + self.momentum * var


@wrong_answer(
    "adds eps outside the root",
    zh="把 eps 加在了根号外面",
    hint="With a variance of zero, eps outside gives a divisor of 1e-5, inside of 3e-3. Which one does the "
    "contract name?",
    hint_zh="方差为零时，eps 在根号外除数是 1e-5，在根号内约为 3e-3。题目规定的是哪一种？",
)
class BatchNorm(_BatchNorm):
    def root(self, var):
        return torch.sqrt(var) + self.eps


@wrong_answer(
    "divides by the variance instead of its root",
    zh="除以了方差，而没有开方",
    hint="Which of the two has the unit of x: the variance or the standard deviation?",
    hint_zh="方差和标准差，哪一个与 x 的单位相同？",
)
class BatchNorm(_BatchNorm):
    def root(self, var):
        return var + self.eps


@wrong_answer(
    "normalises only: weight and bias are never used",
    zh="只做了归一化，没有用到 weight 和 bias",
    hint="After the normalisation every channel has mean 0 and variance 1. What lets the network choose "
    "others?",
    hint_zh="归一化之后每个通道的均值都是 0、方差都是 1。靠什么让网络能选择别的值？",
)
class BatchNorm(_BatchNorm):
    def scaled(self, normalised, shape):
        return normalised + 0 * (self.weight.view(shape) + self.bias.view(shape))


@wrong_answer(
    "keeps weight and bias as buffers, which do not learn",
    zh="把 weight 和 bias 注册成了缓冲区，无法学习",
    hint="gamma and beta are learned by gradient descent. What makes a tensor a parameter of its module?",
    hint_zh="γ 和 β 要靠梯度下降学习。怎样让一个张量成为模块的参数？",
)
class BatchNorm(_BatchNorm):
    def __init__(self, num_features, eps=1e-5, momentum=0.1):
        super().__init__(num_features, eps, momentum)
        del self.weight, self.bias
        self.register_buffer("weight", torch.ones(num_features))
        self.register_buffer("bias", torch.zeros(num_features))


@wrong_answer(
    "starts running_var at zero",
    zh="running_var 的初值设成了零",
    hint="An untrained layer in eval mode should leave its input nearly as it is: by which variance does "
    "it divide?",
    hint_zh="未经训练的层在评估模式下，应当基本保持输入不变。这时除以的方差应是多少？",
)
class BatchNorm(_BatchNorm):
    def __init__(self, num_features, eps=1e-5, momentum=0.1):
        super().__init__(num_features, eps, momentum)
        self.running_var.zero_()


@wrong_answer(
    "ignores the momentum that it is given",
    zh="没有使用传入的 momentum",
    hint="0.1 is only the default. Where does the value from __init__ go?",
    hint_zh="0.1 只是默认值。__init__ 收到的值用在哪里？",
)
class BatchNorm(_BatchNorm):
    def __init__(self, num_features, eps=1e-5, momentum=0.1):
        super().__init__(num_features, eps)
