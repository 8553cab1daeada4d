"""The demonstration: a small set of real studies, one simulated patient, the check of the main job."""
