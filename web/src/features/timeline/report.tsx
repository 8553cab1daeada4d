/** The text of a signed report, read without leaving the patient's page. */
import { api, get, type Report } from '../../api';
import { pathTo } from '../../app/router';
import { day, moment } from '../../ui/format';
import { useLoaded } from '../../ui/load';
import { Dialog, Notice, Skeleton } from '../../ui/primitives';
import type { StudyMark } from './curves';

export function ReportText({ study, onClose }: { study: StudyMark; onClose: () => void }) {
  const { data, problem } = useLoaded<Report>(
    (signal) => get(api.report(study.study_uid), signal),
    study.study_uid,
  );
  return (
    <Dialog title={`Report of ${study.exam}, ${day(study.date)}`} onClose={onClose} wide>
      {problem && <Notice tone="error">{problem}</Notice>}
      {!data && !problem && <Skeleton lines={6} />}
      {data && (
        <div class="report-text">
          {data.sections
            .filter((section) => section.sentences.length > 0)
            .map((section) => (
              <section key={section.name}>
                <h3>{section.name}</h3>
                <p>{section.sentences.map((sentence) => sentence.text).join(' ')}</p>
              </section>
            ))}
          <p class="muted">
            Signed by {data.signed_by}, {moment(data.signed_at)}
          </p>
          <div class="decisions end">
            {data.objects
              .filter((object) => object.kind === 'PDF')
              .map((object) => (
                <a
                  key={object.url}
                  class="button"
                  href={`${object.url}/rendered`}
                  target="_blank"
                  rel="noreferrer"
                >
                  As PDF
                </a>
              ))}
            <a class="button primary" href={pathTo.study(study.study_uid)}>
              Open its images
            </a>
          </div>
        </div>
      )}
    </Dialog>
  );
}
