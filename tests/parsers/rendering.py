"""Readings as short strings, so that the expectations in tables are readable."""

from __future__ import annotations

from corslint.model.reading import CodeReading
from corslint.model.values import (
    Argument,
    Call,
    Choice,
    Concat,
    Entry,
    EnvVar,
    Fallback,
    Function,
    Guard,
    Index,
    Literal,
    Mapping,
    Member,
    Name,
    Null,
    Operation,
    Parameter,
    Reference,
    Regex,
    Sequence,
    Split,
    Spread,
    This,
    Undefined,
    Unknown,
    Value,
)

_SIGNS = {"missing": "??", "falsy": "||"}


def show(value: Value) -> str:
    """A value in one line.

    `name@2` is a Name looked up from scope 2 (from scope 0 without a number), `<m.x>` a Reference, `p1:name` a
    Parameter, `?(why)` an Unknown, `fn@2(a,b){guards -> value; ...}` a Function with its scope.
    """
    match value:
        case Literal(value=literal):
            return repr(literal) if not isinstance(literal, bool) else str(literal).lower()
        case Null():
            return "null"
        case Undefined():
            return "undefined"
        case Spread(value=inner):
            return f"...{show(inner)}"
        case Sequence(items=items):
            return f"[{', '.join(show(item) for item in items)}]"
        case Mapping(items=items):
            return "{" + ", ".join(_entry(item) for item in items) + "}"
        case Regex(source=source, flags=flags, dialect=dialect):
            return f"/{source}/{flags}:{dialect}"
        case EnvVar(name=name, required=required):
            return f"${name}{'!' if required else ''}"
        case Fallback(first=first, then=then, on=on):
            return f"({show(first)} {_SIGNS[on]} {show(then)})"
        case Choice(test=test, yes=yes, no=no):
            return f"({show(test)} ? {show(yes)} : {show(no)})"
        case Concat(parts=parts):
            return f"concat({', '.join(show(part) for part in parts)})"
        case Split(value=inner, separator=separator, trimmed=trimmed):
            return f"split({show(inner)}, {separator!r}, {trimmed})"
        case Operation(operator=operator, operands=operands):
            return f"op[{operator}]({', '.join(show(operand) for operand in operands)})"
        case Function(name=name, parameters=parameters, scope=scope, returns=returns):
            ways = "; ".join(f"{show_guards(each.guards)}{show(each.value)}" for each in returns)
            return f"fn {name}@{scope}({','.join(parameters)}){{{ways}}}"
        case Parameter(position=position, name=name):
            return f"p{position}:{name}"
        case Call(callee=callee, arguments=arguments, construct=construct):
            return f"{'new ' if construct else ''}{show(callee)}({', '.join(_argument(each) for each in arguments)})"
        case Name(name=name, scope=scope):
            return f"{name}@{scope}" if scope else name
        case This(scope=scope):
            return f"this@{scope}"
        case Reference(module=module, name=name):
            return f"<{module}.{name}>"
        case Member(base=base, key=key):
            return f"{show(base)}.{key}"
        case Index(base=base, key=key_value):
            return f"{show(base)}[{show(key_value)}]"
        case Unknown(reason=reason):
            return f"?({reason})"
    raise AssertionError(value)


def _entry(item: Entry | Spread) -> str:
    if isinstance(item, Spread):
        return show(item)
    return f"{item.key if item.key is not None else '[?]'}: {show(item.value)}"


def _argument(argument: Argument) -> str:
    return show(argument.value) if argument.keyword is None else f"{argument.keyword}={show(argument.value)}"


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
