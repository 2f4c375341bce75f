"""The engine, which runs the language model in a separate process.

If the process that draws the screen also imported torch and ran the model, it would respond slowly
to key presses, even if another thread did the work.

`api` defines the interface that the screens use, `wire` defines the messages between the two
processes, and `questions` lists the queries that a session supports, with their messages. On the
app's side, `client` sends requests and `supervisor` keeps the engine process alive. In the engine
process, `server` handles requests for local models, and `vendor_server` handles requests for remote
models.
"""
