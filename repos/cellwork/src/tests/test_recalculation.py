from cellwork import ErrorValue


def fill(sheet, contents):
    for address, content in contents.items():
        sheet[address] = content


def test_changes_travel(sheet):
    fill(sheet, {"A1": 1, "A2": "=A1+1", "A3": "=A2*2", "B1": "=SUM(A1:A3)"})
    sheet["A1"] = 10
    assert (sheet["A3"], sheet["B1"]) == (22, 43)


def test_order_of_entry_does_not_matter(sheet):
    fill(sheet, {"A3": "=A2*2", "A2": "=A1+1", "A1": 4})
    assert sheet["A3"] == 10


def test_other_sheets(sheet, other):
    other["A1"] = "=Main!A1&\"!\""
    sheet["A1"] = "x"
    assert other["A1"] == "x!"


def test_sheet_that_comes_later(book, sheet):
    sheet["A1"] = "=SUM(Late!A1:A3)"
    assert sheet["A1"] is ErrorValue.REF
    book.add_sheet("Late")["A2"] = 3
    assert sheet["A1"] == 3


def test_circle_and_what_is_behind_it(sheet):
    fill(sheet, {"A1": "=A2", "A2": "=A1", "A3": "=IFERROR(A2,5)", "A4": "=A2+1"})
    assert [str(sheet[a]) for a in ("A1", "A2", "A3", "A4")] == ["#CYCLE!", "#CYCLE!", "5.0", "#CYCLE!"]
    sheet["A1"] = 2
    assert [sheet[a] for a in ("A2", "A3", "A4")] == [2, 2, 3]


def test_cell_that_reads_itself(sheet):
    sheet["A3"] = "=SUM(A1:A5)"
    assert sheet["A3"] is ErrorValue.CYCLE
    sheet["A3"] = "=SUM(A1:A2)"
    assert sheet["A3"] == 0


def test_circle_broken_by_an_equal_value(sheet):
    fill(sheet, {"A1": "=A2", "A2": "=IFERROR(A1,7)"})
    sheet["A1"] = ErrorValue.CYCLE
    assert sheet["A2"] == 7


def test_long_chain(sheet):
    with sheet.book.batch():
        sheet["A1"] = 1
        for row in range(2, 401):
            sheet[f"A{row}"] = f"=A{row - 1}+1"
    sheet["A1"] = 2
    assert sheet["A400"] == 401


def test_each_formula_once(sheet, computed):
    fill(sheet, {"A1": 1, "B1": "=A1+1", "B2": "=A1+2", "C1": '=SEEN("c",B1+B2)', "D1": '=SEEN("d",C1+A1)'})
    computed.clear()
    sheet["A1"] = 5
    assert (computed, sheet["D1"]) == (["c", "d"], 18)


def test_ladder_of_diamonds(sheet, computed):
    sheet["A1"] = 1
    for row in range(2, 12):
        fill(sheet, {f"B{row}": f"=A{row - 1}", f"C{row}": f"=A{row - 1}", f"A{row}": f'=SEEN("{row}",B{row}+C{row})'})
    computed.clear()
    sheet["A1"] = 2
    assert (len(computed), sheet["A11"]) == (10, 2048)


def test_what_keeps_its_value_stops_a_change(sheet, computed):
    fill(sheet, {"A1": 1, "A2": "=A1>0", "A3": '=SEEN("x",A2)'})
    computed.clear()
    sheet["A1"] = 2
    assert computed == []


def test_truth_is_another_value_than_one(sheet):
    fill(sheet, {"A1": 1, "A2": '=A1&""'})
    sheet["A1"] = True
    assert sheet["A2"] == "TRUE"


def test_batch_computes_at_the_end(book, sheet, computed):
    fill(sheet, {"A1": 1, "A2": 1, "A3": '=SEEN("x",A1+A2)'})
    computed.clear()
    with book.batch():
        sheet["A1"] = 10
        with book.batch():
            sheet["A2"] = 20
        assert (sheet["A3"], computed) == (2, [])
    assert (sheet["A3"], computed) == (30, ["x"])


def test_batch_that_changes_nothing(book, sheet, computed):
    fill(sheet, {"A1": 1, "A3": '=SEEN("x",A1)'})
    computed.clear()
    with book.batch():
        sheet["A1"] = 2
        sheet["A1"] = 1
    assert computed == []


def test_batch_that_fails(book, sheet):
    sheet["A2"] = "=A1"
    try:
        with book.batch():
            sheet["A1"] = 3
            raise KeyError
    except KeyError:
        pass
    assert sheet["A2"] == 3
