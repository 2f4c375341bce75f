"""The two older generations of chatbots, rules and a bank of answers, and the test messages.

All three generations of chatbots get the same test messages (`probes`). Everything here is plain
data and plain Python, read from `assets/bots`, except `tutor.bots.intents`, the network that
recognizes intents. The third generation is the language model (`tutor.lm.session`).
"""
