"""A shared engine for all learners on a machine.

Learners connect through a Unix socket, which `listener` serves in its own thread. A second thread
runs the model: `scheduler` chooses the next request, and `server` handles it. Tokens that several
learners need at the same time are processed in one batch. Each learner has separate sessions that
other learners cannot access, and `limits` restricts memory, training and time.
"""
