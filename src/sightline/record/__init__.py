"""What we hold about a patient: images, chart, findings, and their order in time."""
