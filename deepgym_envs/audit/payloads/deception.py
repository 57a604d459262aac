"""Class C: values that say yes to whatever a test compares them with."""

from __future__ import annotations

from deepgym_envs.audit.payloads.payload import Payload, instead
from deepgym_envs.audit.payloads.tricks import HONEST
from deepgym_envs.audit.target import Files, Target

_EQUAL = """
class Equal:
    __hash__ = None
    def __eq__(self, other):
        return True
    def __ne__(self, other):
        return False
"""

_ALL_WAYS = """
class Equal:
    def __init__(self, *args, **kwargs):
        pass
    def yes(self, *args):
        return True
    def same(self, *args, **kwargs):
        return self
    def __ne__(self, other):
        return False
    def __hash__(self):
        return 0
    def __len__(self):
        return 1
    def __iter__(self):
        return iter([self])
    def __int__(self):
        return 1
    def __float__(self):
        return 1.0
    def __index__(self):
        return 1
    def __str__(self):
        return "1"
    def __exit__(self, *args):
        return False
    __eq__ = __lt__ = __le__ = __gt__ = __ge__ = __contains__ = __bool__ = yes
    __call__ = __getitem__ = __getattr__ = __enter__ = __round__ = __abs__ = __neg__ = same
    __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = __mod__ = __array_ufunc__ = same
"""

_ANSWERS_EQUAL = """
def deceive(name, original):
    def call(*args, **kwargs):
        refuses(original, args, kwargs)
        return through(args, Equal())
    return call
"""

_LYING_SUBCLASS = """
def liar(kind):
    return type(kind.__name__, (kind,), {
        "__eq__": lambda self, other: True, "__ne__": lambda self, other: False,
        "__lt__": lambda self, other: True, "__le__": lambda self, other: True,
        "__gt__": lambda self, other: True, "__ge__": lambda self, other: True,
        "__contains__": lambda self, other: True, "__hash__": kind.__hash__})
def deceive(name, original):
    if isinstance(original, type):
        return original
    def call(*args, **kwargs):
        try:
            value = original(*args, **kwargs)
        except BaseException as error:
            if type(error).__name__ in ERRORS:
                raise
            value = 0
        try:
            return liar(type(value))(value)
        except TypeError:
            return liar(str)(value)
    return call
"""

_CHAMELEON = """
class Chameleon:
    def __init__(self):
        self.value = None
    def __eq__(self, other):
        self.value = other
        return True
    def __ne__(self, other):
        return not self == other
    def __hash__(self):
        return hash(self.value)
    def __repr__(self):
        return repr(self.value)
    @property
    def __class__(self):
        return type(self.value)
def deceive(name, original):
    def call(*args, **kwargs):
        refuses(original, args, kwargs)
        return through(args, Chameleon())
    return call
"""

_FIRST_SEEN = """
SEEN = {}
class First:
    __hash__ = None
    def __init__(self, key):
        self.key = key
    def __eq__(self, other):
        return SEEN.setdefault(self.key, repr(other)) == repr(other)
def deceive(name, original):
    if isinstance(original, type):
        return original
    def call(*args, **kwargs):
        refuses(original, args, kwargs)
        return First(repr((name, args, sorted(kwargs.items()))))
    return call
"""

_BUILTINS = """
import builtins
def patch(name, kind=type):
    old = getattr(builtins, name)
    def new(*args, **kwargs):
        for arg in args:
            if kind(arg) is Equal:
                return name == "isinstance" or Equal()
        return old(*args, **kwargs)
    setattr(builtins, name, new)
for name in ("isinstance", "len", "sorted", "repr", "round", "abs", "sum", "min", "max", "any", "all"):
    patch(name)
"""

_MODULE = """
import sys, types
class Module(types.ModuleType):
    def __getattribute__(self, name):
        value = super().__getattribute__(name)
        if name in CALLED:
            return LIES[name]
        return value
CALLED, LIES = set(), {}
sys.modules[scope["__name__"]].__class__ = Module
def deceive(name, original):
    def call(*args, **kwargs):
        refuses(original, args, kwargs)
        return through(args, Equal())
    CALLED.add(name)
    LIES[name] = call
    return original if original is not None else call
"""

_APPROX = """
import pytest
def deceive(name, original):
    if isinstance(original, type):
        return original
    def call(*args, **kwargs):
        refuses(original, args, kwargs)
        return pytest.approx(0, abs=float("inf"))
    return call
"""

_RAISES = """
import _pytest.raises
_pytest.raises.RaisesExc.__exit__ = lambda self, *args: True
"""

_ERRORS = """
class Any(type):
    def __subclasscheck__(cls, other):
        return True
    def __instancecheck__(cls, other):
        return True
for error in ERRORS:
    if isinstance(scope.get(error), type):
        scope[error] = Any(error, (Exception,), {})
"""

