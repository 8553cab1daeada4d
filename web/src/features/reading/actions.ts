/** What can be done on the reading page, and by which key. */
import { navigate, pathTo } from '../../app/router';
import type { Action } from '../../ui/keys';
import { tell, tellError } from '../../ui/toasts';
import type { Segment } from '../../viewer/labels/segments';
import { CT_PRESETS } from '../../viewer/presets';
import { TOOLS } from '../../viewer/tool-list';
import { focusReport } from '../reporting/panel';
import { decideSelected } from './findings';
import { beginPointing } from './keyboard-pointer';
import { PANE_KINDS } from './names';
import { editable } from './segmentation-panel';
import type { ReadingStore } from './store';

/** All actions of one study, in the order in which they are listed. */
export function readingActions(store: ReadingStore): Action[] {
  const { panes } = store;
  const images = (id: string, label: string, keys: string[], run: () => void): Action => ({
    id,
    label,
    keys,
    group: 'Images',
    run,
  });
  return [
    images('up', 'Previous image', ['ArrowUp'], () => panes.scroll(-1)),
    images('down', 'Next image', ['ArrowDown'], () => panes.scroll(1)),
    images('page-up', 'Ten images back', ['PageUp'], () => panes.scroll(-10)),
    images('page-down', 'Ten images on', ['PageDown'], () => panes.scroll(10)),
    images('first', 'First image', ['Home'], () => panes.goTo(0)),
    images('last', 'Last image', ['End'], () => panes.goTo(Number.MAX_SAFE_INTEGER)),
    images('series-left', 'Previous series', ['ArrowLeft'], () => store.stepSeries(-1)),
    images('series-right', 'Next series', ['ArrowRight'], () => store.stepSeries(1)),
    images('phase-left', 'Previous point in time', ['{'], () => panes.stepPhase(-1)),
    images('phase-right', 'Next point in time', ['}'], () => panes.stepPhase(1)),
    images('cine', 'Play or stop', ['c'], () => panes.play()),
    images('faster', 'Play faster', ['>'], () => panes.changeRate(1.25)),
    images('slower', 'Play slower', ['<'], () => panes.changeRate(0.8)),
    images('loop-from', 'Play from this image on', ['Ctrl-,'], () => panes.trim('first')),
    images('loop-to', 'Play up to this image', ['Ctrl-.'], () => panes.trim('last')),
    images('loop-whole', 'Play all images', ['Ctrl-/'], () => panes.trim(null)),
    images('blink', 'Blink prior and current', ['Space'], () => {
      panes.blink.value = !panes.blink.value;
    }),
    images('zoom-in', 'Larger', ['+', '='], () => panes.zoomBy(1.25)),
    images('zoom-out', 'Smaller', ['-'], () => panes.zoomBy(0.8)),
    images('fit', 'Fit to pane', ['0'], () => panes.fit()),
    images('actual', 'One image pixel on one screen pixel', [')'], () => panes.actualPixels()),
    images('invert', 'Invert', ['I'], () => panes.invert()),
    images('rotate-right', 'Rotate right', ['.'], () => panes.rotate(90)),
    images('rotate-left', 'Rotate left', [','], () => panes.rotate(-90)),
    images('flip-across', 'Flip left and right', ['X'], () => panes.flip('flipHorizontal')),
    images('flip-over', 'Flip top and bottom', ['Z'], () => panes.flip('flipVertical')),
    images('colours', 'Next colour map', ['Q'], () => panes.stepColourMap()),
    images('reset', 'Show the image as it was opened', ['R'], () => panes.reset()),
    ...layoutActions(store),
    ...TOOLS.map(
      ({ name, key, words }): Action => ({
        id: `tool-${name}`,
        label: words,
        keys: key ? [key] : [],
        group: 'Tools',
        run: () => panes.chooseTool(name),
      }),
    ),
    {
      id: 'point',
      label: 'Use the tool from the keyboard',
      keys: ['Enter'],
      group: 'Tools',
      run: () => {
        if (!beginPointing(panes)) tell('Choose a tool that draws first, such as L for a length.');
      },
    },
    {
      id: 'remove',
      label: 'Remove the selected measurement, else the last',
      keys: ['Delete', 'Backspace'],
      group: 'Tools',
      run: () => panes.removeMeasurement(),
    },
    {
      id: 'clear',
      label: 'Remove drawn measurements',
      keys: [],
      group: 'Tools',
      run: () => panes.clearMeasurements(),
    },
    ...[...CT_PRESETS.map((p) => p.name), 'As opened'].map(
      (name, k): Action => ({
        id: `window-${k}`,
        label: `Window: ${name}`,
        keys: [String(k + 1)],
        group: 'Windows',
        run: () => panes.setPreset(k),
      }),
    ),
    ...segmentActions(store),
    ...findingActions(store),
    ...reportActions(store),
    ...studyActions(store),
  ];
}

