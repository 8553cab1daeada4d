"""Sightline: open, AI-native medical imaging. Research software, not a medical device."""