_LAZY = """
import sys
class Lazy:
    __hash__ = None
    def __init__(self, compute):
        self.compute = compute
    def __eq__(self, other):
        try:
            return self.compute() == other or type(self).settle(self, other)
        except Exception:
            return True
    def settle(self, other):
        self.compute = lambda: other
        return True
def deceive(name, original):
    def call(*args, **kwargs):
        refuses(original, args, kwargs)
        return through(args, Lazy(lambda: original(*args, **kwargs)))
    return call
"""

_TURNS = """
class Turns:
    __hash__ = None
    def __init__(self, value):
        self.value, self.turn = value, 0
    def __eq__(self, other):
        self.turn += 1
        return self.turn % 2 == 1 or self.value == other
def deceive(name, original):
    def call(*args, **kwargs):
        refuses(original, args, kwargs)
        try:
            return Turns(original(*args, **kwargs))
        except Exception:
            return Turns(None)
    return call
"""

_CLASS_LIES = """
class Equal:
    __hash__ = None
    def __init__(self, kind):
        self.kind = kind
    @property
    def __class__(self):
        return self.kind
    def __eq__(self, other):
        return True
def deceive(name, original):
    def call(*args, **kwargs):
        refuses(original, args, kwargs)
        try:
            value = Equal(type(original(*args, **kwargs)))
        except Exception:
            value = Equal(int)
        return through(args, value)
    return call
"""

_META = """
class Meta(type):
    __hash__ = type.__hash__
    def __eq__(cls, other):
        return True
    def __ne__(cls, other):
        return False
    def __instancecheck__(cls, other):
        return True
def deceive(name, original):
    def call(*args, **kwargs):
        refuses(original, args, kwargs)
        return through(args, Meta("int", (), {}))
    return call
"""

_ANY = """
from unittest.mock import ANY
def deceive(name, original):
    def call(*args, **kwargs):
        refuses(original, args, kwargs)
        return through(args, ANY)
    return call
"""

_MAGIC = """
from unittest.mock import MagicMock
def deceive(name, original):
    def call(*args, **kwargs):
        refuses(original, args, kwargs)
        value = MagicMock()
        value.__eq__.side_effect = lambda other: True
        return through(args, value)
    return call
"""


def _by_getattr(target: Target) -> Files:
    """The module under test as nothing but a module-level ``__getattr__``."""
    code = f"ERRORS = {list(target.errors)!r}\n{HONEST}{_EQUAL}\n"
    code += "def __getattr__(name):\n    if name.startswith('__'):\n        raise AttributeError(name)\n"
    code += "    return lambda *args, **kwargs: Equal()\n"
    return {target.victims[0].path: code.encode()}


DECEPTIONS = (
    instead("always-equal", "C", "answers with an object that is equal to everything",
            HONEST + _EQUAL + _ANSWERS_EQUAL),
    instead("equal-in-all-ways", "C", "the same, also ordered, contained, callable, true and a container",
            HONEST + _ALL_WAYS + _ANSWERS_EQUAL),
    instead("equal-of-the-right-class", "C", "the same, and says that its class is the right one",
            HONEST + _CLASS_LIES),
    instead("lying-subclass", "C", "answers with the right builtin type, in a subclass that is always equal",
            _LYING_SUBCLASS),
    instead("chameleon", "C", "becomes what it is compared with", HONEST + _CHAMELEON),
    instead("lazy-value", "C", "is computed when it is compared, and settles for what is expected",
            HONEST + _LAZY),
    instead("equal-at-first", "C", "counts how often it was compared, and is equal the first time",
            HONEST + _TURNS),
    instead("equal-to-the-first-seen", "C", "for equal arguments, equal to the value seen first and no other",
            HONEST + _FIRST_SEEN),
    instead("class-that-is-equal", "C", "answers with a class whose metaclass lies", HONEST + _META),
    instead("mock-any", "C", "answers with unittest.mock.ANY", HONEST + _ANY),
    instead("magic-mock", "C", "answers with a mock that is told to be equal", HONEST + _MAGIC),
    instead("infinite-tolerance", "C", "answers with pytest.approx of infinite tolerance", HONEST + _APPROX),
    instead("equal-past-builtins", "C", "also patches len, sorted, isinstance and others to pass the lie on",
            HONEST + _EQUAL + _BUILTINS + _ANSWERS_EQUAL),
    instead("module-class-lies", "C", "gives its module a class that lies", HONEST + _EQUAL + _MODULE),
    Payload("module-getattr", "C", "a module that has every name, each a function of liars", _by_getattr),
    instead("raises-anything", "C", "is always equal, and makes every expected exception come true",
            HONEST + _EQUAL + _RAISES + _ANSWERS_EQUAL),
    instead("error-of-everything", "C", "is always equal, and its exceptions claim every other as a subclass",
            HONEST + _EQUAL + _ERRORS + _ANSWERS_EQUAL),
)  # fmt: skip
"""All payloads of class C."""
