"""FHIR R4 (4.0.1) at the edge: signed reports and what they stand on."""
