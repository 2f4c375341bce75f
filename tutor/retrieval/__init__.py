"""Finding passages of texts: cutting them up, an index of words, and measures of how good it is.

    documents -> passages (`chunks`) -> full-text index with BM25 (`full_text`) -> ranked passages

`store` keeps such an index of a folder on disk, `update` brings it up to date. Nothing here knows
of the language model or of the screen; how passages are compared by their vectors stands in
`tutor.labs.rag.passage_vectors`.
"""
