"""Screens that show lessons, terms and the glossary, and search them."""
