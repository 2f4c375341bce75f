"""Chatbots before language models: a bot with rules, and a bot with a bank of answers.

These are two generations of chatbots. The third generation is the language model
(`tutor.lm.session`). All three are tested with the same messages (`probes`). The rules, answers and
test messages are in `assets/bots`. Only `tutor.bots.intents` and `tutor.bots.retrieval_bot` need
torch.
"""