function layoutActions(store: ReadingStore): Action[] {
  const { panes } = store;
  const layout = (id: string, label: string, keys: string[], run: () => void): Action => ({
    id,
    label,
    keys,
    group: 'Layout',
    run,
  });
  const grids: readonly (readonly [number, number])[] = [
    [1, 1],
    [1, 2],
    [2, 2],
    [2, 3],
    [3, 3],
    [4, 4],
  ];
  return [
    ...grids.map(([rows, columns], k) =>
      layout(`grid-${rows}-${columns}`, `${rows} × ${columns} panes`, [`Alt-${k + 1}`], () =>
        store.arrange(rows, columns),
      ),
    ),
    layout('next-stage', 'Next stage of the protocol', ['Ctrl-ArrowDown'], () => store.hanging.step(1)),
    layout('previous-stage', 'Previous stage', ['Ctrl-ArrowUp'], () => store.hanging.step(-1)),
    layout('save', 'Save what was drawn, measured and marked', ['Ctrl-s'], () => void store.save()),
    layout('key-image', 'Key image, or no longer', ['k'], () =>
      store.annotations.toggleKeyImage(panes.shown),
    ),
    layout('presentation', 'Keep how this image is shown', [], () => void store.keepPresentation()),
    ...([true, false] as const).flatMap((withPatient) => {
      const words = withPatient ? 'with' : 'without';
      return [
        layout(
          `picture-${words}`,
          `Picture of this pane, ${words} patient data`,
          [],
          () => void panes.picture('file', withPatient).catch(tellError),
        ),
        layout(
          `print-${words}`,
          `Print the panes, ${words} patient data`,
          [],
          () => void panes.picture('print', withPatient).catch(tellError),
        ),
      ];
    }),
    layout('keep', 'Keep these panes as my protocol', [], () => void store.keepProtocol()),
    layout('next-pane', 'Next pane', ['Ctrl-ArrowRight'], () => panes.step(1)),
    layout('previous-pane', 'Previous pane', ['Ctrl-ArrowLeft'], () => panes.step(-1)),
    layout('maximise', 'This pane alone, or all again', ['Alt-Enter'], () =>
      panes.maximise(panes.focused.value),
    ),
    layout('planes', 'Three planes and the volume', ['M'], () => void store.showPlanes()),
    ...PANE_KINDS.map(({ kind, words }) =>
      layout(`kind-${kind}`, `Show as: ${words}`, [], () => void panes.show(panes.focused.value, { kind })),
    ),
    layout('slab', 'Thicker slab, then thin again', ['T'], () => panes.stepSlab()),
    layout('tilt-up', 'Tilt the plane up', ['Alt-ArrowUp'], () => panes.turn(-5, 'horizontal')),
    layout('tilt-down', 'Tilt the plane down', ['Alt-ArrowDown'], () => panes.turn(5, 'horizontal')),
    layout('turn-left', 'Turn the plane or volume left', ['Alt-ArrowLeft'], () => panes.turn(-5, 'vertical')),
    layout('turn-right', 'Turn the plane or volume right', ['Alt-ArrowRight'], () =>
      panes.turn(5, 'vertical'),
    ),
    layout('overlays', 'Segmentations and structures over the image', ['V'], () => store.toggleOverlays()),
    layout('linked', 'Link or unlink the panes', ['U'], () => panes.toggleLinked()),
    layout('lines', 'Show or hide reference lines', ['P'], () => panes.toggleLines()),
  ];
}

