"""The lab "Three generations", which compares a rule-based, a retrieval and a generative bot."""
