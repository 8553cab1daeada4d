"""The durable chain: a settled study is routed, analysed, compared with its prior.

Each step is idempotent: a run is identified by model version, card, inputs and parameters, an alignment by
the two sets of images and its method, and what is already there is not made again.
"""

import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import structlog

from sightline.intelligence import models
from sightline.intelligence.routing import _comparing as comparing
from sightline.intelligence.routing import _store as store
from sightline.intelligence.routing._again import look_again
from sightline.intelligence.routing._choosing import series_pair
from sightline.intelligence.routing._flat import kind_of
from sightline.intelligence.routing._gone import forget_if_gone
from sightline.intelligence.routing._mapping import make_map
from sightline.intelligence.routing._model import Analysis, AnalysisState
from sightline.intelligence.routing._moving import follow_correction
from sightline.intelligence.routing._ondemand import keep_alignment
from sightline.intelligence.routing._registering import keep_registration
from sightline.intelligence.routing._service import analyses_of, request_analysis
from sightline.intelligence.routing._writing import found_from, store_masks
from sightline.kernel import clock
from sightline.kernel.errors import Invalid, PlatformError, Unavailable
from sightline.record import archive, findings, timeline
from sightline.runtime import events, jobs
from sightline.runtime.blobs import Blobs
from sightline.runtime.db import Db
from sightline.science.alignment import Alignment
from sightline.trust import access, audit

log = structlog.get_logger(__name__)

AGAIN_AFTER_S = (60, 600, 3600)
"""After how long a comparison that broke on our side is tried again."""


@jobs.job("route-study")
def route_study(run: jobs.Run, subject: str, history: str = "", **_: Any) -> None:
    """Match a settled study against the rules and start the analyses it earns.

    A migration brings an archive of years: of its studies none is analysed before somebody asks for it.
    """
    if history == "migrated":
        return

    def work() -> None:
        with run.database.transaction() as db:
            request_analysis(db, subject, by=access.SYSTEM)

    run.step("route", work)


@jobs.job("analyse-study", heavy=True)
def analyse_study(run: jobs.Run, subject: str, model: str, series_uid: str) -> None:
    """Run one model on one series and keep what it says as proposed findings."""
    run.step("analyse", lambda: _analyse(run.resource("store"), subject, model, series_uid))


@jobs.job("compare-patient")
def compare_patient(run: jobs.Run, subject: str, **_: Any) -> None:
    """After a study was analysed, compare it and the later studies of its patient with their priors."""

    def work() -> None:
        with run.database.transaction() as db:
            for uid in _this_and_later(db, subject):
                jobs.enqueue(db, "compare-study", key=f"compare-{uid}-{run.key}", subject=uid)

    run.step("enqueue", work)


@jobs.job("compare-corrected")
def compare_corrected(run: jobs.Run, subject: str, correction: int, **_: Any) -> None:
    """After a study was corrected, moved or merged, compare it and those that it bears on anew.

    A comparison with a study of another patient, or with one that is not the earlier any more, is forgotten
    at once, and findings of two patients are no longer one lesion.
    """

    def work() -> None:
        with run.database.transaction() as db:
            study = archive.get_studies(db, [subject]).get(subject)
            if study is None:  # it is gone meanwhile
                return
            follow_correction(db, study, correction)
            for uid in sorted({*_this_and_later(db, subject), *timeline.compared_with(db, subject)}):
                forget_if_gone(db, uid)
                jobs.enqueue(db, "compare-study", key=f"compare-{uid}-{run.key}", subject=uid)

    run.step("enqueue", work)


@jobs.job("compare-study", heavy=True)
def compare_study(run: jobs.Run, subject: str, attempt: int = 0) -> None:
    """Align a study with its best prior, link lesions, tell what has changed; keep the alignment as DICOM."""
    put_off = run.step("compare", lambda: _compare_or_put_off(run, subject, attempt))
    if not put_off:
        run.step("keep-registration", lambda: keep_registration(run.resource("store"), subject))


