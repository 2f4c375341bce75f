"""Models that run on another machine, or in another program on this one.

Start with `service`: what a request and an answer consist of, for every service.

    service         a request, the pieces of an answer, and the interface of every service
    catalogue       the services with their dated facts; what `openai:NAME` means
    keys            where a key comes from, and the type that never shows it
    permissions     the hosts that the learner has allowed; nothing is sent to any other
    opening         from a remote model to a `Service` that answers requests
    openai_service  ChatGPT, Claude, llama.cpp, Ollama, vLLM: every server with OpenAI's protocol
    gemini_service  Gemini, through Google's own client
    alternatives    how many alternatives a server returns for one token, found by asking
    errors          everything that can fail, in plain sentences that never contain the key
    runs            answers in progress, each in a thread: start, poll, cancel
    session         a text stepped on a service that returns log-probabilities
    check           the measurements of `tutor model check`

A lab asks a remote model in its backend, in the engine's process:

    tools.remote.start("left", model, RemoteRequest((ChatMessage("user", "Hello"),)))
    ...
    state = tools.remote.look("left", since=len(pieces))     # at once; what has arrived since
    tools.remote.cancel("left")                              # at once

`start` raises `NotAllowed` until the learner has agreed to the host on the consent screen
(`tutor.app.model.consent`). A lab keeps what it has received in its own state: after a restart,
the engine does not know the run, and `look` reports that it was interrupted.

The vendors' client packages are slow to import. Only the adapters import them, when they are used,
and never in the process that draws the screen.
"""
