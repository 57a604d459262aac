"""Python source written anew: with a fault, without a difference, or with another value expected.

Text goes in and text comes out; nothing is executed.
"""

from deepgym_envs.rewriting.literal_value import is_written_out, means_the_same, source_of
from deepgym_envs.rewriting.mutation import OPERATORS, Mutant, Operator, mutants, sample
from deepgym_envs.rewriting.variants import reformatted, renamed_locals, reordered_functions, with_dead_code
from deepgym_envs.rewriting.wrong_value import likeness, wrong_values

__all__ = [
    "OPERATORS",
    "Mutant",
    "Operator",
    "is_written_out",
    "likeness",
    "means_the_same",
    "mutants",
    "reformatted",
    "renamed_locals",
    "reordered_functions",
    "sample",
    "source_of",
    "with_dead_code",
    "wrong_values",
]
