"""Prints the name of every command that the official Python SDK (upstash-redis on PyPI) can send, one in each line, with
the word after it, if that is fixed too: `SCRIPT EXISTS`.

They are read from the SDK's code, so a command that a later version adds is found without a call of it here: a command
is a list that begins with a name in upper case.

Usage: commands.py
"""

import ast
import pathlib
import re

import upstash_redis

NAME = re.compile("[A-Z][A-Z_.]+")
# Arguments of BITFIELD.
NO_COMMANDS = {"OVERFLOW"}


def name(node):
    """The name, if the node is one."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str) and NAME.fullmatch(node.value):
        return node.value
    return None


def commands(node):
    """The lists that a statement makes a command of: those assigned to `command`, and those that `execute` is given."""
    if isinstance(node, (ast.Assign, ast.AnnAssign)):
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        values = [node.value] if any(ast.unparse(target).endswith("command") for target in targets) else []
    elif isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "execute":
        values = [*node.args, *(keyword.value for keyword in node.keywords)]
    else:
        values = []
    for value in values:
        while isinstance(value, ast.BinOp):
            value = value.left
        if isinstance(value, ast.List) and value.elts:
            yield value.elts


names = set()
for path in pathlib.Path(upstash_redis.__file__).parent.rglob("*.py"):
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        for first, *rest in commands(node):
            words = [name(first), name(rest[0]) if rest else None]
            if words[0]:
                names.add(" ".join(filter(None, words)))

for found in sorted(names - NO_COMMANDS):
    print(found)