@jobs.job("change-map", heavy=True)
def map_change(run: jobs.Run, subject: str, at: str) -> None:
    """Map the change between a study and its prior; asked for by a person."""
    run.step("map", lambda: make_map(run.resource("store"), subject, at))


@jobs.job("align-prior", heavy=True)
def align_prior(run: jobs.Run, subject: str, prior: str) -> None:
    """Align a study with an earlier one that a reader put beside it; its comparison stays as it is."""
    run.step("align", lambda: keep_alignment(run.resource("store"), subject, prior))


events.listen("StudySettled", route_study)
events.listen("StudyAnalysed", compare_patient)
events.listen("FindingsChanged", compare_patient)
events.listen("StudyRestored", compare_patient)
events.listen("StudyCorrected", compare_corrected)


def _analyse(held: archive.Store, study_uid: str, model: str, series_uid: str) -> None:
    with held.database.transaction() as db:
        binding = models.bind(model, archive.sop_uids_of(db, series_uid))
        current = next((a for a in analyses_of(db, study_uid) if a.model == model), None)
        if current and current.run == binding.run and current.state is AnalysisState.DONE:
            return
        running = Analysis(
            study_uid,
            model,
            AnalysisState.RUNNING,
            "analysis is running",
            series_uid,
            binding.run,
            clock.now(),
        )
        store.put(db, running)
        events.publish(db, "AnalysisStarted", study_uid)
    try:
        _propose(held, running, binding)
    except PlatformError as refusal:
        state = AnalysisState.REFUSED if isinstance(refusal, Invalid) else AnalysisState.FAILED
        _end(held, replace(running, state=state, text=str(refusal), at=clock.now()))
        return
    except Exception:
        text = "the analysis broke on our side; it has been logged"
        _end(held, replace(running, state=AnalysisState.FAILED, text=text, at=clock.now()))
        raise


def _propose(held: archive.Store, running: Analysis, binding: models.Binding) -> None:
    """Run the model and keep what it says, in the transaction that ends the analysis."""
    study_uid, series_uid = running.study_uid, running.series_uid or ""
    output, masks = _run_model(held, running.model, series_uid, binding)
    source = findings.Source(
        findings.SourceKind.MODEL, running.model, binding.version, binding.run,
        binding.inputs_sha256, binding.parameters_sha256,
    )  # fmt: skip
    with held.database.transaction() as db:
        patient = archive.get_study(db, study_uid).patient
        found = found_from(output, series_uid, masks)
        findings.propose_findings(db, study_uid, patient, source, found, by=access.SYSTEM)
        text = " · ".join([_counted(len(found)), *output.remarks])
        _close(db, replace(running, state=AnalysisState.DONE, text=text, at=clock.now()))


def _run_model(
    held: archive.Store, model: str, series_uid: str, binding: models.Binding
) -> tuple[models.ModelOutput, list[str | None]]:
    with tempfile.TemporaryDirectory(prefix="sightline-run-") as folder:
        series, output = Path(folder, "series"), Path(folder, "output")
        series.mkdir()
        output.mkdir()
        with held.database.reading() as db:
            archive.export_series(held, db, series_uid, series)
        answer = models.run_model(model, series, output)
    return answer, store_masks(held.blobs, binding.run, answer)


def _counted(count: int) -> str:
    if not count:
        return "no findings proposed"
    return f"{count} finding{'s' if count > 1 else ''} proposed"


def _end(held: archive.Store, analysis: Analysis) -> None:
    with held.database.transaction() as db:
        _close(db, analysis)


def _close(db: Db, analysis: Analysis) -> None:
    store.put(db, analysis)
    audit.record(
        db, "analysis.end", by=access.SYSTEM, on=analysis.study_uid,
        model=analysis.model, run=analysis.run or "", state=analysis.state.value,
    )  # fmt: skip
    events.publish(db, "StudyAnalysed", analysis.study_uid)


