"""The lab "Four products, with dates", which compares facts about chat products."""
