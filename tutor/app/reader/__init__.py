"""Screens that show lessons, terms and the glossary, and the search of the course."""
