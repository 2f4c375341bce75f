"""Use models that run on another machine, or in another program on this machine.

Start with `service`, which defines requests and responses for all services.

    service         requests, streamed responses, and the interface of all services
    catalogue       the known services with dated facts, and the parser for `openai:NAME`
    keys            finds API keys, and defines a type that never displays them
    permissions     the hosts that the learner has agreed to; text is sent only to these
    opening         opens the `Service` of a remote model
    openai_service  ChatGPT, Claude, llama.cpp, Ollama, vLLM: servers with OpenAI's API
    gemini_service  Gemini, through Google's client library
    alternatives    finds out how many alternatives per token a server returns
    errors          error messages in plain sentences, which never contain the API key
    runs            requests in background threads: start, poll, cancel
    session         steps through text with a service that returns log-probabilities
    check           the measurements of `tutor model check`

A lab sends requests to a remote model from its backend, in the engine process:

    tools.remote.start("left", model, RemoteRequest((ChatMessage("user", "Hello"),)))
    ...
    state = tools.remote.look("left", since=len(pieces))     # returns the new pieces at once
    tools.remote.cancel("left")                              # returns at once

`start` raises `NotAllowed` until the learner has agreed to the host on the consent screen
(`tutor.app.model.consent`). A lab must store what it has received, because the engine loses its
runs when it restarts. `look` then reports that the run was interrupted.

The vendors' client libraries are slow to import. Only the adapters import them, when they are first
used, and never in the process that draws the screen.
"""
