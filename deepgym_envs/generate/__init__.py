"""Makes tasks out of real packages and repositories, and keeps those that are proved to be fit.

Each source gives candidates (``releases``, ``history``, ``bugs``); ``settle`` makes a task of one or says why
it cannot be, and ``Funnel`` counts what became of all.
"""

from deepgym_envs.generate.candidate import Candidate, Refusal, Rejected
from deepgym_envs.generate.funnel import Funnel
from deepgym_envs.generate.settle import Settled, settle

__all__ = ["Candidate", "Funnel", "Refusal", "Rejected", "Settled", "settle"]
