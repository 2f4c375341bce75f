"""Screens for lessons, terms, the glossary and the course search."""
