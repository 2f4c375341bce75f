"""Search for passages in texts: split texts, index the passages, and measure search quality.

    documents -> passages (`chunks`) -> full-text index with BM25 (`full_text`) -> ranked passages

`store` saves the index of a folder on disk, and `update` updates it when files change. Nothing here
depends on the language model or the screen. `tutor.labs.rag.passage_vectors` searches passages by
their vectors instead.
"""
