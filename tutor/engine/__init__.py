"""The engine: the language model in a process of its own.

Importing torch or running a model in the process that draws the screen would delay keys, even in
a thread. So the model runs elsewhere: `protocol` is what the two say to each other, `server` the
process with the model, `client` the other end, for the app.
"""
