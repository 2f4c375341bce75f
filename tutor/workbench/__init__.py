"""Answers what the labs ask: the computations, in the process that has the model.

For each lab in `tutor.labs` there is a module of the same name here. Its `make_bench` returns what
answers that lab's questions, mostly by calling functions of `tutor.lm`.
"""
