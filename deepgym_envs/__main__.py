"""``python -m deepgym_envs``: the command line, for where its script is not on the path."""

from deepgym_envs.cli import main

if __name__ == "__main__":
    main()
