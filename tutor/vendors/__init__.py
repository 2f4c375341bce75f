"""Models that run on another machine, or in another program on this one.

Start with `service`: what is asked of a remote model and what comes back, whichever service it is.

    service         a request, the pieces of an answer, and what every service can do
    catalogue       which services there are, with their dated facts; what `openai:NAME` means
    keys            where a key comes from, and the type that never shows it
    permissions     which hosts the learner has allowed; nothing is sent to any other
    opening         from a remote model to a `Service` that can be asked
    openai_service  ChatGPT, Claude, llama.cpp, Ollama, vLLM: all that speak OpenAI's protocol
    gemini_service  Gemini, through Google's own client
    alternatives    how many tokens a server tells for one place, found out by asking
    errors          what can go wrong on the way, in words, without the key
    runs            answers under way, each in a thread: started, looked at, cancelled
    session         a text stepped on a service that tells log-probabilities
    check           what `tutor model check` measures

A lab that asks a remote model does it in its backend, in the engine's process:

    tools.remote.start("left", model, RemoteRequest((ChatMessage("user", "Hello"),)))
    ...
    state = tools.remote.look("left", since=len(pieces))     # at once; what has come since
    tools.remote.cancel("left")                              # at once

`start` raises `NotAllowed` until the learner has agreed to the host on the consent screen
(`tutor.app.model.consent`). A lab keeps what it has seen in its own state: an engine that was
started anew does not know the run, and `look` says that it was broken off.

The clients of the vendors are heavy. They are imported by the adapters alone, when they are used,
and never in the process that draws the screen.
"""
