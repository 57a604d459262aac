"""How a command ends."""

GOOD = 0
FINDINGS = 1
USAGE = 2
NOT_JUDGED = 3
INTERRUPTED = 130
