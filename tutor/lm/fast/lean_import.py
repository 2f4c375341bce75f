"""Import PyTorch without the packages that running a model doesn't need.

`import torch` also imports PyTorch's packages for quantization, export, probability distributions
and data sets. In an engine, these packages take 24 MB of memory and a quarter of the import's
CPU time, and most engines never use them. So `import_lean` makes Python create placeholders
instead. A placeholder becomes the real module as soon as a name in it is used.

`torch._meta_registrations` is an exception, because no other module uses a name in it. Its code
registers functions that PyTorch's compiler calls to find the shape of a result without computing
it. So its placeholder becomes the real module when the compiler (`torch._dynamo`) is imported.

The placeholders change the order in which PyTorch's modules are imported, and a version of
PyTorch may fail to load in the new order. So versions newer than `NEWEST`, which have not been
tested, are imported without placeholders.

This module doesn't import torch. `importlib.util.LazyLoader` in the standard library has the same
purpose, but loads a module as soon as the module is imported a second time.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib import import_module
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from threading import RLock
from types import ModuleType

NEWEST = (2, 15)
"""The newest version of PyTorch that has been tested with placeholders, as (major, minor)."""

REGISTRATIONS = "torch._meta_registrations"

# A name that the installed version of PyTorch doesn't have is ignored.
UNUSED = frozenset(
    {
        REGISTRATIONS,
        "torch.ao",
        "torch.distributions",
        "torch.export",
        "torch.masked",
        "torch.nn.intrinsic",
        "torch.nn.qat",
        "torch.nn.quantizable",
        "torch.nn.quantized",
        "torch.quantization",
        "torch.utils.data",
    }
)

# Maps a module to one that it imports and that the rest of PyTorch relies on, which is imported
# when the first module gets a placeholder. Since PyTorch 2.15, `torch._logging` and `torch.fx`
# import each other, which only works if `torch.fx` is imported first.
IMPORTED_FIRST = {REGISTRATIONS: "torch._prims", "torch.quantization": "torch.fx"}


def import_lean() -> None:
    """Use placeholders for the modules in `UNUSED`. Call this before torch is imported."""
    if "torch" not in sys.modules and not any(isinstance(each, _Finder) for each in sys.meta_path):
        sys.meta_path.insert(0, _Finder())


class _Finder(MetaPathFinder):
    """An import hook that provides placeholders for the modules in `UNUSED`."""

    def __init__(self) -> None:
        self._tried = True

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        _finish(name.rpartition(".")[0])  # a submodule needs the real package
        if name == "torch._dynamo":
            _finish(REGISTRATIONS)
        if name == "torch":
            self._tried = _is_tried()
        if name not in UNUSED or not self._tried:
            return None
        spec = PathFinder.find_spec(name, path)
        if spec is not None and spec.loader is not None:
            spec.loader = _PlaceholderLoader(spec.loader)
        return spec


def _is_tried() -> bool:
    """Return True if the installed version of PyTorch is not newer than `NEWEST`."""
    from importlib import metadata  # a slow import, needed only here

    try:
        major, minor = metadata.version("torch").split(".")[:2]
    except metadata.PackageNotFoundError:
        return False
    return (int(major), int(minor)) <= NEWEST


class _PlaceholderLoader(Loader):
    """A loader that delays running a module's code until a name in the module is used."""

    def __init__(self, real: Loader) -> None:
        self._real = real

    def exec_module(self, module: ModuleType) -> None:
        if module.__name__ in IMPORTED_FIRST:
            import_module(IMPORTED_FIRST[module.__name__])
        vars(module)["__getattr__"] = _Load(self._real, module)


class _Load:
    """The `__getattr__` of a placeholder, which loads the real module.

    Python calls it when a name is missing from the placeholder.
    """

    def __init__(self, real: Loader, module: ModuleType) -> None:
        self._real = real
        self._module = module
        self._lock = RLock()
        self._started = False

    def __call__(self, name: str) -> object:
        if name.startswith("__") and name != "__all__":  # the import system looks these up
            raise AttributeError(name)
        self.finish()
        try:
            return getattr(self._module, name) if self._loaded else vars(self._module)[name]
        except KeyError:
            raise AttributeError(f"{self._module.__name__} has no attribute {name!r}") from None

    @property
    def _loaded(self) -> bool:
        return vars(self._module).get("__getattr__") is not self

    def finish(self) -> None:
        """Load the module, unless it is loaded or is being loaded by this thread."""
        with self._lock:
            if self._started:
                return
            self._started = True
            self._real.exec_module(self._module)
            if not self._loaded:
                del vars(self._module)["__getattr__"]


def _finish(name: str) -> None:
    """Load a module if it is a placeholder."""
    module = sys.modules.get(name)
    if module is not None and isinstance(load := vars(module).get("__getattr__"), _Load):
        load.finish()
