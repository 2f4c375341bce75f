"""The engine: the language model in a process of its own.

Importing torch or running a model in the process that draws the screen would delay key presses,
even if a thread did it. So the model runs in another process. `api` defines what the screens may
ask, `wire` the messages between the two processes, and `questions` how a question becomes a
message. In the app, `client` sends the requests and `supervisor` keeps the process alive. In the
process, `session_server` answers them: `server` for a local model, `vendor_server` for a remote
one.
"""
