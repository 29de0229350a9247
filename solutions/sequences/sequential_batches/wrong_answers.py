"""What goes wrong in sequential batches."""
# ruff: noqa: F811  each misconception defines the exercise's name anew

import random

import torch

from grader import wrong_answer


@wrong_answer(
    "puts neighbouring pieces into the rows of one batch",
    zh="把相邻的片段放进了同一批次的各行",
    hint="The hidden state of row r is handed to row r of the next batch. Which piece of the text should it "
    "meet there?",
    hint_zh="第 r 行的隐状态会传给下一批次的第 r 行。它在那里应该遇到文本的哪一段？",
)
def sequential_batches(corpus, batch_size, num_steps, offset=0):
    tokens = torch.as_tensor(corpus, dtype=torch.int64)[offset:]
    size = batch_size * num_steps
    for start in range(0, len(tokens) - size, size):
        x = tokens[start : start + size].reshape(batch_size, num_steps)
        y = tokens[start + 1 : start + 1 + size].reshape(batch_size, num_steps)
        yield x, y


@wrong_answer(
    "draws the pieces at random",
    zh="随机抽取片段",
    hint="With random pieces no batch goes on where the last one ended. What does the state handed on "
    "belong to?",
    hint_zh="随机抽取时，前后批次并不相接。传下去的隐状态属于哪里？",
)
def sequential_batches(corpus, batch_size, num_steps, offset=0):
    tokens = torch.as_tensor(corpus, dtype=torch.int64)[offset:]
    starts = list(range(0, len(tokens) - num_steps, num_steps))
    random.shuffle(starts)
    for first in range(0, len(starts) - batch_size + 1, batch_size):
        chosen = starts[first : first + batch_size]
        x = torch.stack([tokens[s : s + num_steps] for s in chosen])
        y = torch.stack([tokens[s + 1 : s + 1 + num_steps] for s in chosen])
        yield x, y


