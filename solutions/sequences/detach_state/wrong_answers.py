"""What goes wrong in detaching a state."""
# ruff: noqa: F811  each misconception defines the exercise's name anew

import torch

from grader import wrong_answer


def rebuilt(state, cut):
    """The state with `cut` done to each tensor, as it should be done."""
    if state is None:
        return None
    if isinstance(state, torch.Tensor):
        return cut(state)
    if isinstance(state, list):
        return [rebuilt(item, cut) for item in state]
    if isinstance(state, tuple):
        return getattr(type(state), "_make", tuple)(rebuilt(item, cut) for item in state)
    raise TypeError(type(state).__name__)


@wrong_answer(
    "clones the tensors, which keeps them in the graph",
    zh="只做了 clone，张量仍在计算图里",
    hint="clone() is an operation like others: autograd records it. Which method leaves the history behind?",
    hint_zh="clone() 也是一种运算，自动求导会记录它。哪个方法才会丢下来历？",
)
def detach_state(state):
    return rebuilt(state, torch.Tensor.clone)


# Calling detach() without using its result, and trusting no_grad, look the same from outside.
@wrong_answer(
    "returns the tensors as they came",
    zh="原样返回了张量",
    hint="detach() returns another tensor and leaves its own as it is; no_grad keeps new operations off the "
    "record, not old ones. What do you return?",
    hint_zh="detach() 返回另一个张量，原来的不变；no_grad 只是不记录新的运算。你返回的是什么？",
)
def detach_state(state):
    def cut(tensor):
        tensor.detach()
        return tensor

    return rebuilt(state, cut)


@wrong_answer(
    "starts again from zeros",
    zh="用全零重新开始",
    hint="Only the gradient's path is cut. What has the next batch to start from?",
    hint_zh="切断的只是梯度的路径。下一批应该从什么状态开始？",
)
def detach_state(state):
    return rebuilt(state, lambda tensor: torch.zeros_like(tensor))


@wrong_answer(
    "copies the values",
    zh="复制了一份数值",
    hint="The history is gone, but so is the shared storage. Does cutting the graph need a copy?",
    hint_zh="来历是去掉了，但也不再共用存储。切断计算图需要复制数据吗？",
)
def detach_state(state):
    return rebuilt(state, lambda tensor: tensor.detach().clone())


@wrong_answer(
    "detaches the caller's tensors in place",
    zh="原地切断了调用者的张量",
    hint="A method whose name ends in _ changes its tensor. Who else holds that tensor?",
    hint_zh="名字以 _ 结尾的方法会修改张量本身。还有谁持有这个张量？",
)
def detach_state(state):
    return rebuilt(state, lambda tensor: tensor.detach_())


@wrong_answer(
    "turns tuples into lists",
    zh="把元组变成了列表",
    hint="Whoever gave you a pair wants a pair back. What does a comprehension in [ ] build?",
    hint_zh="别人给你的是元组，也希望拿回元组。用 [ ] 写的推导式得到的是什么？",
)
def detach_state(state):
    if state is None:
        return None
    if isinstance(state, torch.Tensor):
        return state.detach()
    if isinstance(state, list | tuple):
        return [detach_state(item) for item in state]
    raise TypeError(type(state).__name__)


@wrong_answer(
    "turns lists into tuples",
    zh="把列表变成了元组",
    hint="The structure comes back as it was: which type did the caller's container have?",
    hint_zh="结构要原样返回：调用者的容器是什么类型？",
)
def detach_state(state):
    if state is None:
        return None
    if isinstance(state, torch.Tensor):
        return state.detach()
    if isinstance(state, list | tuple):
        return tuple(detach_state(item) for item in state)
    raise TypeError(type(state).__name__)


@wrong_answer(
    "turns a namedtuple into a plain tuple",
    zh="把 namedtuple 变成了普通元组",
    hint="A namedtuple is a tuple, and more: what happens to .h and .c when you build a bare tuple?",
    hint_zh="namedtuple 是元组，但不只是元组：换成普通元组后，.h 和 .c 还在吗？",
)
def detach_state(state):
    if state is None:
        return None
    if isinstance(state, torch.Tensor):
        return state.detach()
    if isinstance(state, list):
        return [detach_state(item) for item in state]
    if isinstance(state, tuple):
        return tuple(detach_state(item) for item in state)
    raise TypeError(type(state).__name__)


@wrong_answer(
    "hands all fields of a namedtuple over as one",
    zh="把 namedtuple 的所有字段当作一个参数传了进去",
    hint="type(state)(items) is right for tuple. How many arguments does the class of a namedtuple take?",
    hint_zh="type(state)(items) 对 tuple 是对的。namedtuple 的类要几个参数？",
)
def detach_state(state):
    if state is None:
        return None
    if isinstance(state, torch.Tensor):
        return state.detach()
    if isinstance(state, list | tuple):
        return type(state)([detach_state(item) for item in state])
    raise TypeError(type(state).__name__)


