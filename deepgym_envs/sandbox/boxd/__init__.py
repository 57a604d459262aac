"""The program inside a box: answers framed requests on standard input and output, one at a time.

It is started once per box (``__main__``), by a user that the agent's code can neither signal nor trace, and
needs nothing but the standard library of Python 3.8 or newer. In a box it lies where the agent cannot write,
and is imported as ``boxd``; hence its files name each other relatively.

Whenever it answers, no process of the agent is alive in the box. File requests therefore meet a workspace
that holds still, and what they do cannot be raced.

What it is made of, each file knowing only those before it::

    agent       what a process does to become the agent's
    streams     what goes into a command and comes out
    processes   commands run, watched and ended; the fork that becomes the agent's
    warm        the process that warm commands are forked from
    folders     removing what an agent has left, whatever it is
    manifest    the base: what the workspace is compared with
    workspace   files written, read, walked over
    capture     what differs from the base
    revert      the base put back
    scratch     folders that are empty between commands
    search      files listed and searched
    frames      requests and answers as bytes
    server      which request is met by what
"""