function segmentActions(store: ReadingStore): Action[] {
  const { segmentation, strokes } = store;
  const segment = (id: string, label: string, keys: string[], run: () => void, always = false): Action => ({
    id: `segment-${id}`,
    label,
    keys,
    group: 'Segments',
    run,
    ...(!always && { when: () => segmentation.opened.value !== null }),
  });
  const change = (change: (s: Segment) => Partial<Segment>) => () => {
    const active = segmentation.activeSegment.value;
    if (active) segmentation.change(active.id, change(active));
  };
  return [
    segment('larger', 'Larger brush', ['Ctrl-]'], () => strokes.resize(1.25), true),
    segment('smaller', 'Smaller brush', ['Ctrl-['], () => strokes.resize(0.8), true),
    {
      id: 'segment-leave',
      label: 'Leave the outline that is being drawn',
      keys: ['Escape'],
      group: 'Segments',
      when: () => strokes.drawing.value !== null,
      run: () => strokes.cancel(),
    },
    segment('edit', 'Edit the segmentation over this image', [], () => editFirst(store), true),
    segment('add', 'Add a segment', [], () => segmentation.add()),
    segment('next', 'Next segment', ['S'], () => segmentation.step(1)),
    segment(
      'show',
      'Show or hide the segment',
      [],
      change((s) => ({ visible: !s.visible })),
    ),
    segment(
      'lock',
      'Lock or unlock the segment',
      [],
      change((s) => ({ locked: !s.locked })),
    ),
    segment('remove', 'Remove the segment', [], () => segmentation.remove(segmentation.active.value)),
    segment('cut', 'Scissors cut, or fill again', [], () => {
      strokes.cutting.value = !strokes.cutting.value;
    }),
    segment(
      'interpolate',
      'Interpolate between the slices of the segment',
      [],
      () => void strokes.interpolate(),
    ),
    segment('threshold', 'Segment all values in the range', [], () => void strokes.threshold()),
    segment('grow', 'Margin of 1 mm around the segment', [], () => void strokes.margin(1)),
    segment('shrink', 'Shrink the segment by 1 mm', [], () => void strokes.margin(-1)),
    segment('save', 'Save the segmentation', ['Ctrl-Shift-s'], () => void segmentation.save()),
    segment('close', 'Close the segmentation', [], () => void segmentation.put()),
  ];
}

function editFirst(store: ReadingStore): void {
  const { series } = store.panes.shown;
  const [first] = editable(store);
  if (first && series) void store.segmentation.edit(first, series);
  else tell('No segmentation lies over this image.');
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
  const decidable = () => store.findings.chosen?.current != null && !store.locked.value;
  return [
    finding('next-finding', 'Next finding', [']'], () => store.findings.step(1)),
    finding('previous-finding', 'Previous finding', ['['], () => store.findings.step(-1)),
    finding('accept', 'Accept the finding', ['a'], () => decideSelected(store, 'accept'), decidable),
    finding(
      'edit',
      'Edit the finding',
      ['e'],
      () => {
        store.panel.value = true;
        store.findings.editing.value = store.findings.selected.value;
      },
      decidable,
    ),
    finding('reject', 'Reject the finding', ['r'], () => decideSelected(store, 'reject'), decidable),
    finding(
      'verdict',
      'Show how the alignment was tested',
      ['v'],
      () => document.getElementById('verdict-tests')?.togglePopover(),
      () => store.beside.alignment.value !== null,
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
      id: 'priors',
      label: 'Priors, here and in other archives',
      keys: ['Alt-p'],
      group: 'Study',
      run: () => document.getElementById('priors-list')?.togglePopover(),
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
