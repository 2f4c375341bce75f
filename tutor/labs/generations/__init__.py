"""The "Three generations" lab, which compares a rule-based, a retrieval and a generative bot."""
