"""`NamedTuple` whose classes cost next to nothing to define: corslint defines two hundred of them on every run.

`typing.NamedTuple` compiles a forward reference for each field and a constructor for each class when the class is made:
0.1 ms a class, together half of what importing click takes. Here a class is a plain tuple class with field getters, and
its constructor is compiled once there are some instances. Type checkers see `typing.NamedTuple`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import NamedTuple as NamedTuple
else:
    from _collections import _tuplegetter

    class _Define(type):
        """Makes a tuple class of a class body, from its annotations, as `typing.NamedTuple` does."""

        def __new__(cls, name, bases, body):
            if name == "_Record":
                return super().__new__(cls, name, bases, body)
            fields = tuple(body.get("__annotations__", ()))
            defaults = {field: body[field] for field in fields if field in body}
            if (*defaults,) != fields[len(fields) - len(defaults) :]:
                raise TypeError(f"in {name} a field without a default follows one that has one")
            body |= {field: _tuplegetter(place, None) for place, field in enumerate(fields)}
            own = {"__slots__": (), "_fields": fields, "_field_defaults": defaults, "__match_args__": fields}
            bases = tuple(tuple if base is _Record else base for base in bases)
            return type(name, bases, {**_METHODS, **body, **own})

    class _Record(metaclass=_Define):
        """What stands among the bases of a class that names `NamedTuple` there."""

    class _NamedTuple:
        def __mro_entries__(self, bases):
            return (_Record,)

    NamedTuple = _NamedTuple()

    _WORTH_COMPILING = 20
    """A constructor takes as long to compile as fifty instances take without."""

    def _few_instances(cls, *values, **named):
        """Stands for the constructor of a class until it is worth compiling."""
        made = next(one for one in cls.__mro__ if "_fields" in one.__dict__)
        made._made += 1
        if made._made < _WORTH_COMPILING:
            if len(values) == len(cls._fields) and not named:
                return tuple.__new__(cls, values)
            rest = cls._fields[len(values) :]
            known = {**cls._field_defaults, **named}
            if named.keys() <= set(rest) and known.keys() >= set(rest):  # else the constructor says what is wrong
                return tuple.__new__(cls, (*values, *map(known.__getitem__, rest)))
        made.__new__ = staticmethod(_constructor(made))
        return made.__new__(cls, *values, **named)

    def _constructor(made):
        """The function that makes instances, with the fields as its parameters: as `collections.namedtuple` does it."""
        names = "".join(f"{field}, " for field in made._fields)
        scope = {"_new": tuple.__new__, "__builtins__": {}, "__name__": made.__module__}
        new = eval(f"lambda _cls, {names}: _new(_cls, ({names}))", scope)  # noqa: S307 - field names of our own classes
        new.__name__, new.__qualname__ = "__new__", f"{made.__qualname__}.__new__"
        new.__defaults__ = tuple(made._field_defaults.values())
        return new

    def _make(cls, values):
        made = tuple.__new__(cls, values)
        if len(made) != len(cls._fields):
            raise TypeError(f"{cls.__name__} takes {len(cls._fields)} values, not {len(made)}")
        return made

    def _replace(self, /, **changes):
        values, fields = [*self], self._fields
        for name, value in changes.items():
            if name not in fields:
                raise ValueError(
                    f"{type(self).__name__} has no fields {[one for one in changes if one not in fields]!r}"
                )
            values[fields.index(name)] = value
        return tuple.__new__(type(self), values)

    def _getnewargs(self):
        return tuple(self)

    def _asdict(self):
        return dict(zip(self._fields, self, strict=True))

    def _repr(self):
        values = ", ".join(f"{name}={value!r}" for name, value in zip(self._fields, self, strict=True))
        return f"{type(self).__name__}({values})"

    _METHODS = {
        "__new__": _few_instances,
        "_made": 0,
        "__repr__": _repr,
        "__getnewargs__": _getnewargs,
        "_make": classmethod(_make),
        "_replace": _replace,
        "_asdict": _asdict,
    }
