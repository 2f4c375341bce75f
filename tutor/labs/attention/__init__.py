"""The lab "What heads attend to", about the attention maps of single heads."""
