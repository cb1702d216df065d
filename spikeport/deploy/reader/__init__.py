"""The parts of `spikeport.deploy.read`: file to tables, tables to flat nodes and edges, fields to typed nodes."""
