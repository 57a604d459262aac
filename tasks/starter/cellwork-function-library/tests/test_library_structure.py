import pytest

from cellwork import ErrorValue, Fault, Workbook
from cellwork.errors import FunctionError


def new_library():
    from cellwork.functions import FunctionLibrary

    return FunctionLibrary()


def standard():
    from cellwork.functions import STANDARD

    return STANDARD


def computed(book, formula):
    sheet = book.add_sheet(f"Sheet{len(book.sheets)}")
    sheet["A1"] = formula
    return sheet["A1"]


def about(function):
    return function.name, function.min_args, function.max_args, function.lazy, function.takes_errors


def test_all_standard_functions():
    assert list(standard()) == [
        "ABS", "AND", "AVERAGE", "COUNT", "COUNTA", "IF", "IFERROR", "INT", "ISBLANK", "ISERROR", "ISNUMBER", "LEFT", "LEN",
        "MAX", "MID", "MIN", "MOD", "NA", "NOT", "OR", "ROUND", "ROWS", "SQRT", "SUM", "UPPER", "VLOOKUP",
    ]


@pytest.mark.parametrize("name, expected", [
    ("mid", ("MID", 3, 3, False, False)),
    ("If", ("IF", 2, 3, True, False)),
    ("iferror", ("IFERROR", 2, 2, True, False)),
    ("COUNT", ("COUNT", 1, None, False, True)),
    ("isblank", ("ISBLANK", 1, 1, False, True)),
    ("max", ("MAX", 1, None, False, False)),
    ("NA", ("NA", 0, 0, False, False)),
])
def test_standard_function(name, expected):
    assert about(standard().get(name)) == expected


def test_standard_functions_can_be_called_alone():
    assert standard().get("MOD").call(7.0, 4.0) == 3.0
    assert standard().get("left").call("workbook", 4.0) == "work"
    with pytest.raises(Fault):
        standard().get("SQRT").call(-1.0)


def test_lazy_standard_functions_can_be_called_alone():
    tried = []

    def other():
        tried.append("other")
        return 2.0

    assert standard().get("IF").call(lambda: True, lambda: 1.0, other) == 1.0
    assert (standard().get("IFERROR").call(lambda: ErrorValue.REF, other), tried) == (2.0, ["other"])


def test_function_defaults_and_takes():
    from cellwork.functions import Function

    assert about(Function("X", len)) == ("X", 0, None, False, False)
    function = Function("X", len, 1, 2)
    assert [function.takes(count) for count in range(4)] == [False, True, True, False]
    assert [Function("X", len, 2).takes(count) for count in (0, 1, 2, 90)] == [False, False, True, True]


def test_functions_do_not_change():
    function = new_library().register("x", len)
    with pytest.raises(AttributeError):
        function.lazy = True


def test_register_and_get():
    library = new_library()
    function = library.register("net.price", abs, 1, 4, takes_errors=True)
    assert about(function) == ("NET.PRICE", 1, 4, False, True)
    assert library.get("Net.Price") is function
    assert ("NET.price" in library, "NET" in library, library.get("NET"), list(library)) == (True, False, None, ["NET.PRICE"])


def test_register_replaces_altogether():
    library = new_library()
    library.register("F", abs, 1, 1, lazy=True, takes_errors=True)
    library.register("f", len)
    assert about(library.get("F")) == ("F", 0, None, False, False)
    assert list(library) == ["F"]


@pytest.mark.parametrize("name, least, most", [("", 0, 0), ("2ND", 0, 0), ("NET PRICE", 0, 0), ("X", 3, 2), ("X", -2, None)])
def test_refused(name, least, most):
    library = new_library()
    with pytest.raises(FunctionError):
        library.register(name, len, least, most)
    assert list(library) == []


def test_copies_are_independent():
    library = new_library()
    library.register("A", len)
    copy = library.copy()
    copy.register("B", len)
    library.register("C", len)
    assert (list(library), list(copy)) == (["A", "C"], ["A", "B"])


def test_workbooks_are_independent():
    book = Workbook()
    book.functions.register("MINE", lambda: 5, 0, 0)
    assert computed(book, "=MINE()+SUM(1,2)") == 8
    assert computed(Workbook(), "=MINE()") is ErrorValue.NAME
    assert "MINE" not in standard()


def test_shared_library():
    library = standard().copy()
    one, other = Workbook(functions=library), Workbook(functions=library)
    one.add_function("both", lambda: 6)
    assert one.functions is library
    assert (computed(other, "=BOTH()"), about(library.get("both"))) == (6, ("BOTH", 0, None, False, False))


