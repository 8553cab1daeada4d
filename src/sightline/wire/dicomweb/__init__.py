"""DICOMweb (PS3.18): store, search and retrieve what the archive holds, under `/dicom-web`.

Invariants: every request is somebody's, permitted and audited; frames and files leave as they are stored
unless the client asks for another form; nothing here decides, it translates.
"""
