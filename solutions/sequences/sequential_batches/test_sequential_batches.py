"""What sequential batches have to get right."""

from functools import partial

import pytest
import torch

from grader import agree


def batches(side, *args, **kwargs):
    # All of it over there: what a generator does to the corpus, it does while it is read.
    return side.props.collect(side.sequential_batches, *args, **kwargs)


def same_batches(student, reference):
    return agree(partial(batches, student), partial(batches, reference))


@pytest.mark.points(2)
@pytest.mark.parametrize(
    ("length", "batch_size", "num_steps", "offset"), [(29, 3, 4, 0), (30, 2, 5, 7), (9, 1, 3, 2)]
)
def test_batches_of_a_tensor(student, reference, make, length, batch_size, num_steps, offset):
    same_batches(student, reference)(make.tokens(50, length), batch_size, num_steps, offset)


def test_batches_of_a_list(student, reference, make):
    corpus = make.tokens(2**62, 23).tolist()
    agree(partial(read_out, student), partial(read_out, reference))(corpus, 3, 2, 4)


def read_out(side, corpus, *how):
    """The batches as numbers: with a list for a corpus, the device is free."""
    return [(x.dtype, x.tolist(), y.dtype, y.tolist()) for x, y in batches(side, corpus, *how)]


def test_batches_of_a_strided_int32_tensor(student, reference, make):
    corpus = make.noncontiguous(make.tokens(2**31, 14).to(torch.int32))
    same_batches(student, reference)(corpus, batch_size=4, num_steps=1, offset=1)


def test_next_gives_the_next_batch(student, reference, make):
    agree(partial(beginning, student), partial(beginning, reference))(make.tokens(50, 26), 2, 4)


def beginning(side, *how):
    return side.props.first_two(side.sequential_batches, *how)


@pytest.mark.points(2)
def test_rows_go_on_where_the_last_batch_ended(student, make):
    corpus = make.permutation(40)
    # A copy: what is compared with is nothing that the student can write to.
    rows = torch.cat([x for x, _ in batches(student, corpus.clone(), 3, 4)], dim=1)
    for r in range(3):
        begin = r * 13
        expected = corpus[begin : begin + 12]
        assert torch.equal(rows[r], expected), (
            "row r of a batch must go on where row r of the batch before ended"
        )


@pytest.mark.points(2)
def test_a_label_is_the_next_token(student, make):
    corpus = make.permutation(27)
    after = dict(zip(corpus[:-1].tolist(), corpus[1:].tolist(), strict=True))
    found = batches(student, corpus.clone(), 2, 6, 1)
    assert len(found) == 2, "there are two whole batches in this corpus"
    for x, y in found:
        expected = [[after.get(token) for token in row] for row in x.tolist()]
        assert y.tolist() == expected, (
            "a label is the token that follows its input in the corpus, row ends included"
        )


def test_the_last_token_is_a_label_only(student, reference, make):
    # 13 tokens are 12 inputs: both rows are full, and the last label is the last token.
    same_batches(student, reference)(make.tokens(50, 13), 2, 6)


@pytest.mark.parametrize(("length", "offset"), [(8, 0), (4, 6), (0, 0)])
def test_a_corpus_too_short_yields_nothing(student, make, length, offset):
    found = batches(student, make.tokens(50, length).tolist(), 2, 4, offset)
    assert found == [], "there is no whole batch in this corpus: nothing is to be yielded"
    found = batches(student, make.tokens(50, offset + 9).tolist(), 2, 4, offset)
    assert len(found) == 1, "eight inputs and the label of the last are one whole batch of 2 times 4"
