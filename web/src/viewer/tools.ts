/** The mouse and touch tools, loaded after the first image. */
import { Enums, eventTarget, getRenderingEngine, triggerEvent, utilities } from '@cornerstonejs/core';
import * as tools from '@cornerstonejs/tools';
import type { Step } from './controller';
import { KnownLengthTool, setKnown, wordsOfKnown } from './known-length';
import { probeWords } from './probe';
import { LivewireTool, regionWords, SplineTool } from './regions';
import type { SegmentToolName, ToolName } from './tool-list';
import type { PaneKind } from './view';

const { MouseBindings } = tools.Enums;
const { DefaultHistoryMemo: history } = utilities.HistoryMemo;

/** What the page does for the tools. */
interface Page {
  /** Ask the person for the words of an arrow or a text. */
  askForText: (before: string) => Promise<string | null>;
  /** Returns how the step is forgotten. */
  step: (step: Step) => () => void;
  changed: () => void;
  /** A line is drawn whose length in mm the person is to give. */
  knownLength: (annotation: tools.Types.Annotation) => Promise<number | null>;
}
let page: Page | null = null;
const askForText = async (before: string): Promise<string | null> => page?.askForText(before) ?? null;

const withText = {
  getTextCallback: (done: (text: string) => void) => void askForText('').then((text) => done(text ?? '')),
  changeTextCallback: (
    data: { data?: { label?: string; text?: string } },
    _event: unknown,
    done: (text: string) => void,
  ) => void askForText(data.data?.label ?? data.data?.text ?? '').then((text) => text !== null && done(text)),
};

type Row = { toolName: string; configuration?: Record<string, unknown> };

const plain = (tool: { toolName: string }, configuration?: Record<string, unknown>): Row => ({
  toolName: tool.toolName,
  ...(configuration && { configuration }),
});

const roi = { calculateStats: true, getTextLines: regionWords };
/** Our names, and the library's behind them. The crosshair and the tools that segment, a lesion among it, are our own. */
const ROWS: Record<Exclude<ToolName, 'crosshair' | 'lesion' | SegmentToolName>, Row> = {
  window: plain(tools.WindowLevelTool),
  'window-region': plain(tools.WindowLevelRegionTool),
  zoom: plain(tools.ZoomTool),
  pan: plain(tools.PanTool),
  rotate: plain(tools.PlanarRotateTool),
  magnify: plain(tools.MagnifyTool),
  length: plain(tools.LengthTool),
  calibrate: plain(KnownLengthTool, { getTextLines: wordsOfKnown }),
  bidirectional: plain(tools.BidirectionalTool),
  angle: plain(tools.AngleTool),
  cobb: plain(tools.CobbAngleTool),
  ellipse: plain(tools.EllipticalROITool, roi),
  circle: plain(tools.CircleROITool, roi),
  rectangle: plain(tools.RectangleROITool, roi),
  freehand: plain(tools.PlanarFreehandROITool, roi),
  spline: plain(SplineTool, roi),
  livewire: plain(LivewireTool, roi),
  probe: plain(tools.ProbeTool, { getTextLines: probeWords }),
  arrow: plain(tools.ArrowAnnotateTool, withText),
  text: plain(tools.LabelTool, withText),
};

const CLASSES = [
  tools.WindowLevelTool,
  tools.WindowLevelRegionTool,
  tools.ZoomTool,
  tools.PanTool,
  tools.PlanarRotateTool,
  tools.MagnifyTool,
  tools.LengthTool,
  KnownLengthTool,
  tools.BidirectionalTool,
  tools.AngleTool,
  tools.CobbAngleTool,
  tools.EllipticalROITool,
  tools.CircleROITool,
  tools.RectangleROITool,
  tools.PlanarFreehandROITool,
  SplineTool,
  LivewireTool,
  tools.ProbeTool,
  tools.ArrowAnnotateTool,
  tools.LabelTool,
  tools.TrackballRotateTool,
];

const FLAT = 'sightline';
const SOLID = 'sightline-volume';
const FIXED_BUTTONS: Partial<Record<ToolName, tools.Types.IToolBinding[]>> = {
  pan: [{ mouseButton: MouseBindings.Auxiliary }],
  zoom: [{ mouseButton: MouseBindings.Secondary }, { numTouchPoints: 2 }], // pinching also pans
};

let chosen: ToolName = 'window';
let started = false;

/** Give a pane its tools: left button as chosen, middle pans, right zooms. */
export function equip(viewportId: string, kind: PaneKind, engineId: string): void {
  if (!started) start();
  // The library hears only of elements enabled after its start: announce those that were there before.
  announce(viewportId, engineId);
  const group = tools.ToolGroupManager.getToolGroup(kind === 'volume' ? SOLID : FLAT);
  group?.addViewport(viewportId, engineId);
  chooseTool(chosen);
}

/** Forget a pane that is about to be made anew. */
export function release(viewportId: string, engineId: string): void {
  for (const name of [FLAT, SOLID])
    tools.ToolGroupManager.getToolGroup(name)?.removeViewports(engineId, viewportId);
}

/** Remove the panes that are gone. */
export function unequip(engineId: string): void {
  for (const name of [FLAT, SOLID]) tools.ToolGroupManager.getToolGroup(name)?.removeViewports(engineId);
}

