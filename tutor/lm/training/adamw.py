"""The optimizer that trains networks."""

from inspect import unwrap

import torch


class AdamW(torch.optim.AdamW):
    """PyTorch's AdamW, without the import of PyTorch's compiler.

    Most methods of an optimizer in PyTorch have a wrapper that tells the compiler to leave them
    alone. The first call imports the compiler for this, which takes several seconds. Nothing here
    is ever compiled, so this class calls the methods without their wrappers.

    Loshchilov and Hutter 2019, "Decoupled Weight Decay Regularization".
    """

    add_param_group = unwrap(torch.optim.AdamW.add_param_group)
    zero_grad = unwrap(torch.optim.AdamW.zero_grad)
    step = torch.no_grad()(unwrap(torch.optim.AdamW.step))
