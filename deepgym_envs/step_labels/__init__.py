"""Labels for the steps of episodes, found by trying what can still become of each state.

docs/process-rewards.md says how to read them; ``deepgym-envs label`` makes them.
"""

from deepgym_envs.step_labels.export import FORMATS, Format, Written, write_labels
from deepgym_envs.step_labels.label import Continuations, LabelledEpisode
from deepgym_envs.step_labels.monte_carlo import continuation_seed, label_episode, label_trajectory

__all__ = [
    "FORMATS",
    "Continuations",
    "Format",
    "LabelledEpisode",
    "Written",
    "continuation_seed",
    "label_episode",
    "label_trajectory",
    "write_labels",
]
