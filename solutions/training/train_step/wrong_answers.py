"""What goes wrong in a training step."""

import torch

from grader import wrong_answer


@wrong_answer(
    "steps before the backward pass, with the gradients of the batch before",
    zh="先更新参数再反向传播，用的是上一批的梯度",
    hint="`step` uses what lies in `.grad` at that moment. Which call puts it there?",
    hint_zh="step 用的是调用那一刻 .grad 里的值。这个值是哪一步放进去的？",
)
def train_step(model, optimizer, loss_fn, x, y):
    loss = loss_fn(model(x), y)
    optimizer.step()
    optimizer.zero_grad()
    loss.backward()
    return loss.item()


@wrong_answer(
    "never moves the parameters: the step is missing, or finds no gradients",
    zh="参数从未更新：没有调用 step，或者调用时还没有梯度",
    hint="`backward` computes gradients, `step` uses them. Is there a step, and does it come after the "
    "backward pass?",
    hint_zh="backward 计算梯度，step 使用梯度。你调用 step 了吗？它在 backward 之后吗？",
)
def train_step(model, optimizer, loss_fn, x, y):
    optimizer.zero_grad()
    loss = loss_fn(model(x), y)
    optimizer.step()
    loss.backward()
    return loss.item()


@wrong_answer(
    "returns the loss as a tensor with its graph",
    zh="返回了带计算图的张量",
    hint="The tensor holds its whole graph. What turns a tensor of one element into a Python number?",
    hint_zh="这个张量会一直保留整张计算图。怎样把只有一个元素的张量变成 Python 数值？",
)
def train_step(model, optimizer, loss_fn, x, y):
    optimizer.zero_grad()
    loss = loss_fn(model(x), y)
    loss.backward()
    optimizer.step()
    return loss


@wrong_answer(
    "returns the loss as a detached tensor",
    zh="返回的是 detach 之后的张量，而不是 float",
    hint="Without its graph it is still a tensor. The contract asks for a Python float.",
    hint_zh="去掉计算图之后仍然是张量，而题目要求的是 Python 的 float。",
)
def train_step(model, optimizer, loss_fn, x, y):
    optimizer.zero_grad()
    loss = loss_fn(model(x), y)
    loss.backward()
    optimizer.step()
    return loss.detach()


@wrong_answer(
    "never clears the gradients",
    zh="从不清零梯度",
    hint="PyTorch does not clear `.grad` after a backward pass: what is freed are the graph's buffers. The "
    "next backward adds to the gradients of the last batch.",
    hint_zh="PyTorch 在反向传播之后并不会清空 .grad，释放的只是计算图的缓存。下一次 backward 会加到上一批的"
    "梯度上。",
)
def train_step(model, optimizer, loss_fn, x, y):
    loss = loss_fn(model(x), y)
    loss.backward()
    optimizer.step()
    return loss.item()


@wrong_answer(
    "clears the gradients after the step instead of before the backward pass",
    zh="在更新之后才清零梯度，而不是在反向传播之前",
    hint="Gradients that someone left before the first call still count, and the caller finds nothing to "
    "look at after the step. When must the old ones be gone?",
    hint_zh="第一次调用之前残留的梯度仍会混进来，而调用者在更新之后也看不到新的梯度。旧梯度应当在什么时候清"
    "掉？",
)
def train_step(model, optimizer, loss_fn, x, y):
    loss = loss_fn(model(x), y)
    loss.backward()
    optimizer.step()
    optimizer.zero_grad()
    return loss.item()


@wrong_answer(
    "clears the gradients before and after",
    zh="前后各清零一次，没有留下新的梯度",
    hint="The new gradients stay in `.grad` after the step: the caller may want their norm.",
    hint_zh="更新之后新的梯度要留在 .grad 里，调用者可能要看它们的范数。",
)
def train_step(model, optimizer, loss_fn, x, y):
    optimizer.zero_grad()
    loss = loss_fn(model(x), y)
    loss.backward()
    optimizer.step()
    optimizer.zero_grad()
    return loss.item()


@wrong_answer(
    "clears the gradients between the backward pass and the step",
    zh="在反向传播之后、更新之前清零了梯度",
    hint="What is left in `.grad` for the optimizer to use?",
    hint_zh="这样一来，.grad 里还有什么可供优化器使用？",
)
def train_step(model, optimizer, loss_fn, x, y):
    loss = loss_fn(model(x), y)
    loss.backward()
    optimizer.zero_grad()
    optimizer.step()
    return loss.item()


@wrong_answer(
    "steps twice",
    zh="更新了两次",
    hint="One batch, one backward pass, one step.",
    hint_zh="一批数据，反向传播一次，更新一次。",
)
def train_step(model, optimizer, loss_fn, x, y):
    optimizer.zero_grad()
    loss = loss_fn(model(x), y)
    loss.backward()
    optimizer.step()
    optimizer.step()
    return loss.item()


@wrong_answer(
    "returns the loss from after the step",
    zh="返回的是更新之后的损失",
    hint="The loss that the gradients came from is already there. A second run of the model costs time, "
    "and counts twice in the statistics of batch normalisation.",
    hint_zh="产生梯度的那个损失已经算好了。再跑一遍模型既费时，又会让批量归一化的统计量多更新一次。",
)
def train_step(model, optimizer, loss_fn, x, y):
    optimizer.zero_grad()
    loss_fn(model(x), y).backward()
    optimizer.step()
    with torch.no_grad():
        return loss_fn(model(x), y).item()