@wrong_answer(
    "overwrites the items of the caller's list",
    zh="覆盖了调用者列表里的元素",
    hint="The list belongs to the caller, who may still want its old tensors. Where can the new ones go?",
    hint_zh="列表属于调用者，他可能还要用原来的张量。新的张量可以放到哪里？",
)
def detach_state(state):
    if state is None:
        return None
    if isinstance(state, torch.Tensor):
        return state.detach()
    if isinstance(state, list):
        for position, item in enumerate(state):
            state[position] = detach_state(item)
        return state
    if isinstance(state, tuple):
        return getattr(type(state), "_make", tuple)(detach_state(item) for item in state)
    raise TypeError(type(state).__name__)


@wrong_answer(
    "looks one level deep only",
    zh="只处理了最外一层",
    hint="Two LSTM layers give a list of pairs. What do you do with an item that is itself a container?",
    hint_zh="两层 LSTM 的状态是由若干对组成的列表。某一项本身也是容器时怎么办？",
)
def detach_state(state):
    def cut(item):
        return item.detach() if isinstance(item, torch.Tensor) else item

    if state is None or isinstance(state, torch.Tensor):
        return cut(state)
    if isinstance(state, list):
        return [cut(item) for item in state]
    if isinstance(state, tuple):
        return getattr(type(state), "_make", tuple)(cut(item) for item in state)
    raise TypeError(type(state).__name__)


@wrong_answer(
    "knows no None",
    zh="没有考虑 None",
    hint="What is the state before the first batch?",
    hint_zh="第一批之前，状态是什么？",
)
def detach_state(state):
    if isinstance(state, torch.Tensor):
        return state.detach()
    if isinstance(state, list):
        return [detach_state(item) for item in state]
    if isinstance(state, tuple):
        return getattr(type(state), "_make", tuple)(detach_state(item) for item in state)
    raise TypeError(type(state).__name__)


@wrong_answer(
    "lets anything that it does not know pass",
    zh="不认识的东西原样放行",
    hint="A dict that is passed on unseen keeps its tensors in the graph. Who would notice?",
    hint_zh="字典原样放行，里面的张量就仍在图里。谁会发现？",
)
def detach_state(state):
    if isinstance(state, torch.Tensor):
        return state.detach()
    if isinstance(state, list):
        return [detach_state(item) for item in state]
    if isinstance(state, tuple):
        return getattr(type(state), "_make", tuple)(detach_state(item) for item in state)
    return state


@wrong_answer(
    "takes whatever can be looped over for a list",
    zh="把凡是能遍历的东西都当成列表",
    hint="Looping over a dict gives its keys, and over a string its letters. Which types does the contract "
    "name?",
    hint_zh="遍历字典得到的是键，遍历字符串得到的是字符。题目列出了哪几种类型？",
)
def detach_state(state):
    if state is None or isinstance(state, str):
        return state
    if isinstance(state, torch.Tensor):
        return state.detach()
    if isinstance(state, tuple):
        return getattr(type(state), "_make", tuple)(detach_state(item) for item in state)
    return [detach_state(item) for item in state]


@wrong_answer(
    "leaves None out of a list",
    zh="把列表里的 None 丢掉了",
    hint="A layer without a state yet has its place in the list. Which layer gets which state if it is left out?",
    hint_zh="还没有状态的层在列表里也占一个位置。把它丢掉以后，各层拿到的是谁的状态？",
)
def detach_state(state):
    if state is None:
        return None
    if isinstance(state, torch.Tensor):
        return state.detach()
    if isinstance(state, list):
        return [detach_state(item) for item in state if item is not None]
    if isinstance(state, tuple):
        return getattr(type(state), "_make", tuple)(detach_state(item) for item in state)
    raise TypeError(type(state).__name__)


@wrong_answer(
    "hands the caller's own list back where there is nothing to cut",
    zh="没有什么可切断时，直接返回了调用者自己的列表",
    hint="The caller appends to one of the two lists. Should the other grow as well?",
    hint_zh="调用者往其中一个列表里追加了一项，另一个列表也该跟着变长吗？",
)
def detach_state(state):
    if state is None:
        return None
    if isinstance(state, torch.Tensor):
        return state.detach()
    if isinstance(state, list):
        items = [detach_state(item) for item in state]
        attached = any(
            isinstance(item, list | tuple) or getattr(item, "requires_grad", False) for item in state
        )
        return items if attached else state
    if isinstance(state, tuple):
        return getattr(type(state), "_make", tuple)(detach_state(item) for item in state)
    raise TypeError(type(state).__name__)


@wrong_answer(
    "takes floating-point tensors only",
    zh="只接受浮点张量",
    hint="A state may hold a counter or a mask. Does detach() mind their dtype?",
    hint_zh="状态里可能有计数器或掩码。detach() 在乎它们的 dtype 吗？",
)
def detach_state(state):
    if state is None:
        return None
    if isinstance(state, torch.Tensor) and state.is_floating_point():
        return state.detach()
    if isinstance(state, list):
        return [detach_state(item) for item in state]
    if isinstance(state, tuple):
        return getattr(type(state), "_make", tuple)(detach_state(item) for item in state)
    raise TypeError(type(state).__name__)
