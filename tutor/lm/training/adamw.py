"""The optimizer that trains networks."""

from inspect import unwrap

import torch


class AdamW(torch.optim.AdamW):
    """A version of PyTorch's AdamW that doesn't import PyTorch's compiler.

    Most methods of PyTorch's optimizers have a wrapper that excludes them from compilation. When a
    wrapper is first called, it imports the compiler, which takes several seconds. tutor compiles
    nothing, so this class calls the methods without their wrappers.

    Loshchilov and Hutter 2019, "Decoupled Weight Decay Regularization".
    """

    add_param_group = unwrap(torch.optim.AdamW.add_param_group)
    zero_grad = unwrap(torch.optim.AdamW.zero_grad)
    step = torch.no_grad()(unwrap(torch.optim.AdamW.step))
