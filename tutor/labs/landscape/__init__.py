"""The "Four products, with dates" lab, which compares facts about chat products."""
