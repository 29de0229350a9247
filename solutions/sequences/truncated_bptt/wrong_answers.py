"""What goes wrong in truncated backpropagation through time."""
# ruff: noqa: F811  each misconception defines the exercise's name anew

import torch

from grader import wrong_answer


# No detach(), a clone() in its place, and a detach() whose result is thrown away look the same from outside.
@wrong_answer(
    "cuts nowhere",
    zh="哪里都没有切断",
    hint="How far back does the last state's gradient reach? A clone keeps its history, and detach() returns "
    "another tensor: does the next step use that one?",
    hint_zh="最后一个状态的梯度往回传了多远？clone 仍带着来历；detach() 返回另一个张量，下一步用的是它吗？",
)
def truncated_bptt(inputs, state, w_xh, w_hh, b, steps):
    states = []
    for t, x in enumerate(inputs):
        if t > 0 and t % steps == 0:
            state.detach()
        state = torch.tanh(x @ w_xh + state @ w_hh + b)
        states.append(state)
    return torch.stack(states)


@wrong_answer(
    "sets the state to zero at each border",
    zh="在每个分段处把状态清零",
    hint="The values are those of the whole run. What crosses a border, and what does not?",
    hint_zh="数值应与完整运行相同。什么能越过分段处，什么不能？",
)
def truncated_bptt(inputs, state, w_xh, w_hh, b, steps):
    states = []
    for t, x in enumerate(inputs):
        if t > 0 and t % steps == 0:
            state = torch.zeros_like(state)
        state = torch.tanh(x @ w_xh + state @ w_hh + b)
        states.append(state)
    return torch.stack(states)


@wrong_answer(
    "starts each chunk from the first state again",
    zh="每一段都从初始状态重新开始",
    hint="Where does the second chunk begin: where the first one began, or where it ended?",
    hint_zh="第二段从哪里开始：第一段开始的地方，还是第一段结束的地方？",
)
def truncated_bptt(inputs, state, w_xh, w_hh, b, steps):
    first, states = state, []
    for t, x in enumerate(inputs):
        if t > 0 and t % steps == 0:
            state = first.detach()
        state = torch.tanh(x @ w_xh + state @ w_hh + b)
        states.append(state)
    return torch.stack(states)


@wrong_answer(
    "detaches the state at each step",
    zh="每一步都切断",
    hint="With a cut at each step there is no time left to propagate through. When is t a border?",
    hint_zh="每一步都切断，就没有可以沿着传播的时间了。哪些 t 才是分段处？",
)
def truncated_bptt(inputs, state, w_xh, w_hh, b, steps):
    states = []
    for t, x in enumerate(inputs):
        if t > 0:
            state = state.detach()
        state = torch.tanh(x @ w_xh + state @ w_hh + b)
        states.append(state)
    return torch.stack(states)


@wrong_answer(
    "cuts off the first state, too",
    zh="把初始状态也切断了",
    hint="0 % steps is 0 as well. Has the caller's state anything to be cut from?",
    hint_zh="0 % steps 也等于 0。调用者给的初始状态需要切断吗？",
)
def truncated_bptt(inputs, state, w_xh, w_hh, b, steps):
    states = []
    for t, x in enumerate(inputs):
        if t % steps == 0:
            state = state.detach()
        state = torch.tanh(x @ w_xh + state @ w_hh + b)
        states.append(state)
    return torch.stack(states)


@wrong_answer(
    "cuts one step early",
    zh="早切断了一步",
    hint="Write down for steps = 3 which states are in the first chunk. Is h_2 one of them?",
    hint_zh="取 steps = 3，写出第一段包含哪些状态。h_2 在里面吗？",
)
def truncated_bptt(inputs, state, w_xh, w_hh, b, steps):
    states = []
    for t, x in enumerate(inputs):
        if t > 0 and (t + 1) % steps == 0:
            state = state.detach()
        state = torch.tanh(x @ w_xh + state @ w_hh + b)
        states.append(state)
    return torch.stack(states)


@wrong_answer(
    "cuts one step late",
    zh="晚切断了一步",
    hint="Write down for steps = 3 which states are in the first chunk. Is h_3 one of them?",
    hint_zh="取 steps = 3，写出第一段包含哪些状态。h_3 在里面吗？",
)
def truncated_bptt(inputs, state, w_xh, w_hh, b, steps):
    states = []
    for t, x in enumerate(inputs):
        if t > 1 and (t - 1) % steps == 0:
            state = state.detach()
        state = torch.tanh(x @ w_xh + state @ w_hh + b)
        states.append(state)
    return torch.stack(states)


