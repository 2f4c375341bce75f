"""Decide whether two short texts count as the same answer."""

import unicodedata


def plain(text: str) -> str:
    """Return `text` without case, accents, punctuation and spaces, to compare short answers.

    "Soft-max", "softmax " and "SOFT MAX" give the same result. Symbols that carry meaning ("+",
    "=") are kept, so "C++" differs from "C".
    """
    folded = unicodedata.normalize("NFKD", text).casefold()
    return "".join(
        char
        for char in unicodedata.normalize("NFKD", folded).casefold()
        if unicodedata.category(char)[0] not in "MPZC"
    )
