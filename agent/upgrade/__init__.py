"""Staying current: a newer program, taken from the server, tried, and kept or given back.

    offered     a session's answer brings a statement; it counts by the release key (`offer`), or is refused with a code
    downloaded  in the operator's window, piece by piece while nothing else is to do, into the state folder (`download`)
    unpacked    beside the program, every file held against the release's signed list (`unpack`)
    tried       the new program says that it can read this machine's settings; then the agent ends
    turned      `turn.sh`, which starts the program, puts the new one in place of the present one, which it keeps
    kept        the new program was answered a poll: from then on it is the one (`program`)
    or back     it ended too often, or was not answered in time: `turn.sh` puts the one before back, which says so

`docs/decisions/0013-a-trial-start.md` says why it is this way. A kill or a power cut between any two steps leaves a
program that starts.
"""