function start(): void {
  started = true;
  tools.init();
  for (const tool of CLASSES) tools.addTool(tool);
  const flat = tools.ToolGroupManager.createToolGroup(FLAT);
  for (const { toolName, configuration } of Object.values(ROWS)) flat?.addTool(toolName, configuration);
  const solid = tools.ToolGroupManager.createToolGroup(SOLID);
  for (const tool of [tools.TrackballRotateTool, tools.ZoomTool, tools.PanTool])
    solid?.addTool(tool.toolName);
  solid?.setToolActive(tools.TrackballRotateTool.toolName, {
    bindings: [{ mouseButton: MouseBindings.Primary }, { numTouchPoints: 1 }],
  });
  solid?.setToolActive(tools.PanTool.toolName, { bindings: [{ mouseButton: MouseBindings.Auxiliary }] });
  solid?.setToolActive(tools.ZoomTool.toolName, {
    bindings: [{ mouseButton: MouseBindings.Secondary }, { numTouchPoints: 2 }],
  });
  const { style } = tools.annotation.config;
  style.setDefaultToolStyles({
    global: {
      ...style.getDefaultToolStyles().global, // among it that values are shown at all
      color: '#ffe08a',
      colorHighlighted: '#ffffff',
      colorSelected: '#ffe08a',
      lineWidth: '1.5',
      textBoxFontSize: '12px',
      textBoxColor: '#ffe08a',
      textBoxColorHighlighted: '#ffffff',
      textBoxColorSelected: '#ffe08a',
    },
  });
}

function announce(viewportId: string, renderingEngineId: string): void {
  const element = getRenderingEngine(renderingEngineId)?.getViewport(viewportId)?.element;
  // Announced twice, an element would be held for good.
  if (!element || tools.store.state.enabledElements.includes(element)) return;
  triggerEvent(eventTarget, Enums.Events.ELEMENT_ENABLED, { element, viewportId, renderingEngineId });
}

/** Put a tool on the left button; the other buttons keep theirs. */
export function chooseTool(name: ToolName): void {
  chosen = name;
  const group = tools.ToolGroupManager.getToolGroup(FLAT);
  if (!group) return;
  for (const [each, { toolName }] of Object.entries(ROWS) as [ToolName, Row][]) {
    // First: the library would keep the button of the tool before.
    group.setToolPassive(toolName);
    const bindings = [...(FIXED_BUTTONS[each] ?? [])];
    if (each === name) bindings.push({ mouseButton: MouseBindings.Primary });
    if (bindings.length) group.setToolActive(toolName, { bindings });
  }
}

/** Delete the measurements that are selected, else the one drawn last; can be taken back. */
export function removeMeasurement(): void {
  const { selection, state } = tools.annotation;
  const chosen = selection.getAnnotationsSelected();
  const uids = chosen.length ? chosen : [state.getAllAnnotations().at(-1)?.annotationUID ?? ''];
  for (const uid of uids) {
    const found = uid && state.getAnnotation(uid);
    const element = anyPane();
    if (!found || !element) continue;
    tools.AnnotationTool.createAnnotationMemo(element, found, { deleting: true });
    state.removeAnnotation(uid);
  }
}

/** A pane that belongs to the group; the library asks for one, whichever. */
function anyPane(): HTMLDivElement | null {
  const [first] = tools.ToolGroupManager.getToolGroup(FLAT)?.getViewportsInfo() ?? [];
  return first
    ? (getRenderingEngine(first.renderingEngineId)?.getViewport(first.viewportId)?.element ?? null)
    : null;
}

/** Delete every measurement drawn by hand. */
export function clearMeasurements(): void {
  const all = [...tools.annotation.state.getAllAnnotations()];
  for (const { annotationUID } of all)
    if (annotationUID) tools.annotation.state.removeAnnotation(annotationUID);
}

/** Remove what is drawn on images; nobody is told, and it is no step. */
export function removeFrom(imageIds: ReadonlySet<string>): void {
  const { state } = tools.annotation;
  const there = state.getAllAnnotations().filter((a) => imageIds.has(a.metadata?.referencedImageId ?? ''));
  for (const { annotationUID } of there) if (annotationUID) state.removeAnnotation(annotationUID);
}

/** Tell the page of each step that can be taken back, and of every change of a measurement. */
export function follow(told: Page | null): void {
  page = told;
  if (following) return;
  following = true;
  const push = history.push.bind(history);
  const begin = history.startGroupRecording.bind(history);
  let grouped = false;
  const step = () => {
    const drawing = { label: 'Drawing', undo: () => history.undo(), redo: () => history.redo() };
    forgetStep = page?.step(drawing) ?? (() => {});
  };
  history.startGroupRecording = () => {
    grouped = true;
    begin();
    step();
  };
  const end = history.endGroupRecording.bind(history);
  history.endGroupRecording = () => {
    grouped = false;
    end();
  };
  history.push = (item) => {
    const memo = push(item);
    if (memo && !grouped) step();
    return memo;
  };
  const { ANNOTATION_COMPLETED, ANNOTATION_MODIFIED, ANNOTATION_REMOVED } = tools.Enums.Events;
  for (const name of [ANNOTATION_COMPLETED, ANNOTATION_MODIFIED, ANNOTATION_REMOVED])
    eventTarget.addEventListener(name, () => page?.changed());
  eventTarget.addEventListener(ANNOTATION_COMPLETED, (event: unknown) => {
    const { annotation } = (event as CustomEvent<{ annotation: tools.Types.Annotation }>).detail;
    if (annotation.metadata?.toolName === KnownLengthTool.toolName) void takeKnown(annotation);
  });
}

async function takeKnown(annotation: tools.Types.Annotation): Promise<void> {
  const mm = (await page?.knownLength(annotation)) ?? null;
  if (mm) setKnown(annotation, mm);
  else {
    history.undo(); // it was drawn, and must not come back with redo
    forgetStep();
    if (annotation.annotationUID) tools.annotation.state.removeAnnotation(annotation.annotationUID);
  }
  page?.changed();
}

let following = false;
let forgetStep = (): void => {};
