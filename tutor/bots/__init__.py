"""The two older generations of chatbots, and what all three are asked: rules, a bank of answers,
probes.

Plain data and plain Python, read from `assets/bots`. The network that recognizes intents is
`tutor.bots.intents`; what generates is `tutor.lm.session`.
"""
