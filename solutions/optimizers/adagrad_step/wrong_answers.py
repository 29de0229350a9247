"""What goes wrong in AdaGrad."""
# ruff: noqa: F811  each misconception defines the exercise's name anew

import torch

from grader import wrong_answer


@wrong_answer(
    "adds the gradient itself, not its square",
    zh="累加的是梯度本身，而不是梯度的平方",
    hint="The state is under a root: what happens there when gradients are negative, or cancel?",
    hint_zh="状态要放到根号下面：梯度为负、或者正负相消时会怎样？",
)
def adagrad_step(params, states, lr, eps=1e-6):
    with torch.no_grad():
        for p, s in zip(params, states, strict=True):
            if p.grad is None:
                continue
            s.add_(p.grad)
            p.sub_(lr * p.grad / torch.sqrt(s + eps))
            p.grad.zero_()


@wrong_answer(
    "adds the gradient's absolute value, not its square",
    zh="累加的是梯度的绝对值，而不是平方",
    hint="Compare the units: what must be under the root, so that g / √s has no unit?",
    hint_zh="比较一下量纲：根号下面应该是什么，g / √s 才没有量纲？",
)
def adagrad_step(params, states, lr, eps=1e-6):
    with torch.no_grad():
        for p, s in zip(params, states, strict=True):
            if p.grad is None:
                continue
            s.add_(p.grad.abs())
            p.sub_(lr * p.grad / torch.sqrt(s + eps))
            p.grad.zero_()


@wrong_answer(
    "forgets the earlier gradients: the state holds this step's square only",
    zh="忘记了以前的梯度：状态里只有本步的平方",
    hint="With this step's square alone, g / √s is only the sign of g. What should earlier steps leave "
    "behind?",
    hint_zh="只有本步的平方时，g / √s 就只剩 g 的符号。以前各步应该留下什么？",
)
def adagrad_step(params, states, lr, eps=1e-6):
    with torch.no_grad():
        for p, s in zip(params, states, strict=True):
            if p.grad is None:
                continue
            s.copy_(p.grad.square())
            p.sub_(lr * p.grad / torch.sqrt(s + eps))
            p.grad.zero_()


@wrong_answer(
    "averages the squares instead of summing them",
    zh="对平方求了平均，而不是求和",
    hint="AdaGrad's state never forgets. Which optimizer keeps a fading mean of the squares?",
    hint_zh="AdaGrad 的状态从不遗忘。对平方做滑动平均的是哪个优化器？",
)
def adagrad_step(params, states, lr, eps=1e-6):
    with torch.no_grad():
        for p, s in zip(params, states, strict=True):
            if p.grad is None:
                continue
            s.mul_(0.9).add_(0.1 * p.grad.square())
            p.sub_(lr * p.grad / torch.sqrt(s + eps))
            p.grad.zero_()


@wrong_answer(
    "puts eps outside the root",
    zh="把 eps 放到了根号外面",
    hint="Take s = g² with g = 1e-4 and eps = 1e-6: how long is the step either way? Read where eps stands.",
    hint_zh="取 s = g²，g = 1e-4，eps = 1e-6：两种写法各走多远？再看看 eps 的位置。",
)
def adagrad_step(params, states, lr, eps=1e-6):
    with torch.no_grad():
        for p, s in zip(params, states, strict=True):
            if p.grad is None:
                continue
            s.add_(p.grad.square())
            p.sub_(lr * p.grad / (torch.sqrt(s) + eps))
            p.grad.zero_()


@wrong_answer(
    "leaves eps out",
    zh="漏掉了 eps",
    hint="What is the step of a coordinate whose gradient has always been 0?",
    hint_zh="如果一个坐标的梯度一直是 0，它的这一步等于多少？",
)
def adagrad_step(params, states, lr, eps=1e-6):
    with torch.no_grad():
        for p, s in zip(params, states, strict=True):
            if p.grad is None:
                continue
            s.add_(p.grad.square())
            p.sub_(lr * p.grad / torch.sqrt(s))
            p.grad.zero_()


@wrong_answer(
    "uses its own eps instead of the one that is given",
    zh="用了自己写死的 eps，而不是传进来的那个",
    hint="What does a caller get who passes another eps?",
    hint_zh="调用者传入别的 eps 时，会得到什么？",
)
def adagrad_step(params, states, lr, eps=1e-6):
    with torch.no_grad():
        for p, s in zip(params, states, strict=True):
            if p.grad is None:
                continue
            s.add_(p.grad.square())
            p.sub_(lr * p.grad / torch.sqrt(s + 1e-6))
            p.grad.zero_()


@wrong_answer(
    "adds eps to the state, at each step again",
    zh="每一步都把 eps 加进了状态里",
    hint="The state is a sum of squared gradients. After a thousand steps, how much eps would be in it?",
    hint_zh="状态是梯度平方之和。一千步之后，里面会有多少个 eps？",
)
def adagrad_step(params, states, lr, eps=1e-6):
    with torch.no_grad():
        for p, s in zip(params, states, strict=True):
            if p.grad is None:
                continue
            s.add_(p.grad.square() + eps)
            p.sub_(lr * p.grad / torch.sqrt(s))
            p.grad.zero_()


