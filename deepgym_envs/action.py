"""What an agent can do: eight frozen models, and their forms as dicts, JSON tool calls and tool schemas.

>>> action = EditFile(path="a.py", old="1", new="2")
>>> decode(action.encode()) == action
True
>>> decode({"tool": "read_file", "path": "a.py"})
ReadFile(path='a.py', start=1, end=0)
>>> [tool["name"] for tool in anthropic_tools()][:2]
['read_file', 'list_files']
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Annotated, Any, ClassVar

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from deepgym_envs.errors import ActionError

MAX_TEXT = 1_000_000
MAX_LINE_NUMBER = 10_000_000

_Path = Annotated[str, Field(max_length=1024, description="Path relative to the repository's root.")]
_Text = Annotated[str, Field(max_length=MAX_TEXT)]
_LineNumber = Annotated[int, Field(ge=0, le=MAX_LINE_NUMBER)]
# One line that is not blank: the action space holds them as the lines of one text.
_TestName = Annotated[str, Field(max_length=1024, pattern=r"^[^\n]*[^\n\r\t ][^\n]*$")]


class Action(BaseModel):
    """Base of all actions; each knows its ``tool`` name and what to tell a model about itself."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    tool: ClassVar[str]
    description: ClassVar[str]

    def encode(self) -> dict[str, Any]:
        """The action as an element of the environment's action space; ``decode`` takes it back."""
        flat: dict[str, Any] = dict(_EMPTY)
        flat["tool"] = np.int64(TOOLS.index(type(self)))
        for name, value in self:
            if name == "confidence":
                flat[name] = np.array(-1.0 if value is None else value, dtype=np.float32)
            elif isinstance(value, tuple):
                flat[name] = "\n".join(value)
            else:
                flat[name] = np.int64(value) if isinstance(value, int) else value
        return flat

    def arguments(self) -> dict[str, Any]:
        """The action's fields as plain JSON values."""
        return self.model_dump(mode="json")


class ReadFile(Action):
    """Read lines of a file."""

    tool: ClassVar[str] = "read_file"
    description: ClassVar[str] = (
        "Read a text file of the repository, with line numbers. Give start and end to read a part."
    )

    path: _Path
    start: Annotated[_LineNumber, Field(description="First line, from 1.")] = 1
    end: Annotated[_LineNumber, Field(description="Last line; 0 reads to the end of the file.")] = 0


class ListFiles(Action):
    """List files."""

    tool: ClassVar[str] = "list_files"
    description: ClassVar[str] = "List the files of the repository with their sizes."

    path: Annotated[
        str, Field(max_length=1024, description="Folder to list; empty for the whole repository.")
    ] = ""
    glob: Annotated[
        str, Field(max_length=1024, description="Pattern for whole paths, such as '**/*.py'.")
    ] = "**"


class Search(Action):
    """Search in files."""

    tool: ClassVar[str] = "search"
    description: ClassVar[str] = (
        "Search the repository's files line by line with a Python regular expression."
    )

    pattern: Annotated[str, Field(min_length=1, max_length=2000, description="Regular expression.")]
    path: Annotated[str, Field(max_length=1024, description="Folder to search; empty for all.")] = ""
    glob: Annotated[
        str, Field(max_length=1024, description="Pattern for whole paths, such as '**/*.py'.")
    ] = "**"
    context: Annotated[int, Field(ge=0, le=20, description="Lines to show around each match.")] = 0


class EditFile(Action):
    """Replace one exact piece of a file."""

    tool: ClassVar[str] = "edit_file"
    description: ClassVar[str] = (
        "Replace a piece of text in a file. It must occur in the file exactly once, white space included; "
        "give enough lines around it to make it unique."
    )

    path: _Path
    old: Annotated[_Text, Field(min_length=1, description="The text as it stands in the file.")]
    new: Annotated[_Text, Field(description="The text to put in its place.")]


class WriteFile(Action):
    """Write a whole file."""

    tool: ClassVar[str] = "write_file"
    description: ClassVar[str] = "Write a whole file, new or in place of what is there."

    path: _Path
    content: Annotated[_Text, Field(description="The file's new content.")]


class RunTests(Action):
    """Run visible tests."""

    tool: ClassVar[str] = "run_tests"
    description: ClassVar[str] = (
        "Run the repository's tests: all, or those named by pytest node ids or paths."
    )

    tests: Annotated[
        tuple[_TestName, ...],
        Field(
            max_length=200,
            description="Node ids or paths, such as 'tests/test_a.py::test_b'; empty runs all.",
        ),
    ] = ()


class Submit(Action):
    """End the episode."""

    tool: ClassVar[str] = "submit"
    description: ClassVar[str] = "Hand in the work as it is. It is then judged, and the episode ends."

    confidence: Annotated[
        Annotated[float, Field(ge=0, le=1)] | None,
        Field(description="Your probability that the work is right."),
    ] = None


