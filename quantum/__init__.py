"""Quantum recurrent circuits that learn chorales: templates, exact simulation, gradients, samplers, machines."""
