"""Test that nothing from a file or a server can become code.

This excludes pickle and the like, eval, YAML loaders that make objects, and shells.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
FILES = sorted(file for folder in ("tutor", "tools") for file in (ROOT / folder).rglob("*.py"))

MODULES = {"pickle", "cPickle", "_pickle", "marshal", "shelve", "dill", "cloudpickle", "joblib"}
BUILTINS = {"eval", "exec", "compile", "__import__"}
CALLS = {
    "torch.load",
    "yaml.unsafe_load",
    "yaml.full_load",
    "yaml.unsafe_load_all",
    "yaml.full_load_all",
    "yaml.load_all",
    "os.system",
    "os.popen",
    "pandas.read_pickle",
}
NEED_A_LOADER = {"yaml.load", "yaml.compose", "yaml.parse"}
HARMLESS_LOADERS = ("SafeLoader", "BaseLoader")


def offences(source: str) -> Iterator[str]:
    tree = ast.parse(source)
    constants = {
        target.id: ast.unparse(node.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            names = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            names += [alias.name for alias in node.names]
            yield from (name for name in names if name.split(".")[0] in MODULES)
        elif isinstance(node, ast.Call):
            yield from called(node, constants)


def called(node: ast.Call, constants: dict[str, str]) -> Iterator[str]:
    name = ast.unparse(node.func)
    options = {option.arg: ast.unparse(option.value) for option in node.keywords}
    if name in CALLS or (isinstance(node.func, ast.Name) and name in BUILTINS):
        yield name
    if name in NEED_A_LOADER:
        loader = options.get("Loader", "")
        loader = constants.get(loader, loader)
        if not any(harmless in loader for harmless in HARMLESS_LOADERS):
            yield f"{name} with {loader or 'no loader'}"
    for option, harmful in (("shell", "True"), ("allow_pickle", "True"), ("weights_only", "False")):
        if options.get(option) == harmful:
            yield f"{name} with {option}"


def test_there_are_files_to_check() -> None:
    assert len(FILES) > 300


def test_no_module_turns_data_into_code() -> None:
    found = [
        f"{file.relative_to(ROOT)}: {offence}"
        for file in FILES
        for offence in offences(file.read_text("utf-8"))
    ]
    assert found == []


@pytest.mark.parametrize(
    "source",
    [
        "import pickle",
        "from marshal import loads",
        "def f():\n    import shelve",
        "import torch\ntorch.load('x')",
        "eval('1')",
        "__import__('os')",
        "import yaml\nyaml.load(text)",
        "import yaml\nyaml.load(text, Loader=yaml.Loader)",
        "LOADER = yaml.UnsafeLoader\nyaml.parse(text, Loader=LOADER)",
        "np.load(file, allow_pickle=True)",
        "subprocess.run(command, shell=True)",
    ],
)
def test_an_offense_is_noticed(source: str) -> None:
    assert list(offences(source))