@wrong_answer(
    "runs the model twice",
    zh="把模型运行了两遍",
    hint="The prediction from the first run serves the loss and the backward pass alike. In train mode "
    "each run of the model also moves the statistics of batch normalisation.",
    hint_zh="第一次得到的预测，既可以算损失，也可以反向传播。训练模式下每运行一次模型，批量归一化的统计量都"
    "会变动。",
)
def train_step(model, optimizer, loss_fn, x, y):
    optimizer.zero_grad()
    before = loss_fn(model(x), y).item()
    loss_fn(model(x), y).backward()
    optimizer.step()
    return before


@wrong_answer(
    "hands the target to the loss as the prediction",
    zh="把预测值和目标值传反了",
    hint="loss_fn takes the prediction first. A squared error forgives the exchange, other losses do not.",
    hint_zh="loss_fn 的第一个参数是预测值。平方误差交换后不变，别的损失却不是。",
)
def train_step(model, optimizer, loss_fn, x, y):
    optimizer.zero_grad()
    loss = loss_fn(y, model(x))
    loss.backward()
    optimizer.step()
    return loss.item()


@wrong_answer(
    "switches the model to train mode",
    zh="擅自切换到训练模式",
    hint="The caller may have frozen a part of the model in eval mode. `train()` wakes every part.",
    hint_zh="调用者可能特意让模型的某一部分处于评估模式，而 train() 会把所有部分都切换过来。",
)
def train_step(model, optimizer, loss_fn, x, y):
    model.train()
    optimizer.zero_grad()
    loss = loss_fn(model(x), y)
    loss.backward()
    optimizer.step()
    return loss.item()


@wrong_answer(
    "switches the model to eval mode",
    zh="擅自切换到评估模式",
    hint="Whether the model trains or evaluates is the caller's choice: batch normalisation and dropout "
    "depend on it.",
    hint_zh="模型处于训练还是评估模式，由调用者决定：批量归一化和 dropout 都受它影响。",
)
def train_step(model, optimizer, loss_fn, x, y):
    model.eval()
    optimizer.zero_grad()
    loss = loss_fn(model(x), y)
    loss.backward()
    optimizer.step()
    return loss.item()


@wrong_answer(
    "updates the parameters by hand with the learning rate",
    zh="用学习率手动更新参数，没有用优化器的规则",
    hint="w -= lr * g is plain SGD. Momentum, weight decay and Adam know more: let the optimizer do it.",
    hint_zh="w -= lr * g 只是最普通的 SGD。动量、权重衰减和 Adam 的规则不止于此，应交给优化器。",
)
def train_step(model, optimizer, loss_fn, x, y):
    optimizer.zero_grad()
    loss = loss_fn(model(x), y)
    loss.backward()
    with torch.no_grad():
        for group in optimizer.param_groups:
            for parameter in group["params"]:
                parameter -= group["lr"] * parameter.grad
    return loss.item()


@wrong_answer(
    "divides the loss by the batch size again",
    zh="又把损失除了一次批量大小",
    hint="loss_fn has already taken its mean. Dividing once more makes every step smaller by the batch size.",
    hint_zh="loss_fn 已经取过平均。再除一次，步子就缩小为原来的 1/批量大小。",
)
def train_step(model, optimizer, loss_fn, x, y):
    optimizer.zero_grad()
    loss = loss_fn(model(x), y)
    (loss / len(x)).backward()
    optimizer.step()
    return loss.item()


@wrong_answer(
    "returns the loss summed over the batch",
    zh="返回的是乘以批量大小之后的损失",
    hint="The caller gets the loss as loss_fn gave it. Weighing batches of unequal size is a matter of the "
    "epoch.",
    hint_zh="应原样返回 loss_fn 的值。批量大小不等时如何加权，是统计整轮时的事。",
)
def train_step(model, optimizer, loss_fn, x, y):
    optimizer.zero_grad()
    loss = loss_fn(model(x), y)
    loss.backward()
    optimizer.step()
    return loss.item() * len(x)


@wrong_answer(
    "calls forward() and passes the model's hooks by",
    zh="直接调用 forward()，绕过了模型的钩子",
    hint="What does `model(x)` do besides calling forward? Someone may have hung something on it.",
    hint_zh="除了调用 forward，model(x) 还做了什么？也许有人在模型上挂了钩子。",
)
def train_step(model, optimizer, loss_fn, x, y):
    optimizer.zero_grad()
    loss = loss_fn(model.forward(x), y)
    loss.backward()
    optimizer.step()
    return loss.item()


@wrong_answer(
    "clears the gradients of the first group only",
    zh="只清零了第一个参数组的梯度",
    hint="An optimizer may have several groups of parameters, each with a learning rate of its own. What clears "
    "them all?",
    hint_zh="优化器可以有多个参数组，各有各的学习率。怎样一次清零所有参数的梯度？",
)
def train_step(model, optimizer, loss_fn, x, y):
    for parameter in optimizer.param_groups[0]["params"]:
        parameter.grad = None
    loss = loss_fn(model(x), y)
    loss.backward()
    optimizer.step()
    return loss.item()


@wrong_answer(
    "takes a gradient of every parameter for granted",
    zh="以为每个参数都会有梯度",
    hint="A parameter may be frozen, or the loss may not reach it. What does backward() do there, and what does "
    "torch.autograd.grad?",
    hint_zh="参数可能被冻结，损失也可能到不了它。这时 backward() 会怎样？torch.autograd.grad 又会怎样？",
)
def train_step(model, optimizer, loss_fn, x, y):
    parameters = list(model.parameters())
    loss = loss_fn(model(x), y)
    for parameter, gradient in zip(parameters, torch.autograd.grad(loss, parameters), strict=True):
        parameter.grad = gradient
    optimizer.step()
    return loss.item()
