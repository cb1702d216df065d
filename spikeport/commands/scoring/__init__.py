"""A data set on a Program, over processes and hosts: `score`."""
