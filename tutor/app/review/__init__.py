"""The screens for reviews, which ask the questions that are due, from all lessons."""
