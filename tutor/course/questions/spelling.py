"""Compare the spelling of two short texts."""

import unicodedata


def plain(text: str) -> str:
    """Return `text` case-folded and without accents, punctuation and spaces, to compare answers.

    "Soft-max", "softmax " and "SOFT MAX" give the same result. Symbols that carry meaning ("+",
    "=") stay, so "C++" differs from "C".
    """
    folded = unicodedata.normalize("NFKD", text).casefold()
    return "".join(
        char
        for char in unicodedata.normalize("NFKD", folded).casefold()
        if unicodedata.category(char)[0] not in "MPZC"
    )