def test_empty_library():
    library = new_library()
    book = Workbook(functions=library)
    formulas = ["=IF(1,2,3)", "=IFERROR(1,2)", "=SUM(1)", "=COUNT(1/0)", "=ISERROR(1)"]
    assert [str(computed(book, formula)) for formula in formulas] == ["#NAME?"] * 5
    assert computed(book, "=(1+2)*3") == 9
    library.register("SUM", lambda *numbers: -sum(numbers))
    assert computed(book, "=SUM(1,2)") == -3


def test_library_of_a_subclass():
    from cellwork.functions import Function, FunctionLibrary

    class Echo(FunctionLibrary):
        def get(self, name):
            return super().get(name) or Function(name.upper(), lambda: name.upper(), 0, 0)

    book = Workbook(functions=Echo())
    assert [computed(book, "=hello()"), computed(book, "=SUM()"), computed(book, "=hello(1)")] == [
        "HELLO", "SUM", ErrorValue.NA,
    ]


def test_functions_are_asked_for_when_computed():
    book = Workbook()
    sheet = book.add_sheet("Main")
    sheet["A1"], sheet["B1"] = 2, "=ABS(A1)"
    book.functions.register("ABS", lambda number: number * 100, 1, 1)
    assert sheet["B1"] == 2
    sheet["A1"] = -3
    assert sheet["B1"] == -300


def test_lazy_function_computes_what_it_wants():
    book, calls = Workbook(), []
    book.functions.register("SEEN", lambda label, value: calls.append(label) or value, 2, 2)
    book.functions.register("PICK", lambda index, *choices: choices[int(index()) - 1](), 2, None, lazy=True)
    assert computed(book, '=PICK(SEEN("index",2),SEEN("a",10),SEEN("b",20),SEEN("c",30))') == 20
    assert calls == ["index", "b"]


def test_lazy_function_sees_errors_and_ranges():
    book = Workbook()
    book.functions.register("KIND", lambda argument: type(argument()).__name__, 1, 1, lazy=True)
    kinds = [computed(book, f"=KIND({argument})") for argument in ("1/0", "B1:B2", "B1", '"x"', "NOPE()", "Gone!B1")]
    assert kinds == ["ErrorValue", "Block", "NoneType", "str", "ErrorValue", "ErrorValue"]


def test_lazy_function_may_fail():
    def fail(argument):
        raise Fault(ErrorValue.NUM)

    book = Workbook()
    book.functions.register("FAIL", fail, 1, 1, lazy=True)
    assert computed(book, "=FAIL(1/0)") is ErrorValue.NUM


def test_if_can_be_replaced():
    book = Workbook()
    book.add_function("if", lambda *operands: len(operands))
    book.functions.register("IFERROR", lambda tried: tried() is ErrorValue.DIV0, 1, 1, lazy=True)
    assert [computed(book, formula) for formula in ("=IF(1)", "=IF(1,2,3,4)", "=IFERROR(1/0)", "=IFERROR(1,2)")] == [
        1, 4, True, ErrorValue.NA,
    ]


def test_functions_that_take_errors():
    book = Workbook()
    book.functions.register("NAME.OF", lambda value: str(value), 1, 1, takes_errors=True)
    book.functions.register("COUNT", lambda *values: len(values))
    assert [computed(book, formula) for formula in ("=NAME.OF(1/0)", "=NAME.OF(NA())", "=COUNT(1,2)", "=COUNT(1,1/0)")] == [
        "#DIV/0!", "#N/A", 2, ErrorValue.DIV0,
    ]


def test_numbers_of_arguments():
    book = Workbook()
    book.functions.register("F", lambda *operands: len(operands), 1, 2)
    book.functions.register("ROUND", lambda *operands: len(operands), 3)
    formulas = ["=F()", "=F(1)", "=F(1,2)", "=F(1,2,3)", "=ROUND(1,2)", "=ROUND(1,2,3,4)", "=F(1/0,2,3)"]
    assert [str(computed(book, formula)) for formula in formulas] == [
        "#N/A", "1.0", "2.0", "#N/A", "#N/A", "4.0", "#N/A",
    ]


def test_added_function_is_in_the_library():
    book = Workbook()
    book.add_function("Net", lambda gross: gross / 2)
    assert about(book.functions.get("NET")) == ("NET", 0, None, False, False)
    assert computed(book, "=ROUND(NET(5),0)") == 3
