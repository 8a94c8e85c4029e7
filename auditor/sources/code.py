"""What a repository's own code defines and imports, from its syntax tree: never imported, never run."""

import ast
import re
import warnings

from auditor.errors import Malformed
from auditor.snapshot import CodeFile

SUFFIXES = (".py", ".cu", ".cuh")
#: More and longer files are not looked at: remote code of published models is a handful of files.
FILES_LIMIT = 32
SIZE_LIMIT = 1 << 20
_NAMES_LIMIT = 500
_GLOBAL = re.compile(r"__global__\b")
_DECLARATION_LIMIT = 400
_BOUNDS = re.compile(r"__launch_bounds__ ?\([^()]*\)")


def summarise(path: str, data: bytes) -> CodeFile:
    """Return what the file ``path`` contains. Raises Malformed for Python that does not parse."""
    text = data[:SIZE_LIMIT].decode("utf-8", "replace")
    if not path.endswith(".py"):
        return CodeFile(path, (), (), _names(_cuda_kernels(text)))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of their escapes in strings, not of ours
            tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):  # the last two: nesting made to exhaust the parser
        raise Malformed(f"{path} is not Python that can be parsed", "what it imports and defines is unknown") from None
    imports: list[str] = []
    classes: list[str] = []
    kernels: list[str] = []
    for node in ast.walk(tree):
        match node:
            case ast.Import(names=names):
                imports += [name.name.partition(".")[0] for name in names]
            case ast.ImportFrom(module=str(module), level=0):
                imports.append(module.partition(".")[0])
            case ast.ClassDef(name=name):
                classes.append(name)
            case ast.FunctionDef(name=name, decorator_list=decorators) if any(map(_is_triton, decorators)):
                kernels.append(name)
            case ast.Constant(value=str(string)) if "__global__" in string:
                kernels += _cuda_kernels(string)
    return CodeFile(path, _names(imports), _names(classes), _names(kernels))


def _cuda_kernels(text: str) -> list[str]:
    """Return the names declared after ``__global__``; looks a bounded way ahead, so that no text makes it slow."""
    result = []
    for marker in _GLOBAL.finditer(text):
        declaration = _BOUNDS.sub(" ", text[marker.end() : marker.end() + _DECLARATION_LIMIT])
        before, parenthesis, _ = declaration.partition("(")
        words = before.replace("*", " ").split()
        if parenthesis and words and words[-1].isidentifier() and not set(before) & set(";{})"):
            result.append(words[-1])
    return result


def _names(found: list[str]) -> tuple[str, ...]:
    return tuple(sorted(set(found)))[:_NAMES_LIMIT]


def _is_triton(decorator: ast.expr) -> bool:
    """Return whether a decorator is ``triton.jit`` or one of its companions, called or not."""
    if isinstance(decorator, ast.Call):
        decorator = decorator.func
    match decorator:
        case ast.Attribute(value=ast.Name(id="triton"), attr="jit" | "autotune" | "heuristics"):
            return True
    return False
