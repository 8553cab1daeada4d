/** One outline set, 16 px. Decorative: the control around an icon carries its name. */
const PATHS = {
  check: 'M3 8.5l3.2 3.2L13 5',
  cross: 'M4 4l8 8M12 4l-8 8',
  pencil: 'M3 13l.6-2.8L10.8 3 13 5.2 5.8 12.4 3 13z',
  up: 'M8 13V3.5M4 7l4-4 4 4',
  down: 'M8 3v9.5M4 9l4 4 4-4',
  equal: 'M4 6.5h8M4 9.5h8',
  plus: 'M8 3v10M3 8h10',
  minus: 'M3.5 8h9',
  question: 'M6 6a2 2 0 1 1 2.6 1.9c-.5.2-.6.6-.6 1.4M8 12v.2',
  search: 'M7 11.5a4.5 4.5 0 1 0 0-9 4.5 4.5 0 0 0 0 9zM10.4 10.4L14 14',
  window: 'M8 2a6 6 0 1 0 0 12A6 6 0 0 0 8 2zM8 2v12',
  zoom: 'M7 11.5a4.5 4.5 0 1 0 0-9 4.5 4.5 0 0 0 0 9zM10.4 10.4L14 14M7 5v4M5 7h4',
  pan: 'M8 2v12M2 8h12M6 4l2-2 2 2M6 12l2 2 2-2M4 6L2 8l2 2M12 6l2 2-2 2',
  ruler: 'M2 11L11 2l3 3-9 9-3-3zM5 8l1.5 1.5M7.5 5.5L9 7',
  bidirectional: 'M3 13L13 3M5 5l6 6',
  angle: 'M12 3L3 13h11M7 13a4.500 4.500 0 0 0-1.500-3',
  ellipse: 'M8 4c3.500 0 6 1.700 6 4s-2.500 4-6 4-6-1.700-6-4 2.500-4 6-4z',
  lesion:
    'M8 3.500c3 0 4.500 1.800 4.500 4.200S11 12.500 8 12.500 3.500 10.500 3.500 8 5 3.500 8 3.500zM8 6.500v3M6.500 8h3',
  fit: 'M2 6V2h4M14 6V2h-4M2 10v4h4M14 10v4h-4',
  crosshair: 'M8 1.500v5M8 9.500v5M1.500 8h5M9.500 8h5',
  grid: 'M2 2h12v12H2zM8 2v12M2 8h12',
  play: 'M5 3l8 5-8 5z',
  pause: 'M5 3v10M11 3v10',
  key: 'M8 2l1.800 4 4.200.4-3.200 2.800 1 4.300L8 11.200l-3.800 2.300 1-4.300L2 6.400 6.200 6z',
  save: 'M3 2h8l2 2v10H3zM5 2v4h5V2M5 14v-4h6v4',
  more: 'M3 8h.01M8 8h.01M13 8h.01',
  blink: 'M3 4h7v7H3zM6 11v2h7V6h-3',
  panel: 'M2 3h12v10H2zM10 3v10',
  eye: 'M1.500 8C3 5.300 5.300 4 8 4s5 1.300 6.500 4C13 10.700 10.700 12 8 12s-5-1.300-6.500-4zM8 9.800a1.800 1.800 0 1 0 0-3.600 1.800 1.800 0 0 0 0 3.600z',
  hidden: 'M1.500 8C3 5.300 5.300 4 8 4s5 1.300 6.500 4C13 10.700 10.700 12 8 12s-5-1.300-6.500-4zM3 13L13 3',
  locked: 'M4 7.500h8V14H4zM5.500 7.500V5a2.500 2.500 0 0 1 5 0v2.500',
  open: 'M4 7.500h8V14H4zM5.500 7.500V4.500a2.500 2.500 0 0 1 4.800-1',
  list: 'M3 4h10M3 8h10M3 12h10',
  person: 'M8 8a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5zM3 14c.5-3 2.5-4 5-4s4.500 1 5 4',
  link: 'M6.500 9.500l3-3M7 4.500L8.500 3a3 3 0 0 1 4.500 4.500L11.500 9M9 11.500L7.500 13A3 3 0 0 1 3 8.500L4.500 7',
} as const;

export type IconName = keyof typeof PATHS;

export function Icon({ name }: { name: IconName }) {
  return (
    <svg class="icon" viewBox="0 0 16 16" width="16" height="16" aria-hidden="true" focusable="false">
      <path d={PATHS[name]} />
    </svg>
  );
}
