"""Run models of other architectures with llama.cpp, if `llama-cpp-python` is installed.

Our own network (`tutor.lm.network`) supports the families in docs/models.md. llama.cpp supports
many more. It returns the logits of the whole vocabulary, so stepping, chat and the sampler work as
usual. It does not expose the values inside the network, so features that show them don't work.
"""
