"""Every job and listener of the house: importing this makes them known to the worker."""

from sightline.care.reporting import jobs as reporting_jobs
from sightline.care.response import jobs as response_jobs
from sightline.care.worklist import jobs as worklist_jobs
from sightline.intelligence.routing import jobs as routing_jobs
from sightline.record.archive import jobs as archive_jobs
from sightline.record.findings import jobs as findings_jobs
from sightline.record.timeline import jobs as timeline_jobs
from sightline.record.upkeep import jobs as upkeep_jobs
from sightline.wire.dimse import jobs as dimse_jobs
from sightline.wire.media import jobs as media_jobs
from sightline.wire.priors import jobs as prior_jobs
from sightline.wire.transfers import jobs as transfer_jobs

__all__ = [
    "archive_jobs",
    "dimse_jobs",
    "findings_jobs",
    "media_jobs",
    "prior_jobs",
    "reporting_jobs",
    "response_jobs",
    "routing_jobs",
    "timeline_jobs",
    "transfer_jobs",
    "upkeep_jobs",
    "worklist_jobs",
]
