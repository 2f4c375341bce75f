"""Finding passages in texts: splitting, a full-text index, and measures of quality.

    documents -> passages (`chunks`) -> full-text index with BM25 (`full_text`) -> ranked passages

`store` keeps such an index of a folder on disk, and `update` brings it up to date. Nothing here
depends on the language model or the screen; passages are compared by their vectors in
`tutor.labs.rag.passage_vectors`.
"""
