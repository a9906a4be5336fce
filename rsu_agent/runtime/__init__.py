"""The machine: parent, three processes, supervision, control, metrics."""
