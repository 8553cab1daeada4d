/** The mouse tools, loaded after the first image. */
import { Enums, eventTarget, getRenderingEngine, triggerEvent } from '@cornerstonejs/core';
import * as tools from '@cornerstonejs/tools';

import type { ToolName } from './tool-list';

const { MouseBindings } = tools.Enums;
const GROUP = 'sightline';
const CLASSES = {
  window: tools.WindowLevelTool,
  zoom: tools.ZoomTool,
  pan: tools.PanTool,
  length: tools.LengthTool,
  bidirectional: tools.BidirectionalTool,
  angle: tools.AngleTool,
  cobb: tools.CobbAngleTool,
  ellipse: tools.EllipticalROITool,
  rectangle: tools.RectangleROITool,
  freehand: tools.PlanarFreehandROITool,
  magnify: tools.MagnifyTool,
} as const satisfies Record<ToolName, unknown>;

const FIXED_BUTTONS: Partial<Record<ToolName, tools.Types.IToolBinding[]>> = {
  pan: [{ mouseButton: MouseBindings.Auxiliary }],
  zoom: [{ mouseButton: MouseBindings.Secondary }, { numTouchPoints: 2 }], // pinching also pans
};

/** Give the panes their tools; left button windows, middle pans, right zooms. */
export function equip(viewportIds: readonly string[], engineId: string): void {
  let group = tools.ToolGroupManager.getToolGroup(GROUP);
  const first = !group;
  if (!group) {
    tools.init();
    for (const tool of Object.values(CLASSES)) tools.addTool(tool);
    group = tools.ToolGroupManager.createToolGroup(GROUP);
    for (const tool of Object.values(CLASSES)) group?.addTool(tool.toolName);
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
  // The library hears only of elements enabled after its start: announce those that were there before.
  if (first) for (const id of viewportIds) announce(id, engineId);
  for (const id of viewportIds) group?.addViewport(id, engineId);
  chooseTool('window');
}

function announce(viewportId: string, renderingEngineId: string): void {
  const element = getRenderingEngine(renderingEngineId)?.getViewport(viewportId)?.element;
  if (element)
    triggerEvent(eventTarget, Enums.Events.ELEMENT_ENABLED, { element, viewportId, renderingEngineId });
}

/** Put a tool on the left button; the other buttons keep theirs. */
export function chooseTool(name: ToolName): void {
  const group = tools.ToolGroupManager.getToolGroup(GROUP);
  if (!group) return;
  for (const each of Object.keys(CLASSES) as ToolName[]) {
    const bindings = [...(FIXED_BUTTONS[each] ?? [])];
    if (each === name) bindings.push({ mouseButton: MouseBindings.Primary });
    const toolName = CLASSES[each].toolName;
    if (bindings.length) group.setToolActive(toolName, { bindings });
    else group.setToolPassive(toolName);
  }
}

/** Remove the panes that are gone. */
export function unequip(engineId: string): void {
  tools.ToolGroupManager.getToolGroup(GROUP)?.removeViewports(engineId);
}

/** Delete every measurement drawn by hand. */
export function clearMeasurements(): void {
  tools.annotation.state.removeAllAnnotations();
}
