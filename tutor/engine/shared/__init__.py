"""One engine for all learners of a machine.

They come in through a Unix socket (`listener`), in a thread that only listens. One thread works:
whose request is next says `scheduler`, what several want at the same time is read in one pass
(`server`). Each learner has sessions of their own, which nobody else can even name; memory,
training and time are shared out by `limits`.
"""
