"""Run models of other architectures with llama.cpp, if `llama-cpp-python` is installed.

Our own network (`tutor.lm.network`) knows the families that docs/models.md lists. llama.cpp knows
many more. It returns the logits of the whole vocabulary, so stepping, chat and the sampler work as
usual. It does not expose the values inside the network, so nothing that looks inside works.
"""
