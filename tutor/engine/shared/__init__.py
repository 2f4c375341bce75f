"""A shared engine for all learners on a machine.

Learners connect through a Unix socket. One thread accepts connections and messages (`listener`). A
second thread runs the model: `scheduler` chooses the next request, and `server` handles it. Tokens
that several learners need at the same time are processed in one batch. No learner can access the
sessions of another learner. `limits` contains the limits on memory, training and time.
"""