@wrong_answer(
    "cuts once only",
    zh="只切断了一次",
    hint="The sequence may be many chunks long. At which steps do they begin?",
    hint_zh="序列可能有很多段。各段从哪些时间步开始？",
)
def truncated_bptt(inputs, state, w_xh, w_hh, b, steps):
    states = []
    for t, x in enumerate(inputs):
        if t == steps:
            state = state.detach()
        state = torch.tanh(x @ w_xh + state @ w_hh + b)
        states.append(state)
    return torch.stack(states)


@wrong_answer(
    "counts the chunks from the end",
    zh="从序列末尾开始数分段",
    hint="With 7 states and steps = 3, which chunk is the short one?",
    hint_zh="共 7 个状态、steps = 3 时，较短的是哪一段？",
)
def truncated_bptt(inputs, state, w_xh, w_hh, b, steps):
    states = []
    for t, x in enumerate(inputs):
        if t > 0 and (len(inputs) - t) % steps == 0:
            state = state.detach()
        state = torch.tanh(x @ w_xh + state @ w_hh + b)
        states.append(state)
    return torch.stack(states)


@wrong_answer(
    "detaches in place, and with the state the output that it also is",
    zh="原地切断，把同时是输出的那个张量也切断了",
    hint="The last state of a chunk is among your outputs. What does detach_() do to that very tensor?",
    hint_zh="一段的最后一个状态也在你的输出里。detach_() 对这个张量做了什么？",
)
def truncated_bptt(inputs, state, w_xh, w_hh, b, steps):
    states = []
    for t, x in enumerate(inputs):
        if t > 0 and t % steps == 0:
            state.detach_()
        state = torch.tanh(x @ w_xh + state @ w_hh + b)
        states.append(state)
    return torch.stack(states)


@wrong_answer(
    "puts the detached state among the outputs",
    zh="把切断后的状态放进了输出",
    hint="A loss on the last state of a chunk must reach the weights. Which tensor goes into the outputs "
    "there?",
    hint_zh="一段的最后一个状态上的损失也要能传到权重。那里放进输出的应该是哪个张量？",
)
def truncated_bptt(inputs, state, w_xh, w_hh, b, steps):
    states = []
    for t, x in enumerate(inputs):
        state = torch.tanh(x @ w_xh + state @ w_hh + b)
        if (t + 1) % steps == 0:
            state = state.detach()
        states.append(state)
    return torch.stack(states)


@wrong_answer(
    "lets only the last chunk have a gradient",
    zh="只有最后一段有梯度",
    hint="Every state that is returned may have a loss on it. Which of yours can be differentiated?",
    hint_zh="返回的每个状态上都可能有损失。你返回的状态中哪些可以求导？",
)
def truncated_bptt(inputs, state, w_xh, w_hh, b, steps):
    states = []
    last = (len(inputs) - 1) // steps * steps
    for t, x in enumerate(inputs):
        with torch.set_grad_enabled(t >= last):
            state = torch.tanh(x @ w_xh + state @ w_hh + b)
        states.append(state)
    return torch.stack(states)


@wrong_answer(
    "detaches the recurrent weights at the borders",
    zh="在分段处把循环权重也切断了",
    hint="Only the state's history ends at a border. Do the weights take part in that step?",
    hint_zh="在分段处结束的只是状态的来历。权重参与这一步的计算吗？",
)
def truncated_bptt(inputs, state, w_xh, w_hh, b, steps):
    states = []
    for t, x in enumerate(inputs):
        carried = state @ w_hh
        if t > 0 and t % steps == 0:
            carried = carried.detach()
        state = torch.tanh(x @ w_xh + carried + b)
        states.append(state)
    return torch.stack(states)


@wrong_answer(
    "returns the last state only",
    zh="只返回了最后一个状态",
    hint="A language model has a loss at each step. How many states does it need?",
    hint_zh="语言模型在每一步都有损失。它需要多少个状态？",
)
def truncated_bptt(inputs, state, w_xh, w_hh, b, steps):
    for t, x in enumerate(inputs):
        if t > 0 and t % steps == 0:
            state = state.detach()
        state = torch.tanh(x @ w_xh + state @ w_hh + b)
    return state


