"""The structs of XLA's foreign function interface that `lanes` reads by offset, and their check.

A foreign call hands over C structs. jaxlib ships the header that declares them, of the same build
as the library itself, so `is_known` compares the declarations before any call is tried: a layout
that changed costs speed, because `fields` then uses the transforms of jax.
"""

import re
from pathlib import Path

EMBEDDED = {
    "Extension_Base": (
        "size_t struct_size",
        "XLA_FFI_Extension_Type type",
        "struct XLA_FFI_Extension_Base* next",
    ),
    "Args": (
        "size_t struct_size",
        "XLA_FFI_Extension_Base* extension_start",
        "int64_t size",
        "XLA_FFI_ArgType* types",
        "void** args",
    ),
    "Rets": (
        "size_t struct_size",
        "XLA_FFI_Extension_Base* extension_start",
        "int64_t size",
        "XLA_FFI_RetType* types",
        "void** rets",
    ),
}
"""Structs inside others: all their fields, since one more would move what follows them."""

LEADING = {
    "CallFrame": (
        "size_t struct_size",
        "XLA_FFI_Extension_Base* extension_start",
        "const XLA_FFI_Api* api",
        "XLA_FFI_ExecutionContext* ctx",
        "XLA_FFI_ExecutionStage stage",
        "XLA_FFI_Args args",
        "XLA_FFI_Rets rets",
    ),
    "Buffer": (
        "size_t struct_size",
        "XLA_FFI_Extension_Base* extension_start",
        "XLA_FFI_DataType dtype",
        "void* data",
        "int64_t rank",
        "int64_t* dims",
    ),
    "Metadata_Extension": ("XLA_FFI_Extension_Base extension_base", "XLA_FFI_Metadata* metadata"),
    "Metadata": ("size_t struct_size", "XLA_FFI_Api_Version api_version"),
    "Api_Version": (
        "size_t struct_size",
        "XLA_FFI_Extension_Base* extension_start",
        "int major_version",
        "int minor_version",
    ),
}
"""Structs behind pointers: their first fields; later ones may be added without harm."""

CONSTANTS = (
    r"#define XLA_FFI_API_MAJOR 0\b",
    r"\bXLA_FFI_Extension_Metadata = 1\b",
    r"\bXLA_FFI_ExecutionStage_EXECUTE = 3\b",
)


def is_known() -> bool:
    """Whether the installed jaxlib declares the interface as `lanes` reads it."""
    try:
        import jax.ffi

        header = Path(jax.ffi.include_dir()) / "xla" / "ffi" / "api" / "c_api.h"
        text = header.read_text(encoding="utf-8")
    except (ImportError, AttributeError, OSError):
        return False
    text = re.sub(r"//[^\n]*|/\*.*?\*/", "", text, flags=re.S)
    return (
        all(re.search(pattern, text) for pattern in CONSTANTS)
        and all(_fields(text, name) == fields for name, fields in EMBEDDED.items())
        and all(_fields(text, name)[: len(f)] == f for name, f in LEADING.items())
    )


def _fields(text: str, name: str) -> tuple[str, ...]:
    """The declarations inside `struct XLA_FFI_<name> { ... }`, without comments."""
    body = re.search(rf"\bstruct XLA_FFI_{name} \{{(.*?)\}}", text, flags=re.S)
    declarations = body[1].split(";")[:-1] if body else []
    return tuple(" ".join(d.split()) for d in declarations)
