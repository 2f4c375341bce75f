"""The building blocks of every lab, and code that several labs share."""
