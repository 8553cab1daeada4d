"""Every job and listener of the house: importing this makes them known to the worker."""

from sightline.care.reporting import jobs as reporting_jobs
from sightline.care.worklist import jobs as worklist_jobs
from sightline.intelligence.routing import jobs as routing_jobs

__all__ = ["reporting_jobs", "routing_jobs", "worklist_jobs"]
