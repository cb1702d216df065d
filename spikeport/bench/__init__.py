"""How fast the simulator is: against other simulators, against the machine, and against the work it is given.

Used by the command `spikeport bench` only; nothing else imports it.
"""