def _this_and_later(db: Db, study_uid: str) -> list[str]:
    study = archive.get_studies(db, [study_uid]).get(study_uid)
    if study is None:  # it is gone meanwhile
        return []
    return [
        other.uid
        for other in archive.studies_of_patient(db, study.patient)
        if other.uid == study_uid or timeline.is_earlier(study, other)
    ]


def _compare_or_put_off(run: jobs.Run, study_uid: str, attempt: int) -> bool:
    """Compare a study; say whether that broke on our side and is put off, which it is a few times."""
    try:
        _compare(run.resource("store"), study_uid)
    except Unavailable as failure:
        if attempt == len(AGAIN_AFTER_S):
            raise
        log.warning("comparison put off", study=study_uid, error=type(failure).__name__)
        with run.database.transaction() as db:
            jobs.enqueue(
                db, "compare-study", key=f"{run.key}-{attempt + 1}", delay_s=AGAIN_AFTER_S[attempt],
                subject=study_uid, attempt=attempt + 1,
            )  # fmt: skip
        return True
    return False


def _compare(held: archive.Store, study_uid: str) -> None:
    kept = False
    while not kept:  # once more where the pair became another one while it was aligned
        with held.database.reading() as db:
            pair = _pair(db, study_uid)
        if pair is None:
            with held.database.transaction() as db:
                forget_if_gone(db, study_uid)
            return
        alignment, geometry = comparing.align_pair(held, pair)
        look_again(held, pair, alignment, geometry)
        with held.database.transaction() as db:
            kept = _keep(db, held.blobs, pair, alignment, geometry)


def _keep(
    db: Db,
    blobs: Blobs,
    aligned: comparing.Pair,
    alignment: Alignment | str,
    geometry: comparing.Geometry | None,
) -> bool:
    """Keep the comparison of the pair that was aligned, and say so; nothing of one that is another by now.

    Aligning takes minutes, in which a study can be moved, corrected or thrown away.
    """
    pair = _pair(db, aligned.study_uid)
    if pair is None or _what(pair) != _what(aligned):
        return False
    comparison, links = comparing.build_comparison(db, blobs, pair, alignment, geometry)
    findings.unify_lesions(db, pair.patient, links, by=access.SYSTEM)
    timeline.record_comparison(db, comparison, by=access.SYSTEM)
    events.publish(db, "StudyCompared", pair.study_uid, prior=pair.prior_uid)
    return True


def _what(pair: comparing.Pair) -> tuple[str, str, str]:
    """Return which images a pair is of, of which prior and of whom."""
    return pair.key, pair.prior_uid, pair.patient


def _pair(db: Db, study_uid: str) -> comparing.Pair | None:
    """Return the study with its best comparable prior, or None: there is none, or it is not analysed yet."""
    study = archive.get_studies(db, [study_uid]).get(study_uid)
    if study is None or not _ended(db, study_uid):
        return None
    for prior in timeline.priors_of(db, study_uid):
        other = archive.get_study(db, prior.study_uid)
        if kind_of(timeline.image_modality(other)) != kind_of(timeline.image_modality(study)):
            continue
        series = series_pair(db, study_uid, prior.study_uid)
        if series is None:
            continue
        if _is_awaited(db, other):
            return None  # its own analysis will ask for this comparison again
        return comparing.pair_of(db, study, other, series, why=prior.why, days=prior.days)
    return None


def _is_awaited(db: Db, prior: archive.Study) -> bool:
    """Say whether an analysis of a prior is still to come.

    Of what has settled and was sent to no model none is: a migration brings such studies.
    """
    if not analyses_of(db, prior.uid):
        return prior.settled_at is None
    return not _ended(db, prior.uid)


def _ended(db: Db, study_uid: str) -> bool:
    held = analyses_of(db, study_uid)
    return bool(held) and all(a.state.ended or a.state is AnalysisState.NONE for a in held)
