"""Workers that train one net in one framework, and what they share: the nets' descriptions, and the session around them.

A worker runs as a module in the environment of its framework, which sees the torch of spikeport's own interpreter.
"""
