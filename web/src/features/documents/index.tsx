/**
 * The pane of what is read or played and not scrolled: reports, documents, waveforms, films, slides.
 *
 * Invariants: nothing here loads the image viewer's library; each kind is fetched when it is first shown; what an
 * object says is always put in as text, never as markup.
 */
import type { ComponentType, JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { Skeleton } from '../../ui/primitives';
import { Nothing, Trouble } from '../../ui/states';
import type { DicomJson } from '../../viewer/series';
import { number, sopUid, text } from './attributes';
import { type DocumentKind, KIND_NAMES } from './kinds';
import './documents.css';

export { type DocumentKind, kindOf } from './kinds';

export interface ImageReference {
  sopUid: string;
  frame: number;
}

export interface DocumentPaneProps {
  kind: DocumentKind;
  studyUid: string;
  seriesUid: string;
  /** DICOM JSON of the series, as its metadata give it. */
  instances: DicomJson[];
  /** Show an image that a report speaks of; without it references are text. */
  onImage?: (reference: ImageReference) => void;
}

/** What each kind is given: all instances of its kind in order, and which one is chosen. */
export interface ViewProps extends Omit<DocumentPaneProps, 'kind'> {
  instance: DicomJson;
}

const VIEWS: Record<DocumentKind, () => Promise<ComponentType<ViewProps>>> = {
  report: () => import('./report').then((m) => m.ReportView),
  pdf: () => import('./file').then((m) => m.FileView),
  file: () => import('./file').then((m) => m.FileView),
  ecg: () => import('./ecg').then((m) => m.EcgView),
  video: () => import('./video').then((m) => m.VideoView),
  slide: () => import('./slide').then((m) => m.SlideView),
};

export function DocumentPane(props: DocumentPaneProps): JSX.Element {
  const { kind, instances } = props;
  const [chosen, choose] = useState('');
  const ordered = [...instances].sort((a, b) => (number(a, '00200013') ?? 0) - (number(b, '00200013') ?? 0));
  const instance = ordered.find((one) => sopUid(one) === chosen) ?? ordered[0];
  if (!instance) return <Nothing title="This series holds no objects." />;
  return (
    <section class={`document-pane ${kind}`} aria-label={KIND_NAMES[kind]}>
      {ordered.length > 1 && kind !== 'slide' && (
        <label class="document-choice">
          <span class="muted">{KIND_NAMES[kind]}</span>
          <select
            class="field"
            value={sopUid(instance)}
            onChange={(event) => choose(event.currentTarget.value)}
          >
            {ordered.map((one, at) => (
              <option key={sopUid(one)} value={sopUid(one)}>
                {`${at + 1} of ${ordered.length}${nameOf(one) && ` · ${nameOf(one)}`}`}
              </option>
            ))}
          </select>
        </label>
      )}
      <View key={`${kind} ${sopUid(instance)}`} {...props} instances={ordered} instance={instance} />
    </section>
  );
}

const nameOf = (instance: DicomJson): string =>
  text(instance, '00420010') || text(instance, '00081030').slice(0, 60);

/** One kind's view, fetched when it is first wanted. */
function View({ kind, ...props }: DocumentPaneProps & ViewProps) {
  const [attempt, again] = useState(0);
  const [Loaded, show] = useState<ComponentType<ViewProps> | null>(null);
  const [problem, refuse] = useState<string | null>(null);
  useEffect(() => {
    let wanted = true;
    refuse(null);
    VIEWS[kind]().then(
      (view) => wanted && show(() => view),
      () => wanted && refuse('A part of the page could not be fetched. Load the page again if it stays.'),
    );
    return () => {
      wanted = false;
    };
  }, [kind, attempt]);
  if (problem)
    return (
      <Trouble
        what={`the ${KIND_NAMES[kind].toLowerCase()}`}
        state="failed"
        problem={problem}
        retry={() => again(attempt + 1)}
      />
    );
  if (!Loaded) return <Waiting what={KIND_NAMES[kind].toLowerCase()} />;
  return <Loaded {...props} />;
}

export function Waiting({ what }: { what: string }) {
  return (
    <div class="document-body" aria-busy="true">
      <span class="sr-only" role="status">
        Loading {what}
      </span>
      <Skeleton lines={6} />
    </div>
  );
}
