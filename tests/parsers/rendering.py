"""Readings as short strings, so that the expectations in tables are readable."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from corslint.model.reading import CodeReading
from corslint.model.values import Guard

_SIGNS = {"missing": "??", "falsy": "||"}


def show(value: Any) -> str:
    """A value in one line.

    `name@2` is a Name looked up from scope 2 (from scope 0 without a number), `<m.x>` a Reference, `p1:name` a
    Parameter, `?(why)` an Unknown, `fn name@2(a,b){guards -> value; ...}` a Function with its scope.

    It asks for the type by name: mypy takes minutes to narrow the union of all values.
    """
    kind = type(value).__name__
    match kind:
        case "Literal":
            return repr(value.value) if not isinstance(value.value, bool) else str(value.value).lower()
        case "Null" | "Undefined":
            return kind.lower()
        case "Spread":
            return f"...{show(value.value)}"
        case "Sequence":
            return f"[{_listed(value.items)}]"
        case "Mapping":
            return "{" + ", ".join(_entry(item) for item in value.items) + "}"
        case "Regex":
            return f"/{value.source}/{value.flags}:{value.dialect}"
        case "EnvVar":
            return f"${value.name}{'!' if value.required else ''}"
        case "Split":
            return f"split({show(value.value)}, {value.separator!r}, {value.trimmed})"
        case "Fallback":
            return f"({show(value.first)} {_SIGNS[value.on]} {show(value.then)})"
        case "Choice":
            return f"({show(value.test)} ? {show(value.yes)} : {show(value.no)})"
        case "Concat":
            return f"concat({_listed(value.parts)})"
        case "Operation":
            return f"op[{value.operator}]({_listed(value.operands)})"
        case "Function":
            ways = "; ".join(f"{show_guards(each.guards)}{show(each.value)}" for each in value.returns)
            return f"fn {value.name}@{value.scope}({','.join(value.parameters)}){{{ways}}}"
        case "Parameter":
            return f"p{value.position}:{value.name}"
        case "Call":
            arguments = _listed([argument.value for argument in value.arguments])
            return f"{'new ' if value.construct else ''}{show(value.callee)}({arguments})"
        case "Name":
            return f"{value.name}@{value.scope}" if value.scope else str(value.name)
        case "This":
            return f"this@{value.scope}"
        case "Reference":
            return f"<{value.module}.{value.name}>"
        case "Member":
            return f"{show(value.base)}.{value.key}"
        case "Index":
            return f"{show(value.base)}[{show(value.key)}]"
        case "Unknown":
            return f"?({value.reason})"
    raise AssertionError(value)


def _listed(values: Iterable[Any]) -> str:
    return ", ".join(show(value) for value in values)


def _entry(item: Any) -> str:
    if type(item).__name__ == "Spread":
        return show(item)
    return f"{item.key if item.key is not None else '[?]'}: {show(item.value)}"


def show_guards(guards: tuple[Guard, ...]) -> str:
    """Guards, each as `test -> ` or `!test -> `."""
    return "".join(f"{'' if guard.holds else '!'}{show(guard.test)} -> " for guard in guards)


def show_bindings(reading: CodeReading, name: str, scope: int | None = None) -> list[str]:
    """All bindings of a name, in all scopes or one."""
    return [
        f"{show_guards(binding.guards)}{show(binding.value)}"
        for number, each in enumerate(reading.scopes)
        if scope is None or number == scope
        for binding in each.bindings.get(name, ())
    ]


def show_calls(reading: CodeReading) -> list[str]:
    """All call sites, with their guards."""
    return [f"{show_guards(site.guards)}{show(site.call)}" for site in reading.calls]


def show_writes(reading: CodeReading) -> list[str]:
    """All writes, with their guards."""
    signs = {"set": "=", "append": "+="}
    return [
        f"{show_guards(write.guards)}{show(write.target)} {signs[write.operation]} {show(write.value)}"
        for write in reading.writes
    ]


def show_exports(reading: CodeReading) -> list[str]:
    """All exports."""
    return [f"{export.name}: {show(export.value)}" for export in reading.exports]
