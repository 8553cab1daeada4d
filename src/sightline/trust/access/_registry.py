"""The tables of roles and actions; the reference page is printed from them.

A role or action that is not here cannot be used in the code, in a policy or in the scope of a token.
"""

from sightline.trust.access._model import Action

ROLES: dict[str, str] = {
    "administrator": "Manages people and reads the audit trail; reads and signs nothing clinical.",
    "archivist": "Keeps the archive (PACS administrator): corrects, rejects, deletes, holds; manages peers.",
    "radiologist": "Reads studies, decides on findings, writes and signs reports.",
    "technologist": "Sends and reads studies and starts analyses.",
    "referrer": "Reads studies and reports of patients.",
    "researcher": "Sees models and their quality; no patient data until they are de-identified.",
    "service": "The server itself and its jobs.",
}

# Held by whoever has a shell on the machine; given to nobody through the product.
OPERATOR = "operator"

_ACTIONS = (
    Action("analysis.run", "Start an analysis of a study"),
    Action("archive.correct", "Correct, merge, move and split what is held, and decide conflicts"),
    Action("archive.delete", "Remove a study from the archive"),
    Action("archive.export", "Copy or send studies out of the archive"),
    Action("archive.hold", "Put a study under legal hold, or lift it"),
    Action("archive.label", "Label studies"),
    Action("archive.read", "See studies, series and images"),
    Action("archive.reject", "Reject images with a reason, or restore them"),
    Action("archive.store", "Put images and documents into the archive"),
    Action("audit.read", "See who did what", clinical=False),
    Action("audit.verify", "Prove that the audit trail is whole", clinical=False),
    Action("chart.edit", "Enter, import and remove treatments and laboratory values"),
    Action("chart.read", "See treatments and laboratory values"),
    Action("finding.decide", "Accept or reject a finding"),
    Action("finding.edit", "Change what a finding says"),
    Action("finding.mark", "Mark a finding that no model proposed"),
    Action("finding.propose", "Propose a finding for a person to decide on"),
    Action("finding.read", "See findings"),
    Action("hanging.edit", "Keep hanging protocols of one's own", clinical=False),
    Action("hanging.manage", "Set the hanging protocols of a site", clinical=False),
    Action("hanging.read", "See hanging protocols", clinical=False),
    Action("job.run", "Run the jobs of the installation", clinical=False),
    Action("model.read", "See which models are installed and how good they are", clinical=False),
    Action("order.edit", "Enter and change orders and performed procedures"),
    Action("order.read", "See orders and the modality worklist"),
    Action("patient.read", "See a patient's studies over time"),
    Action("peer.manage", "Add, change and remove peers and forwarding rules", clinical=False),
    Action("peer.read", "See peers, and ask them for an echo", clinical=False),
    Action("report.edit", "Write a report"),
    Action("report.read", "Read a report"),
    Action("report.sign", "Sign a report"),
    Action("response.edit", "Set up the tumour response of a patient"),
    Action("system.maintain", "Check, back up and move what is stored", clinical=False),
    Action("system.read", "See how the installation is doing", clinical=False),
    Action("token.create", "Make a token for a program", clinical=False),
    Action("user.manage", "Add, change and disable people", clinical=False),
    Action("worklist.claim", "Take or defer a study on the worklist"),
    Action("worklist.read", "See the worklist"),
)

ACTIONS: dict[str, Action] = {action.name: action for action in _ACTIONS}
