"""The lab "Prompts, measured", which scores two versions of a prompt on the same items."""
