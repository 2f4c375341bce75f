"""The engine, which runs the language model in a separate process.

Importing torch or running a model in the process that draws the screen would delay key presses,
even on another thread, so the model has its own process.

`api` defines the interface that the screens use, `wire` defines the messages between the two
processes, and `questions` maps each query of a session to its messages. On the app's side, `client`
sends requests and `supervisor` keeps the engine process alive. In the engine process, `server`
handles requests for local models, and `vendor_server` handles requests for remote models.
"""
