"""Use cases of routing: ask for an analysis, tell how it stands."""

from collections.abc import Sequence

from sightline.intelligence import models
from sightline.intelligence.routing import _store as store
from sightline.intelligence.routing._model import NO_MODEL, Analysis, AnalysisState, Rule, Series, match_rules
from sightline.kernel import clock
from sightline.record import archive, timeline
from sightline.runtime import events, jobs
from sightline.runtime.db import Db
from sightline.trust import access, audit

PARAMETRIC_MAP = "1.2.840.10008.5.1.4.1.1.30"

audit.declare("analysis.request", "A study was sent to a model")
audit.declare("analysis.end", "The analysis of a study ended")


def request_analysis(db: Db, study_uid: str, *, by: access.Person, again: bool = False) -> Analysis:
    """Send a study to every model whose rule it matches; return how the first of them stands.

    What was analysed with the same model, images and parameters is not analysed twice, unless `again`.
    """
    access.require(by, "analysis.run", on=study_uid)
    matched = match_rules(find_image_series(db, study_uid))
    if not matched:
        none = Analysis(
            study_uid,
            NO_MODEL,
            AnalysisState.NONE,
            "no model for this kind of study",
            None,
            None,
            clock.now(),
        )
        store.put(db, none)
        events.publish(db, "StudyAnalysed", study_uid)
        return none
    requested = [_request(db, study_uid, rule, series, by=by, again=again) for rule, series in matched]
    return requested[0]


def _request(
    db: Db, study_uid: str, rule: Rule, series: Series, *, by: access.Person, again: bool
) -> Analysis:
    binding = models.bind(rule.model, archive.sop_uids_of(db, series.uid))
    held = next((a for a in store.of_studies(db, [study_uid]) if a.model == rule.model), None)
    if held and held.run == binding.run and not (again and held.state.ended):
        return held
    key = f"analyse-{study_uid}-{binding.run}"
    if held:  # the row above says that this is a new request, and a job of this run may have ended before
        key += f"-{clock.now():%Y%m%d%H%M%S}"
    waiting = Analysis(
        study_uid,
        rule.model,
        AnalysisState.WAITING,
        "waiting for analysis",
        series.uid,
        binding.run,
        clock.now(),
    )
    store.put(db, waiting)
    jobs.enqueue(db, "analyse-study", key=key, subject=study_uid, model=rule.model, series_uid=series.uid)
    audit.record(
        db, "analysis.request", by=by, on=study_uid, rule=rule.name, model=rule.model,
        version=binding.version, series=series.uid, run=binding.run, inputs_sha256=binding.inputs_sha256,
        parameters_sha256=binding.parameters_sha256, card_sha256=binding.card_sha256,
    )  # fmt: skip
    return waiting


def analysis_of(db: Db, study_uid: str) -> Analysis:
    """Return how the analysis of a study stands; `NONE` while nothing has been asked."""
    held = store.of_studies(db, [study_uid])
    if not held:
        return Analysis(study_uid, NO_MODEL, AnalysisState.NONE, "not analysed yet", None, None, clock.now())
    return held[0]


def analyses_of(db: Db, *study_uids: str) -> list[Analysis]:
    """Return the analyses of some studies."""
    return store.of_studies(db, study_uids)


def find_image_series(db: Db, study_uid: str) -> list[Series]:
    """Return the series of a study as the rules see them, leaving out what holds no images.

    Parametric Maps have the modality of what they were made from, and are no images of it. Images of a
    treatment are what a study shows only where it holds nothing else.
    """
    maps = archive.find_instances(db, archive.InstanceQuery(study=study_uid, sop_class=PARAMETRIC_MAP)).items
    mapped = {one.series for one in maps}
    images = [
        Series(s.uid, s.modality, s.frame_count, derived="DERIVED" in s.description.upper())
        for s in archive.series_of_study(db, study_uid)
        if s.frame_count and s.modality not in timeline.DERIVED_MODALITIES and s.uid not in mapped
    ]
    return [s for s in images if s.modality != timeline.RT_IMAGE] or images


def analysed_series(db: Db, study_uid: str, held: Sequence[Series]) -> str | None:
    """Return which of the series that are held of a study a model analysed."""
    uids = {series.uid for series in held}
    return next((a.series_uid for a in store.of_studies(db, [study_uid]) if a.series_uid in uids), None)


def main_series(db: Db, study_uid: str) -> str | None:
    """Return the series to show and compare: the one that was analysed, else the one with most images."""
    series = find_image_series(db, study_uid)
    analysed = analysed_series(db, study_uid, series)
    if analysed is not None or not series:
        return analysed
    return max(series, key=lambda s: (not s.derived, s.images, s.uid)).uid
