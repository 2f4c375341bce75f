"""What makes a finished model fast: packed linear layers, kernels, threads, memory."""
