"""A machine room on 127.0.0.1 that speaks as IBM Quantum's servers do, and fails as they do, on command.

The unmodified qiskit-ibm-runtime client is led here by its environment alone (`Server.environment`, `credentials`).
Circuits run on Aer; queue, usage and mishaps are invented. What is sent back follows what the client of version 0.51
reads, and the public REST reference of 2026-04-15 (quantum.cloud.ibm.com/docs/api/qiskit-runtime-rest).

    server.faults("jobs.post", "504-after", times=1)     one mishap, from the table in `faults.py`
    server.jobs()                                        every job it ever accepted: jobs = intents is a count
    server.log                                           every request, without keys

Starting it loads neither qiskit nor the client: they load with the first job that runs.
"""

from stand_in.faults import FAULTS, Fault
from stand_in.log import Entry
from stand_in.server import Server

__all__ = ["FAULTS", "Entry", "Fault", "Server"]