@wrong_answer(
    "divides by the sum of squares, without the root",
    zh="直接除以平方和，没有开方",
    hint="Scale all gradients by 10: what should become of the steps, and what does become of them here?",
    hint_zh="把所有梯度乘以 10：步长应该怎样变化？这里又怎样变化？",
)
def adagrad_step(params, states, lr, eps=1e-6):
    with torch.no_grad():
        for p, s in zip(params, states, strict=True):
            if p.grad is None:
                continue
            s.add_(p.grad.square())
            p.sub_(lr * p.grad / (s + eps))
            p.grad.zero_()


@wrong_answer(
    "steps with the state of before, and updates it afterwards",
    zh="先用旧状态更新参数，之后才更新状态",
    hint="On the first step the old state is 0. What does the division give, and what keeps it small?",
    hint_zh="第一步时旧状态是 0。这时除法的结果是什么？又是什么让它不至于过大？",
)
def adagrad_step(params, states, lr, eps=1e-6):
    with torch.no_grad():
        for p, s in zip(params, states, strict=True):
            if p.grad is None:
                continue
            p.sub_(lr * p.grad / torch.sqrt(s + eps))
            s.add_(p.grad.square())
            p.grad.zero_()


@wrong_answer(
    "keeps one sum for all coordinates of a parameter",
    zh="一个参数的所有坐标共用一个累加和",
    hint="What is AdaGrad's point, if a rare coordinate shares its learning rate with a common one?",
    hint_zh="如果稀有坐标和常见坐标共用一个学习率，AdaGrad 还有什么意义？",
)
def adagrad_step(params, states, lr, eps=1e-6):
    with torch.no_grad():
        for p, s in zip(params, states, strict=True):
            if p.grad is None:
                continue
            s.add_(p.grad.square().sum())
            p.sub_(lr * p.grad / torch.sqrt(s + eps))
            p.grad.zero_()


@wrong_answer(
    "makes new tensors under local names: the caller's parameters stay",
    zh="只在局部变量上生成了新张量，调用者的参数没有变",
    hint="`p = p - ...` makes a new tensor and calls it p. Who else sees it?",
    hint_zh="`p = p - ...` 会生成一个新张量并起名为 p。还有谁能看到它？",
)
def adagrad_step(params, states, lr, eps=1e-6):
    for p, s in zip(params, states, strict=True):
        if p.grad is None:
            continue
        s += p.grad.square()
        p = p - lr * p.grad / torch.sqrt(s + eps)
        p.grad = torch.zeros_like(p)


@wrong_answer(
    "changes the parameters, but not the states",
    zh="参数变了，状态却没有变",
    hint="`s = s + ...` is a new tensor that is gone when the function returns. Which spelling writes into "
    "s?",
    hint_zh="`s = s + ...` 是一个新张量，函数返回后就没了。哪种写法才会写进 s？",
)
def adagrad_step(params, states, lr, eps=1e-6):
    with torch.no_grad():
        for p, s in zip(params, states, strict=True):
            if p.grad is None:
                continue
            s = s + p.grad.square()
            p.sub_(lr * p.grad / torch.sqrt(s + eps))
            p.grad.zero_()


@wrong_answer(
    "puts new state tensors into the list instead of changing the old ones",
    zh="在列表里换上了新的状态张量，而不是原地修改原来的",
    hint="Somebody else may hold the old state (a checkpoint, another list, a tuple). What do they see?",
    hint_zh="别处可能还持有旧的状态张量（检查点、另一个列表、元组）。它们看到的是什么？",
)
def adagrad_step(params, states, lr, eps=1e-6):
    with torch.no_grad():
        for i, p in enumerate(params):
            if p.grad is None:
                continue
            states[i] = states[i] + p.grad.square()
            p.sub_(lr * p.grad / torch.sqrt(states[i] + eps))
            p.grad.zero_()


@wrong_answer(
    "changes the parameters while autograd records",
    zh="在自动求导记录期间修改了参数",
    hint="A leaf that requires a gradient may not be changed in place while autograd records. Is the update "
    "a part of the model's graph?",
    hint_zh="自动求导记录期间，需要梯度的叶子张量不能原地修改。参数更新属于模型的计算图吗？",
)
def adagrad_step(params, states, lr, eps=1e-6):
    for p, s in zip(params, states, strict=True):
        if p.grad is None:
            continue
        s += p.grad.square()
        p -= lr * p.grad / torch.sqrt(s + eps)
        p.grad.zero_()


@wrong_answer(
    "leaves the gradients as they were",
    zh="没有把梯度清零",
    hint="backward() adds to `.grad`; it never clears it. What does the next step see?",
    hint_zh="backward() 会往 `.grad` 上累加，从不清空。下一步看到的梯度是什么？",
)
def adagrad_step(params, states, lr, eps=1e-6):
    with torch.no_grad():
        for p, s in zip(params, states, strict=True):
            if p.grad is None:
                continue
            s.add_(p.grad.square())
            p.sub_(lr * p.grad / torch.sqrt(s + eps))


