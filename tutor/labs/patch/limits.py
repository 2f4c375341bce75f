"""Validate requests, because they can also come from programs other than this lab."""

from __future__ import annotations

from tutor.labs.kit.reply import Reply
from tutor.labs.patch.lab import LENGTH, Compute, Extend, Pair, columns_per_pass, problem


def is_possible(question: Compute | Extend, pair: Pair, vocabulary: int) -> bool:
    """Return True if the lab could send this request about these texts.

    Any other request might name layers or heads that don't exist, or need too much memory.
    `vocabulary` is the number of tokens in the vocabulary.
    """
    if problem(pair) is not None:
        return False
    if isinstance(question, Compute):
        return _exist(question, pair)
    single = Compute(question.text, question.other, (question.patch.column,))
    replies = (question.plain, question.patched)
    return (
        _exist(single, pair)
        and question.patch.layer in range(pair.layers)
        and all(_is_short(reply, vocabulary) for reply in replies)
    )


def _exist(question: Compute, pair: Pair) -> bool:
    """Return True if the columns exist, are all different, and can be computed in one pass."""
    columns, tokens = question.columns, len(pair.a)
    return (
        len({(column.component, column.source) for column in columns}) == 1
        and len(set(columns)) == len(columns)
        and all(
            column.position in range(tokens) and column.head in range(pair.heads)
            for column in columns
        )
        and columns_per_pass(pair.layers, tokens, columns) == len(columns)
    )


def _is_short(reply: Reply, vocabulary: int) -> bool:
    ids = reply.ids
    return len(ids) <= reply.most <= LENGTH and all(id_ in range(vocabulary) for id_ in ids)
