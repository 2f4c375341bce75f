"""The engine: the language model in a process of its own.

Importing torch or running a model in the process that draws the screen would delay keys, even in
a thread. So the model runs in another process. `api` says what the screens may ask, `wire` what
the two processes say to each other, and `questions` how one becomes the other. In the app,
`client` asks and `supervisor` keeps the process alive. In the process, `session_server` answers:
`server` for a local model, `vendor_server` for a remote one.
"""
