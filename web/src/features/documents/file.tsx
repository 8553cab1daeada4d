/** A file inside of an object: a PDF by the browser's own reader, anything else to be downloaded. */
import { headersOf } from '../../api';
import { useLoaded } from '../../ui/load';
import { Notice } from '../../ui/primitives';
import { Whole } from '../../ui/states';
import type { ViewProps } from '.';
import { addresses } from './addresses';
import { number, sopUid, text } from './attributes';

const NAMES: Record<string, string> = {
  'application/pdf': 'PDF',
  'text/xml': 'clinical document (CDA)',
  'model/stl': '3D model (STL)',
  'application/sla': '3D model (STL)',
  'model/obj': '3D model (OBJ)',
  'model/mtl': 'material of a 3D model (MTL)',
};

export function FileView({ studyUid, seriesUid, instance }: ViewProps) {
  const address = addresses.document({ studyUid, seriesUid, sopUid: sopUid(instance) });
  const loaded = useLoaded((signal) => headersOf(address, signal), address);
  const title = text(instance, '00420010') || 'Document';
  const kind = NAMES[text(instance, '00420012').toLowerCase()] ?? 'file of a kind that is not known here';
  const size = sizeText(number(instance, '00420015'));
  return (
    <div class="document-whole">
      <header class="document-head">
        <h2>{title}</h2>
        <span class="muted">{[kind, size].filter(Boolean).join(' · ')}</span>
        <span class="spacer" />
        <a class="button" href={`${address}?download=true`} download>
          Download
        </a>
      </header>
      <Whole loaded={loaded} what="the document">
        {(headers) => <Content headers={headers} address={address} title={title} kind={kind} />}
      </Whole>
    </div>
  );
}

function Content(props: { headers: Headers; address: string; title: string; kind: string }) {
  const shown = props.headers.get('Content-Disposition')?.startsWith('inline');
  if (!shown) {
    const damaged = props.kind === NAMES['application/pdf'];
    return (
      <div class="document-body">
        <Notice tone="warning" title={`A ${props.kind} is not shown here.`}>
          {damaged ? 'It says that it is a PDF but does not begin like one. ' : ''}
          Download it and open it with a program that you trust.
        </Notice>
      </div>
    );
  }
  if (!navigator.pdfViewerEnabled)
    return (
      <div class="document-body">
        <Notice tone="warning" title="This browser has no reader for PDF, or it is switched off.">
          Download the document to read it.
        </Notice>
      </div>
    );
  return <iframe class="document-frame" src={props.address} title={props.title} />;
}

const sizeText = (bytes: number | null): string => {
  if (bytes === null) return '';
  return bytes < 1 << 20
    ? `${Math.max(1, Math.round(bytes / 1024))} KiB`
    : `${(bytes / (1 << 20)).toFixed(1)} MiB`;
};
