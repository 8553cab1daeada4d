/** Shows one series in a document pane, by itself: `#study/series`. For tests in a browser only. */
import '../../src/ui/tokens.css';

import { render } from 'preact';
import { dicomweb, get } from '../../src/api';
import { DocumentPane, kindOf } from '../../src/features/documents';
import { text } from '../../src/features/documents/attributes';
import { startKeys } from '../../src/ui/keys';
import type { DicomJson } from '../../src/viewer/series';
import '../../src/ui/base.css';

const [study = '', series = ''] = location.hash.slice(1).split('/');
const root = document.getElementById('app');

startKeys(() => false);
const instances = await get<DicomJson[]>(dicomweb.metadata(study, series));
const kind = kindOf(text(instances[0], '00080016'), text(instances[0], '00083002'));
const say = (words: string) => {
  document.title = words;
};
if (!kind) say('not a document');
else if (root)
  render(
    <DocumentPane
      kind={kind}
      studyUid={study}
      seriesUid={series}
      instances={instances}
      onImage={({ sopUid, frame }) => say(`image ${sopUid} frame ${frame}`)}
    />,
    root,
  );
