"""One engine for all learners of a machine.

They connect through a Unix socket (`listener`), which one thread serves. Another thread does the
work: `scheduler` decides whose request is next, and tokens that several learners need at the same
time are processed in one batch (`server`). Each learner has their own sessions, which no one else
can even name; `limits` divides memory, training and time.
"""
