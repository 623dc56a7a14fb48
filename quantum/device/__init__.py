"""A device of PennyLane's on a current Qiskit: `qp.device("armonica.qiskit", wires=4, backend="aer")`."""
