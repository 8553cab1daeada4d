"""What everything runs on: settings, database, blobs, jobs, events, plug-ins, logs and HTTP plumbing."""
