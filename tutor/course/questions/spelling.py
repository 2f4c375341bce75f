"""Decide when two short texts count as the same answer."""

import unicodedata


def plain(text: str) -> str:
    """Return `text` without case, accents, punctuation and spaces, for comparing short answers.

    "Soft-max", "softmax " and "SOFT MAX" are the same; symbols that carry meaning ("+", "=")
    stay, so "C++" is not "C".
    """
    folded = unicodedata.normalize("NFKD", text).casefold()
    return "".join(
        char
        for char in unicodedata.normalize("NFKD", folded).casefold()
        if unicodedata.category(char)[0] not in "MPZC"
    )
