"""The labs, one folder each, and the kit that they are built with.

`lab.py` says what can be done in a lab and what counts as having done it, without a screen and
without torch. `backend.py` answers its questions in the engine's process. `view.py` draws its
state.
"""
