"""Workers that train one net in one framework; the nets' descriptions and the session around them are shared.

A worker runs as a module in the environment of its framework, which sees the torch of spikeport's own interpreter.
"""