@wrong_answer(
    "sets the gradients to None instead of zeros",
    zh="把梯度设成了 None，而不是零",
    hint="What does the contract say that a gradient is afterwards?",
    hint_zh="题目要求更新之后梯度是什么？",
)
def adagrad_step(params, states, lr, eps=1e-6):
    with torch.no_grad():
        for p, s in zip(params, states, strict=True):
            if p.grad is None:
                continue
            s.add_(p.grad.square())
            p.sub_(lr * p.grad / torch.sqrt(s + eps))
            p.grad = None


@wrong_answer(
    "fails on a parameter without a gradient",
    zh="遇到没有梯度的参数就报错",
    hint="The `.grad` of a frozen or unused parameter is None. What has None squared to say?",
    hint_zh="被冻结或没有用到的参数，`.grad` 是 None。None 怎么求平方？",
)
def adagrad_step(params, states, lr, eps=1e-6):
    with torch.no_grad():
        for p, s in zip(params, states, strict=True):
            s.add_(p.grad.square())
            p.sub_(lr * p.grad / torch.sqrt(s + eps))
            p.grad.zero_()


@wrong_answer(
    "stops at the first parameter without a gradient",
    zh="遇到第一个没有梯度的参数就停下了",
    hint="`return` and `break` leave the loop. What becomes of the parameters behind?",
    hint_zh="`return` 和 `break` 会离开循环。后面的参数怎么办？",
)
def adagrad_step(params, states, lr, eps=1e-6):
    with torch.no_grad():
        for p, s in zip(params, states, strict=True):
            if p.grad is None:
                return
            s.add_(p.grad.square())
            p.sub_(lr * p.grad / torch.sqrt(s + eps))
            p.grad.zero_()


@wrong_answer(
    "takes None for a gradient of zeros and gives the parameter one",
    zh="把 None 当作零梯度，还给参数造了一个梯度",
    hint="A parameter that is passed over keeps everything as it was, its `.grad` too.",
    hint_zh="被跳过的参数应当原封不动，`.grad` 也不例外。",
)
def adagrad_step(params, states, lr, eps=1e-6):
    with torch.no_grad():
        for p, s in zip(params, states, strict=True):
            if p.grad is None:
                p.grad = torch.zeros_like(p)
            s.add_(p.grad.square())
            p.sub_(lr * p.grad / torch.sqrt(s + eps))
            p.grad.zero_()


@wrong_answer(
    "climbs: adds the step instead of subtracting it",
    zh="方向反了：加上了更新量，而不是减去",
    hint="The gradient points to where the loss grows. Which way is down?",
    hint_zh="梯度指向损失增大的方向。往哪边走才是下降？",
)
def adagrad_step(params, states, lr, eps=1e-6):
    with torch.no_grad():
        for p, s in zip(params, states, strict=True):
            if p.grad is None:
                continue
            s.add_(p.grad.square())
            p.add_(lr * p.grad / torch.sqrt(s + eps))
            p.grad.zero_()


@wrong_answer(
    "takes the learning rate under the root, too",
    zh="把学习率也放进了根号里",
    hint="What does the step do when lr is doubled, by the formula and by your code?",
    hint_zh="lr 加倍时，按公式步长怎样变化？按你的代码呢？",
)
def adagrad_step(params, states, lr, eps=1e-6):
    with torch.no_grad():
        for p, s in zip(params, states, strict=True):
            if p.grad is None:
                continue
            s.add_(p.grad.square())
            p.sub_(p.grad * torch.sqrt(lr / (s + eps)))
            p.grad.zero_()


@wrong_answer(
    "computes in float32 and loses float64's digits on the way",
    zh="中途转成 float32 计算，丢掉了 float64 的精度",
    hint="The tensors are float64 before and after. How many digits does what you add to them have?",
    hint_zh="张量在前后都是 float64。可是你加上去的量有多少位有效数字？",
)
def adagrad_step(params, states, lr, eps=1e-6):
    with torch.no_grad():
        for p, s in zip(params, states, strict=True):
            if p.grad is None:
                continue
            g = p.grad.float()
            s.add_(g.square())
            p.sub_(lr * g / torch.sqrt(s.float() + eps))
            p.grad.zero_()


@wrong_answer(
    "assigns to the items of a list, which a tuple does not allow",
    zh="给序列里的元素赋值，遇到元组就报错",
    hint="`params[i] -= ...` changes the tensor, and then also assigns it to the place. Which of the two is asked "
    "for, and what does a tuple say to the other?",
    hint_zh="`params[i] -= ...` 先修改张量，再把它赋回原来的位置。题目要的是哪一件？元组又会怎样对待另一件？",
)
def adagrad_step(params, states, lr, eps=1e-6):
    with torch.no_grad():
        for i in range(len(params)):
            if params[i].grad is None:
                continue
            states[i] += params[i].grad.square()
            params[i] -= lr * params[i].grad / torch.sqrt(states[i] + eps)
            params[i].grad.zero_()
