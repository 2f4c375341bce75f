"""Two chatbots from before language models: one with rules, one with prepared answers.

They represent the first and the second generation of chatbots. The third generation is the language
model (`tutor.lm.session`). All three are tested with the same messages (`probes`). The rules,
answers and test messages are in `assets/bots`. Only `tutor.bots.intents` and
`tutor.bots.retrieval_bot` need torch.
"""