@wrong_answer(
    "takes the inputs for labels, not shifted",
    zh="标签没有错开，就是输入本身",
    hint="A model that is asked for the token it was just given learns to copy. What should it be asked for?",
    hint_zh="如果要求模型给出刚刚输入的词元，它只会学会复制。应该让它预测什么？",
)
def sequential_batches(corpus, batch_size, num_steps, offset=0):
    tokens = torch.as_tensor(corpus, dtype=torch.int64)
    length = max(0, (len(tokens) - offset - 1) // batch_size)
    inputs = tokens[offset : offset + batch_size * length].reshape(batch_size, length)
    for start in range(0, length - num_steps + 1, num_steps):
        x = inputs[:, start : start + num_steps]
        yield x, x.clone()


@wrong_answer(
    "shifts the labels the wrong way",
    zh="标签错开的方向反了",
    hint="Is the label what came before the input, or what comes after it?",
    hint_zh="标签应该是输入之前的词元，还是之后的？",
)
def sequential_batches(corpus, batch_size, num_steps, offset=0):
    tokens = torch.as_tensor(corpus, dtype=torch.int64)
    length = max(0, (len(tokens) - offset - 1) // batch_size)
    count = batch_size * length
    before = tokens[offset : offset + count].reshape(batch_size, length)
    after = tokens[offset + 1 : offset + 1 + count].reshape(batch_size, length)
    for start in range(0, length - num_steps + 1, num_steps):
        yield after[:, start : start + num_steps], before[:, start : start + num_steps]


@wrong_answer(
    "takes the first token of a row for its last label",
    zh="行末的标签绕回了本行的第一个词元",
    hint="What follows the last token of a row in the corpus?",
    hint_zh="在语料里，一行最后一个词元的后面是什么？",
)
def sequential_batches(corpus, batch_size, num_steps, offset=0):
    tokens = torch.as_tensor(corpus, dtype=torch.int64)
    length = max(0, (len(tokens) - offset - 1) // batch_size)
    inputs = tokens[offset : offset + batch_size * length].reshape(batch_size, length)
    for start in range(0, length - num_steps + 1, num_steps):
        x = inputs[:, start : start + num_steps]
        yield x, x.roll(-1, dims=1)


@wrong_answer(
    "shifts within the long rows, so that their last labels are wrong",
    zh="只在长行内部错开，每条长行的最后一个标签是错的",
    hint="Look at the last label of a row, in the last batch. Which token follows there in the corpus?",
    hint_zh="看看最后一个批次里各行的最后一个标签。在语料里，那里后面是哪个词元？",
)
def sequential_batches(corpus, batch_size, num_steps, offset=0):
    tokens = torch.as_tensor(corpus, dtype=torch.int64)
    length = max(0, (len(tokens) - offset - 1) // batch_size)
    inputs = tokens[offset : offset + batch_size * length].reshape(batch_size, length)
    labels = inputs.roll(-1, dims=1)
    for start in range(0, length - num_steps + 1, num_steps):
        yield inputs[:, start : start + num_steps], labels[:, start : start + num_steps]


@wrong_answer(
    "wants a label inside each row, and loses one input of each",
    zh="要求标签也在本行之内，每行少了一个输入",
    hint="Only the very last token of the corpus has no successor. How many inputs can each row have?",
    hint_zh="整个语料里只有最后一个词元没有后继。每一行可以有多少个输入？",
)
def sequential_batches(corpus, batch_size, num_steps, offset=0):
    tokens = torch.as_tensor(corpus, dtype=torch.int64)
    length = max(0, (len(tokens) - offset) // batch_size)
    rows = tokens[offset : offset + batch_size * length].reshape(batch_size, length)
    for start in range(0, length - num_steps, num_steps):
        yield rows[:, start : start + num_steps], rows[:, start + 1 : start + 1 + num_steps]


@wrong_answer(
    "forgets that the last token has no successor",
    zh="忘了最后一个词元没有后继",
    hint="Count: of n tokens, how many can be an input that has a label?",
    hint_zh="数一数：n 个词元里，有几个可以作为带标签的输入？",
)
def sequential_batches(corpus, batch_size, num_steps, offset=0):
    tokens = torch.as_tensor(corpus, dtype=torch.int64)
    length = max(0, (len(tokens) - offset) // batch_size)
    count = batch_size * length
    inputs = tokens[offset : offset + count].reshape(batch_size, length)
    labels = tokens.roll(-1)[offset : offset + count].reshape(batch_size, length)
    for start in range(0, length - num_steps + 1, num_steps):
        yield inputs[:, start : start + num_steps], labels[:, start : start + num_steps]


@wrong_answer(
    "yields the last, narrower batch",
    zh="把最后不完整的批次也产生了出来",
    hint="What shape has the last batch when num_steps does not divide the rows?",
    hint_zh="num_steps 不能整除行长时，最后一个批次是什么形状？",
)
def sequential_batches(corpus, batch_size, num_steps, offset=0):
    tokens = torch.as_tensor(corpus, dtype=torch.int64)
    length = max(0, (len(tokens) - offset - 1) // batch_size)
    count = batch_size * length
    inputs = tokens[offset : offset + count].reshape(batch_size, length)
    labels = tokens[offset + 1 : offset + 1 + count].reshape(batch_size, length)
    for start in range(0, length, num_steps):
        yield inputs[:, start : start + num_steps], labels[:, start : start + num_steps]


@wrong_answer(
    "loses the last whole batch",
    zh="丢了最后一个完整的批次",
    hint="If num_steps divides the rows, how many batches are there, and how many do you yield?",
    hint_zh="num_steps 恰好整除行长时，应该有几个批次？你产生了几个？",
)
def sequential_batches(corpus, batch_size, num_steps, offset=0):
    tokens = torch.as_tensor(corpus, dtype=torch.int64)
    length = max(0, (len(tokens) - offset - 1) // batch_size)
    count = batch_size * length
    inputs = tokens[offset : offset + count].reshape(batch_size, length)
    labels = tokens[offset + 1 : offset + 1 + count].reshape(batch_size, length)
    for start in range(0, length - num_steps, num_steps):
        yield inputs[:, start : start + num_steps], labels[:, start : start + num_steps]


@wrong_answer(
    "moves the window on by one token at a time",
    zh="窗口每次只移动一个词元",
    hint="The state at the end of a batch has read all of it. With overlapping windows, what does it read "
    "twice?",
    hint_zh="批次结束时的隐状态已经读完了整个窗口。窗口重叠时，哪些词元会被读两遍？",
)
def sequential_batches(corpus, batch_size, num_steps, offset=0):
    tokens = torch.as_tensor(corpus, dtype=torch.int64)
    length = max(0, (len(tokens) - offset - 1) // batch_size)
    count = batch_size * length
    inputs = tokens[offset : offset + count].reshape(batch_size, length)
    labels = tokens[offset + 1 : offset + 1 + count].reshape(batch_size, length)
    for start in range(length - num_steps + 1):
        yield inputs[:, start : start + num_steps], labels[:, start : start + num_steps]


@wrong_answer(
    "ignores the offset",
    zh="忽略了偏移量",
    hint="With offset = 3, which token is the first of the first row?",
    hint_zh="offset = 3 时，第一行的第一个词元是哪个？",
)
def sequential_batches(corpus, batch_size, num_steps, offset=0):
    tokens = torch.as_tensor(corpus, dtype=torch.int64)
    length = max(0, (len(tokens) - 1) // batch_size)
    count = batch_size * length
    inputs = tokens[:count].reshape(batch_size, length)
    labels = tokens[1 : 1 + count].reshape(batch_size, length)
    for start in range(0, length - num_steps + 1, num_steps):
        yield inputs[:, start : start + num_steps], labels[:, start : start + num_steps]


@wrong_answer(
    "leaves the offset out of the length of the rows",
    zh="计算行长时没有减去偏移量",
    hint="How many tokens are left behind the offset? Where does row r begin, by the formula?",
    hint_zh="偏移量之后还剩多少个词元？按公式，第 r 行从哪里开始？",
)
def sequential_batches(corpus, batch_size, num_steps, offset=0):
    tokens = torch.as_tensor(corpus, dtype=torch.int64)
    length = max(0, (len(tokens) - 1) // batch_size)
    for start in range(0, length - num_steps + 1, num_steps):
        begins = [offset + r * length + start for r in range(batch_size)]
        if begins[-1] + num_steps + 1 > len(tokens):
            return
        x = torch.stack([tokens[s : s + num_steps] for s in begins])
        y = torch.stack([tokens[s + 1 : s + 1 + num_steps] for s in begins])
        yield x, y


@wrong_answer(
    "draws an offset of its own",
    zh="自己随机取了偏移量",
    hint="Who is to choose the offset: the function, or its caller?",
    hint_zh="偏移量由谁决定：函数自己，还是调用者？",
)
def sequential_batches(corpus, batch_size, num_steps, offset=0):
    tokens = torch.as_tensor(corpus, dtype=torch.int64)
    offset = random.randint(1, num_steps)
    length = max(0, (len(tokens) - offset - 1) // batch_size)
    count = batch_size * length
    inputs = tokens[offset : offset + count].reshape(batch_size, length)
    labels = tokens[offset + 1 : offset + 1 + count].reshape(batch_size, length)
    for start in range(0, length - num_steps + 1, num_steps):
        yield inputs[:, start : start + num_steps], labels[:, start : start + num_steps]


@wrong_answer(
    "deals the tokens out to the rows in turn",
    zh="把词元轮流分给了各行",
    hint="Read one of your rows aloud: are its tokens neighbours in the corpus?",
    hint_zh="读一读你的某一行：里面的词元在语料中相邻吗？",
)
def sequential_batches(corpus, batch_size, num_steps, offset=0):
    tokens = torch.as_tensor(corpus, dtype=torch.int64)
    length = max(0, (len(tokens) - offset - 1) // batch_size)
    count = batch_size * length
    inputs = tokens[offset : offset + count].reshape(length, batch_size).T
    labels = tokens[offset + 1 : offset + 1 + count].reshape(length, batch_size).T
    for start in range(0, length - num_steps + 1, num_steps):
        yield inputs[:, start : start + num_steps], labels[:, start : start + num_steps]


@wrong_answer(
    "yields [num_steps, batch_size]",
    zh="产生的形状是 [num_steps, batch_size]",
    hint="Which comes first in the contract's shape, the rows or the steps?",
    hint_zh="题目要求的形状里，行在前还是时间步在前？",
)
def sequential_batches(corpus, batch_size, num_steps, offset=0):
    tokens = torch.as_tensor(corpus, dtype=torch.int64)
    length = max(0, (len(tokens) - offset - 1) // batch_size)
    count = batch_size * length
    inputs = tokens[offset : offset + count].reshape(batch_size, length)
    labels = tokens[offset + 1 : offset + 1 + count].reshape(batch_size, length)
    for start in range(0, length - num_steps + 1, num_steps):
        yield inputs[:, start : start + num_steps].T, labels[:, start : start + num_steps].T


@wrong_answer(
    "keeps the corpus's dtype",
    zh="保留了语料的 dtype",
    hint="An embedding may take int32, a loss wants int64 class ids. What does the contract promise?",
    hint_zh="嵌入层也许接受 int32，但损失函数要 int64 的类别编号。题目要求的是什么类型？",
)
def sequential_batches(corpus, batch_size, num_steps, offset=0):
    tokens = torch.as_tensor(corpus)
    length = max(0, (len(tokens) - offset - 1) // batch_size)
    count = batch_size * length
    inputs = tokens[offset : offset + count].reshape(batch_size, length)
    labels = tokens[offset + 1 : offset + 1 + count].reshape(batch_size, length)
    for start in range(0, length - num_steps + 1, num_steps):
        yield inputs[:, start : start + num_steps], labels[:, start : start + num_steps]


@wrong_answer(
    "fails on a corpus that is shorter than the offset",
    zh="语料比偏移量还短时报错",
    hint="What is L when the corpus is shorter than the offset, and what does a slice or reshape make of it?",
    hint_zh="语料比偏移量还短时，L 等于多少？切片和 reshape 会怎样处理它？",
)
def sequential_batches(corpus, batch_size, num_steps, offset=0):
    tokens = torch.as_tensor(corpus, dtype=torch.int64)
    length = (len(tokens) - offset - 1) // batch_size
    count = batch_size * length
    inputs = tokens[offset : offset + count].reshape(batch_size, length)
    labels = tokens[offset + 1 : offset + 1 + count].reshape(batch_size, length)
    for start in range(0, length - num_steps + 1, num_steps):
        yield inputs[:, start : start + num_steps], labels[:, start : start + num_steps]


@wrong_answer(
    "returns a list of all batches, not an iterator",
    zh="返回了装着所有批次的列表，而不是迭代器",
    hint="What does next() say to a list? A function with `yield` in it returns an iterator by itself.",
    hint_zh="对列表调用 next() 会怎样？函数里用了 yield，返回的就是迭代器。",
)
def sequential_batches(corpus, batch_size, num_steps, offset=0):
    tokens = torch.as_tensor(corpus, dtype=torch.int64)
    length = max(0, (len(tokens) - offset - 1) // batch_size)
    count = batch_size * length
    inputs = tokens[offset : offset + count].reshape(batch_size, length)
    labels = tokens[offset + 1 : offset + 1 + count].reshape(batch_size, length)
    starts = range(0, length - num_steps + 1, num_steps)
    return [(inputs[:, at : at + num_steps], labels[:, at : at + num_steps]) for at in starts]


@wrong_answer(
    "takes the ids through float32",
    zh="词元编号经过了 float32",
    hint="From which whole number on can float32 not tell neighbours apart?",
    hint_zh="从哪个整数开始，float32 就分不清相邻的两个整数了？",
)
def sequential_batches(corpus, batch_size, num_steps, offset=0):
    tokens = torch.as_tensor(corpus).float().to(torch.int64)
    length = max(0, (len(tokens) - offset - 1) // batch_size)
    count = batch_size * length
    inputs = tokens[offset : offset + count].reshape(batch_size, length)
    labels = tokens[offset + 1 : offset + 1 + count].reshape(batch_size, length)
    for start in range(0, length - num_steps + 1, num_steps):
        yield inputs[:, start : start + num_steps], labels[:, start : start + num_steps]
