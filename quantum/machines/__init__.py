"""What circuits run on, room by room: `quantum.backends` opens them by name."""
