"""The journal of jobs, room by room: what was meant, what was sent, what came back; and what it costs. See `jobs`."""