@wrong_answer(
    "returns the last state of each chunk only",
    zh="只返回了每一段的最后一个状态",
    hint="The result is [T, B, H]: how many states is that?",
    hint_zh="结果的形状是 [T, B, H]：这是多少个状态？",
)
def truncated_bptt(inputs, state, w_xh, w_hh, b, steps):
    states = []
    for chunk in inputs.split(steps):
        for x in chunk:
            state = torch.tanh(x @ w_xh + state @ w_hh + b)
        states.append(state)
        state = state.detach()
    return torch.stack(states)


@wrong_answer(
    "drops the last, shorter chunk",
    zh="丢掉了最后较短的一段",
    hint="With T = 7 and steps = 3, how many states come back?",
    hint_zh="T = 7、steps = 3 时，应该返回多少个状态？",
)
def truncated_bptt(inputs, state, w_xh, w_hh, b, steps):
    states = []
    for t, x in enumerate(inputs[: max(1, len(inputs) // steps) * steps]):
        if t > 0 and t % steps == 0:
            state = state.detach()
        state = torch.tanh(x @ w_xh + state @ w_hh + b)
        states.append(state)
    return torch.stack(states)


@wrong_answer(
    "stacks the states along the batch: [B, T, H]",
    zh="把批量放在了最前面：[B, T, H]",
    hint="Time comes first, in the inputs and in the result.",
    hint_zh="输入和结果都是时间在最前面。",
)
def truncated_bptt(inputs, state, w_xh, w_hh, b, steps):
    states = []
    for t, x in enumerate(inputs):
        if t > 0 and t % steps == 0:
            state = state.detach()
        state = torch.tanh(x @ w_xh + state @ w_hh + b)
        states.append(state)
    return torch.stack(states, dim=1)


@wrong_answer(
    "multiplies by the transposed recurrent weights",
    zh="乘的是循环权重的转置",
    hint="w_hh is square, so that both products have the right shape. Which of them does the formula ask "
    "for?",
    hint_zh="w_hh 是方阵，两种乘法的形状都对得上。公式要的是哪一种？",
)
def truncated_bptt(inputs, state, w_xh, w_hh, b, steps):
    states = []
    for t, x in enumerate(inputs):
        if t > 0 and t % steps == 0:
            state = state.detach()
        state = torch.tanh(x @ w_xh + state @ w_hh.T + b)
        states.append(state)
    return torch.stack(states)


@wrong_answer(
    "leaves the bias out",
    zh="漏掉了偏置",
    hint="Which of the arguments does your step not use?",
    hint_zh="你的计算没有用到哪个参数？",
)
def truncated_bptt(inputs, state, w_xh, w_hh, b, steps):
    states = []
    for t, x in enumerate(inputs):
        if t > 0 and t % steps == 0:
            state = state.detach()
        state = torch.tanh(x @ w_xh + state @ w_hh)
        states.append(state)
    return torch.stack(states)


@wrong_answer(
    "leaves tanh out",
    zh="漏掉了 tanh",
    hint="Without it the whole network is one linear map, and its states can grow without bound.",
    hint_zh="没有它，整个网络只是一个线性映射，状态还可能无限增大。",
)
def truncated_bptt(inputs, state, w_xh, w_hh, b, steps):
    states = []
    for t, x in enumerate(inputs):
        if t > 0 and t % steps == 0:
            state = state.detach()
        state = x @ w_xh + state @ w_hh + b
        states.append(state)
    return torch.stack(states)


@wrong_answer(
    "asks for a gradient of the caller's state",
    zh="擅自要求对调用者的状态求梯度",
    hint="requires_grad_() changes the tensor that it is called on. Whose is the first state?",
    hint_zh="requires_grad_() 会修改张量本身。初始状态是谁的？",
)
def truncated_bptt(inputs, state, w_xh, w_hh, b, steps):
    state.requires_grad_()
    states = []
    for t, x in enumerate(inputs):
        if t > 0 and t % steps == 0:
            state = state.detach()
        state = torch.tanh(x @ w_xh + state @ w_hh + b)
        states.append(state)
    return torch.stack(states)
