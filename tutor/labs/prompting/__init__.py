"""The "Prompts, measured" lab, which scores two versions of a prompt on the same items."""
