"""The "What heads attend to" lab, about the attention maps of single heads."""