class RunCommand(Action):
    """Run a shell command."""

    tool: ClassVar[str] = "run_command"
    description: ClassVar[str] = (
        "Run a shell command in the repository's root, without a network. Its processes end with it; "
        "only the repository's files stay from one command to the next."
    )

    command: Annotated[str, Field(min_length=1, max_length=100_000)]


TOOLS: tuple[type[Action], ...] = (
    ReadFile, ListFiles, Search, EditFile, WriteFile, RunTests, Submit, RunCommand,
)  # fmt: skip
"""Every action, in the order of the action space's ``tool``; ``run_command``, which is opt-in, comes last."""

_EMPTY: dict[str, Any] = {
    "tool": np.int64(0),
    "path": "",
    "glob": "**",
    "pattern": "",
    "start": np.int64(1),
    "end": np.int64(0),
    "context": np.int64(0),
    "old": "",
    "new": "",
    "content": "",
    "tests": "",
    "command": "",
    "confidence": np.array(-1.0, dtype=np.float32),
}


def tools(*, commands: bool = False) -> tuple[type[Action], ...]:
    """The actions of an environment; ``commands`` adds ``run_command``."""
    return TOOLS if commands else TOOLS[:-1]


def decode(flat: Mapping[str, Any], *, commands: bool = True) -> Action:
    """The action that an element of the action space, or a looser dict, stands for.

    ``tool`` may be its number or its name, missing fields take their defaults, and fields that the tool does
    not have are ignored, as the flat space fills them in always.

    Raises:
        ActionError: there is no such tool, or a field does not fit; says which and why.
    """
    if not isinstance(flat, Mapping):
        raise ActionError(f"an action is a dict with a 'tool', not {type(flat).__name__}")
    model = _tool(flat.get("tool"), commands)
    fields = {name: _plain(name, flat[name]) for name in model.model_fields if name in flat}
    return _build(model, fields)


def from_tool_call(name: str, arguments: str | Mapping[str, Any], *, commands: bool = True) -> Action:
    """The action that a model's tool call asks for; ``arguments`` is JSON text or a dict.

    Raises:
        ActionError: there is no such tool, or the arguments do not fit its schema.
    """
    model = _tool(name, commands)
    if isinstance(arguments, str):
        try:
            arguments = json.loads(arguments or "{}")
        except (ValueError, RecursionError) as error:
            raise ActionError(f"{name}: the arguments are not JSON: {error}") from None
    if not isinstance(arguments, Mapping):
        raise ActionError(f"{name}: the arguments must be a JSON object")
    return _build(model, dict(arguments))


def anthropic_tools(*, commands: bool = False) -> list[dict[str, Any]]:
    """The actions as a ``tools`` list of Anthropic's Messages API."""
    return [
        {"name": model.tool, "description": model.description, "input_schema": _schema(model)}
        for model in tools(commands=commands)
    ]


def openai_tools(*, commands: bool = False) -> list[dict[str, Any]]:
    """The actions as a ``tools`` list of OpenAI's Chat Completions API."""
    return [
        {
            "type": "function",
            "function": {"name": model.tool, "description": model.description, "parameters": _schema(model)},
        }
        for model in tools(commands=commands)
    ]


def _tool(wanted: Any, commands: bool) -> type[Action]:
    known = tools(commands=commands)
    wanted = _plain("tool", wanted)
    shown = f"of type {type(wanted).__name__}"
    if isinstance(wanted, str):
        for model in known:
            if model.tool == wanted:
                return model
        shown = repr(wanted[:60])
    elif isinstance(wanted, int) and not isinstance(wanted, bool):
        if 0 <= wanted < len(known):
            return known[wanted]
        shown = f"number {wanted}" if abs(wanted) < 10**9 else "of that number"
    raise ActionError(f"there is no tool {shown}; use one of {', '.join(model.tool for model in known)}")


def _plain(name: str, value: Any) -> Any:
    if isinstance(value, np.ndarray | np.generic):
        value = value.item() if value.size == 1 else value.tolist()
    if name == "tests" and isinstance(value, str):
        return tuple(line for line in value.split("\n") if line.strip(" \t\r"))
    if name == "confidence" and isinstance(value, float) and -1 <= value < 0:
        return None
    return value


def _build(model: type[Action], fields: dict[str, Any]) -> Action:
    try:
        return model.model_validate(fields)
    except ValidationError as error:
        problems = error.errors(include_url=False, include_context=False, include_input=False)[:3]
        said = [f"{'.'.join(map(str, problem['loc']))[:60]}: {problem['msg']}" for problem in problems]
        raise ActionError(f"{model.tool}: {'; '.join(said)}") from None


def _schema(model: type[Action]) -> dict[str, Any]:
    schema = model.model_json_schema()
    schema.pop("description", None)
    cleaned: dict[str, Any] = _without_titles(schema)
    return cleaned


def _without_titles(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            key: _without_titles(inner)
            for key, inner in value.items()
            if not (key == "title" and isinstance(inner, str))
        }
    return [_without_titles(inner) for inner in value] if isinstance(value, list) else value
