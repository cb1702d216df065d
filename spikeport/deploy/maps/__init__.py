"""Linear maps between neurons: what a stateless node does to spikes, without its bias; composed exactly."""
