/** What can be done on the reading page, and by which key. */
import { navigate, pathTo } from '../../app/router';
import type { Action } from '../../ui/keys';
import { CT_PRESETS } from '../../viewer/presets';
import { TOOLS } from '../../viewer/tool-list';
import { focusReport } from '../reporting/panel';
import { decideSelected } from './findings';
import type { ReadingStore } from './store';

/** All actions of one study, in the order in which they are listed. */
export function readingActions(store: ReadingStore): Action[] {
  const images = (id: string, label: string, keys: string[], run: () => void): Action => ({
    id,
    label,
    keys,
    group: 'Images',
    run,
  });
  return [
    images('up', 'Previous image', ['ArrowUp'], () => store.scroll(-1)),
    images('down', 'Next image', ['ArrowDown'], () => store.scroll(1)),
    images('page-up', 'Ten images back', ['PageUp'], () => store.scroll(-10)),
    images('page-down', 'Ten images on', ['PageDown'], () => store.scroll(10)),
    images('first', 'First image', ['Home'], () => store.goTo(0)),
    images('last', 'Last image', ['End'], () => store.goTo(Number.MAX_SAFE_INTEGER)),
    images('series-left', 'Previous series', ['ArrowLeft'], () => store.stepSeries(-1)),
    images('series-right', 'Next series', ['ArrowRight'], () => store.stepSeries(1)),
    images('blink', 'Blink prior and current', ['Space'], () => {
      store.blink.value = !store.blink.value;
    }),
    images('zoom-in', 'Larger', ['+', '='], () => store.zoomBy(1.25)),
    images('zoom-out', 'Smaller', ['-'], () => store.zoomBy(0.8)),
    images('fit', 'Fit to pane', ['0'], () => store.fit()),
    ...TOOLS.map(
      ({ name, key, words }): Action => ({
        id: `tool-${name}`,
        label: words,
        keys: [key],
        group: 'Tools',
        run: () => store.chooseTool(name),
      }),
    ),
    {
      id: 'clear',
      label: 'Remove drawn measurements',
      keys: [],
      group: 'Tools',
      run: () => store.clearMeasurements(),
    },
    ...[...CT_PRESETS.map((p) => p.name), 'As opened'].map(
      (name, k): Action => ({
        id: `window-${k}`,
        label: `Window: ${name}`,
        keys: [String(k + 1)],
        group: 'Windows',
        run: () => store.setPreset(k),
      }),
    ),
    ...findingActions(store),
    ...reportActions(store),
    ...studyActions(store),
  ];
}

function findingActions(store: ReadingStore): Action[] {
  const finding = (
    id: string,
    label: string,
    keys: string[],
    run: () => void,
    when?: () => boolean,
  ): Action => ({
    id,
    label,
    keys,
    group: 'Findings',
    run,
    ...(when && { when }),
  });
  const decidable = () => store.selectedFinding?.current != null && !store.locked.value;
  return [
    finding('next-finding', 'Next finding', [']'], () => store.step(1)),
    finding('previous-finding', 'Previous finding', ['['], () => store.step(-1)),
    finding('accept', 'Accept the finding', ['a'], () => decideSelected(store, 'accept'), decidable),
    finding(
      'edit',
      'Edit the finding',
      ['e'],
      () => {
        store.panel.value = true;
        store.editing.value = store.selected.value;
      },
      decidable,
    ),
    finding('reject', 'Reject the finding', ['r'], () => decideSelected(store, 'reject'), decidable),
    finding(
      'mark',
      'Mark a lesion under the pointer',
      ['m'],
      () => void store.markUnderPointer(),
      () => !store.locked.value,
    ),
    finding(
      'verdict',
      'Show how the alignment was tested',
      ['v'],
      () => document.getElementById('verdict-tests')?.togglePopover(),
      () => store.reading.value?.comparison != null,
    ),
    finding(
      'analyse',
      'Analyse this study again',
      [],
      () => void store.analyse(),
      () => !store.locked.value,
    ),
    finding('panel', 'Show or hide findings and report', ['f'], () => {
      store.panel.value = !store.panel.value;
    }),
  ];
}

function reportActions(store: ReadingStore): Action[] {
  const open = () => store.report.report.value?.state === 'draft';
  return [
    {
      id: 'report',
      label: 'Write in the report',
      keys: ['g'],
      group: 'Report',
      run: () => {
        store.panel.value = true;
        requestAnimationFrame(focusReport);
      },
    },
    {
      id: 'sign',
      label: 'Sign the report',
      keys: ['s'],
      group: 'Report',
      when: open,
      run: () => {
        store.panel.value = true;
        void store.report.prepareSigning();
      },
    },
  ];
}

function studyActions(store: ReadingStore): Action[] {
  const to = (which: 'next' | 'previous') => store.reading.value?.[which]?.study_uid;
  const go = (uid: string | undefined) => uid && navigate(pathTo.study(uid));
  return [
    {
      id: 'next-study',
      label: 'Next study',
      keys: ['n'],
      group: 'Study',
      when: () => !!to('next'),
      run: () => void go(to('next')),
    },
    {
      id: 'previous-study',
      label: 'Previous study',
      keys: ['N'],
      group: 'Study',
      when: () => !!to('previous'),
      run: () => void go(to('previous')),
    },
    {
      id: 'timeline',
      label: 'Open the patient’s timeline',
      keys: ['t'],
      group: 'Study',
      run: () => {
        const id = store.reading.value?.study.patient.id;
        if (id) navigate(pathTo.patient(id));
      },
    },
  ];
}
