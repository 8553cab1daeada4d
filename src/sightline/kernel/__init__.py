"""Values, units, codes and errors that every tier may use; imports nothing of ours."""
