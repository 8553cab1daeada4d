/**
 * Planes and volumes drawn by the server, for browsers that cannot: no WebGL at all, or a volume without a graphics
 * processor. The same commands as every other pane; each change asks for one picture, and only the last one is awaited.
 */
import { type SeenPlane, volumeProblem } from './geometry';
import type { Mapping } from './grid';
import { drawMarks, lettersOf, type Mark } from './overlay';
import type { Pane, PaneEvents, ShowOptions } from './pane';
import { type Window, windowOfInstance } from './presets';
import { type SeriesToShow, slicesPerPhase } from './series';
import { add, cross, dot, scale, subtract, unit, type Vec3 } from './vectors';
import {
  EMPTY_VIEW,
  type Letters,
  type PaneKind,
  type PaneView,
  PLAIN,
  type Presentation,
  type Slab,
} from './view';

const AXES: Partial<Record<PaneKind, readonly [Vec3, Vec3]>> = {
  axial: [
    [1, 0, 0],
    [0, 1, 0],
  ],
  oblique: [
    [1, 0, 0],
    [0, 1, 0],
  ],
  sagittal: [
    [0, 1, 0],
    [0, 0, -1],
  ],
  coronal: [
    [1, 0, 0],
    [0, 0, -1],
  ],
};
const DRAG_DEGREES = 0.5;
const MOST_PIXELS = 1024;

abstract class ServerPane implements Pane {
  series: SeriesToShow | null = null;
  space: Mapping | null = null;
  view: PaneView;
  protected presentation: Presentation = PLAIN;
  protected readonly image = new Image();
  protected marks: readonly Mark[] = [];
  readonly #observer: ResizeObserver;
  readonly #abort = new AbortController();
  #shown = '';
  #busy: Promise<void> | null = null;

  constructor(
    readonly id: string,
    readonly element: HTMLDivElement,
    readonly kind: PaneKind,
    protected readonly events: PaneEvents,
  ) {
    this.view = { ...EMPTY_VIEW, kind };
    this.image.className = 'server-picture';
    this.image.alt = '';
    this.image.draggable = false;
    element.append(this.image);
    const { signal } = this.#abort;
    element.addEventListener('pointerdown', (e) => this.#drag(e), { signal });
    this.#observer = new ResizeObserver(() => void this.render());
    this.#observer.observe(element);
  }

  abstract get normal(): Vec3 | null;
  abstract scaleMm: number;
  /** The address of the picture as it should be now; empty while there is nothing to show. */
  protected abstract address(): string;
  protected abstract described(): PaneView;
  protected abstract opened(series: SeriesToShow, options: ShowOptions): void;
  protected abstract dragged(dx: number, dy: number): void;
  abstract turn(degrees: number, about: 'horizontal' | 'vertical'): void;
  abstract scroll(by: number): Promise<void>;
  abstract fit(): void;

  async show(series: SeriesToShow, options: ShowOptions): Promise<void> {
    this.series = series;
    this.presentation = { ...PLAIN, ...options.presentation };
    const problem = volumeProblem(series);
    if (problem) return this.#fail(problem);
    this.opened(series, options);
    this.#publish({ ...EMPTY_VIEW, kind: this.kind, state: 'loading', series });
    await this.render();
  }

  /** Ask for the picture as it should be; several wishes in a row end at the last one. */
  render(): Promise<void> {
    this.#busy ??= this.#draw().finally(() => {
      this.#busy = null;
    });
    return this.#busy;
  }

  republish(): void {
    if (this.view.state === 'shown') this.#publish(this.described());
  }

  present(change: Partial<Presentation>): void {
    this.presentation = { ...this.presentation, ...change };
    void this.render();
  }

  zoomBy(factor: number): void {
    this.scaleMm /= factor;
    void this.render();
    this.events.moved(this);
  }

  setMarks(marks: readonly Mark[]): void {
    this.marks = marks;
    this.republish();
  }

  clear(reason: string): void {
    this.series = null;
    this.#fail(reason);
  }

  dispose(): void {
    this.#abort.abort();
    this.#observer.disconnect();
    this.image.remove();
  }

  async goTo(_index: number): Promise<void> {}
  async reach(_point: Vec3): Promise<void> {}
  async follow(_point: Vec3, _scaleMm: number): Promise<void> {}
  middle(): Vec3 | null {
    return null;
  }
  seen(): SeenPlane | null {
    return null;
  }
  setSlab(_slab: Slab | null): void {}
  setLines(): void {}
  setPlaying(): void {}
  zoomTo(): void {}

  scaleTo(scaleMm: number): void {
    this.scaleMm = scaleMm;
    void this.render();
  }
  pointAt(_x: number, _y: number): Vec3 | null {
    return null;
  }
  canvasOf(_point: Vec3): readonly [number, number] | null {
    return null;
  }

  protected get base(): string {
    const { series } = this;
    return `/api/studies/${series?.studyUid}/series/${series?.uid}`;
  }

  protected get size(): readonly [number, number] {
    const { clientWidth, clientHeight } = this.element;
    const shrink = Math.max(clientWidth, clientHeight, 1) / MOST_PIXELS;
    const factor = Math.max(shrink, 1);
    return [Math.max(16, Math.round(clientWidth / factor)), Math.max(16, Math.round(clientHeight / factor))];
  }

  async #draw(): Promise<void> {
    for (let url = this.address(); url && url !== this.#shown; url = this.address()) {
      try {
        const answer = await fetch(url, { headers: { 'X-Sightline': '1' }, signal: this.#abort.signal });
        if (!answer.ok) return this.#fail(await reasonOf(answer));
        const old = this.image.src;
        this.image.src = URL.createObjectURL(await answer.blob());
        await this.image.decode();
        if (old.startsWith('blob:')) URL.revokeObjectURL(old);
        this.#shown = url;
      } catch {
        if (this.#abort.signal.aborted) return;
        return this.#fail(
          'The server does not answer, and this picture is drawn by it. Scroll to try again.',
        );
      }
    }
    if (this.series && this.#shown) this.#publish(this.described());
  }

  #drag(down: PointerEvent): void {
    this.events.touched(this);
    let from = down;
    const stop = new AbortController();
    const { signal } = stop;
    addEventListener(
      'pointermove',
      (move) => {
        this.dragged(move.clientX - from.clientX, move.clientY - from.clientY);
        from = move;
        void this.render();
      },
      { signal },
    );
    for (const end of ['pointerup', 'pointercancel']) addEventListener(end, () => stop.abort(), { signal });
  }

  #fail(reason: string): void {
    this.#publish({ ...EMPTY_VIEW, kind: this.kind, state: 'failed', reason, series: this.series });
  }

  #publish(view: PaneView): void {
    this.view = view;
    this.events.published(this, view);
  }
}

async function reasonOf(answer: Response): Promise<string> {
  const said = (await answer.json().catch(() => ({}))) as { detail?: string; title?: string };
  return said.detail ?? said.title ?? `The server answered ${answer.status}.`;
}

const list = (v: Vec3): string => v.map((x) => x.toFixed(4)).join(',');

/** A plane through a volume, cut by the server. */
export class ServerPlane extends ServerPane {
  scaleMm = 100;
  #right: Vec3 = [1, 0, 0];
  #down: Vec3 = [0, 1, 0];
  #centre: Vec3 = [0, 0, 0];
  #slab: Slab | null = null;
  #window: Window = { center: 40, width: 400 };

  get normal(): Vec3 | null {
    return this.series ? unit(cross(this.#right, this.#down)) : null;
  }

  protected opened(series: SeriesToShow, options: ShowOptions): void {
    [this.#right, this.#down] = AXES[this.kind] ?? [this.#right, this.#down];
    this.#centre = options.centre ?? middleOf(series);
    this.scaleMm = heightOf(series, this.#down) / 2;
    this.#slab = options.slab ?? null;
    const first = series.slices[0];
    this.#window =
      options.window ??
      (first && windowOfInstance(series.instances[first.instance] ?? {}, first.frame)) ??
      this.#window;
  }

  protected address(): string {
    if (!this.series || !this.element.clientHeight) return '';
    const [columns, rows] = this.size;
    const window = this.presentation.window ?? this.#window;
    const query = new URLSearchParams({
      centre: list(this.#centre),
      right: list(this.#right),
      down: list(this.#down),
      mm_per_pixel: ((2 * this.scaleMm) / rows).toFixed(5),
      columns: String(columns),
      rows: String(rows),
      slab_mm: String(this.#slab?.mm ?? 0),
      projection: this.#slab?.projection ?? 'average',
      window: `${window.center},${window.width}`,
    });
    return `${this.base}/plane?${query}`;
  }

  protected described(): PaneView {
    const { clientHeight } = this.element;
    const mm = (2 * this.scaleMm) / Math.max(clientHeight, 1);
    return {
      ...EMPTY_VIEW,
      kind: this.kind,
      state: 'shown',
      series: this.series,
      count: 1,
      presentation: { ...this.presentation, window: this.presentation.window ?? this.#window },
      slab: this.#slab,
      mmPerPixel: mm,
      letters: lettersOf(this.#right, this.#down),
      positionLpsMm: this.#centre,
      marks: drawMarks(
        this.marks,
        {
          sopUid: '',
          thicknessMm: this.series?.thicknessMm ?? 1,
          distanceMm: (p) => Math.abs(dot(subtract(p, this.#centre), this.normal ?? [0, 0, 1])),
        },
        (p) => this.canvasOf(p) ?? [0, 0],
        mm,
      ),
    };
  }

  protected dragged(dx: number, dy: number): void {
    const now = this.presentation.window ?? this.#window;
    const step = Math.max(now.width / 300, 0.01);
    this.presentation = {
      ...this.presentation,
      window: { center: now.center + dy * step, width: Math.max(1, now.width + dx * step) },
    };
  }

  async scroll(by: number): Promise<void> {
    const step = this.series?.thicknessMm ?? 1;
    this.#centre = add(this.#centre, scale(this.normal ?? [0, 0, 1], by * step));
    await this.render();
    this.events.moved(this);
  }

  override async reach(point: Vec3): Promise<void> {
    this.#centre = point;
    await this.render();
  }

  override async follow(point: Vec3, scaleMm: number): Promise<void> {
    this.scaleMm = scaleMm;
    await this.reach(point);
  }

  turn(degrees: number, about: 'horizontal' | 'vertical'): void {
    const angle = (degrees * Math.PI) / 180;
    const normal = this.normal ?? [0, 0, 1];
    const turned = (v: Vec3) => unit(add(scale(v, Math.cos(angle)), scale(normal, Math.sin(angle))));
    if (about === 'vertical') this.#right = turned(this.#right);
    else this.#down = turned(this.#down);
    void this.render();
    this.events.moved(this);
  }

  override setSlab(slab: Slab | null): void {
    this.#slab = slab;
    void this.render();
  }

  fit(): void {
    if (!this.series) return;
    this.#centre = middleOf(this.series);
    this.scaleMm = heightOf(this.series, this.#down) / 2;
    void this.render();
  }

  override middle(): Vec3 {
    return this.#centre;
  }

  override seen(): SeenPlane | null {
    const { clientWidth, clientHeight } = this.element;
    const wide = (this.scaleMm * clientWidth) / Math.max(clientHeight, 1);
    const corner = (x: number, y: number): Vec3 =>
      add(this.#centre, add(scale(this.#right, x * wide), scale(this.#down, y * this.scaleMm)));
    return this.normal
      ? { normal: this.normal, corners: [corner(-1, -1), corner(1, -1), corner(1, 1), corner(-1, 1)] }
      : null;
  }

  override pointAt(clientX: number, clientY: number): Vec3 {
    const box = this.element.getBoundingClientRect();
    const mm = (2 * this.scaleMm) / Math.max(box.height, 1);
    const x = (clientX - box.left - box.width / 2) * mm;
    const y = (clientY - box.top - box.height / 2) * mm;
    return add(this.#centre, add(scale(this.#right, x), scale(this.#down, y)));
  }

  override canvasOf(point: Vec3): readonly [number, number] {
    const { clientWidth, clientHeight } = this.element;
    const pixels = clientHeight / (2 * this.scaleMm);
    const from = subtract(point, this.#centre);
    return [
      clientWidth / 2 + dot(from, this.#right) * pixels,
      clientHeight / 2 + dot(from, this.#down) * pixels,
    ];
  }
}

/** A volume seen from a side, drawn by the server. */
export class ServerVolume extends ServerPane {
  scaleMm = 1;
  readonly normal = null;
  #azimuth = 0;
  #elevation = 0;

  protected opened(series: SeriesToShow, options: ShowOptions): void {
    this.scaleMm = 1;
    const look = options.presentation?.colourMap ?? (series.modality === 'CT' ? 'bone' : 'mip');
    this.presentation = { ...this.presentation, colourMap: look };
  }

  protected address(): string {
    if (!this.series || !this.element.clientHeight) return '';
    const [columns, rows] = this.size.map((n) => Math.min(n, 512)) as [number, number];
    const look = this.presentation.colourMap ?? 'bone';
    const query = new URLSearchParams({
      preset: look === 'soft' || look === 'mr' ? 'skin' : look,
      azimuth: this.#azimuth.toFixed(1),
      elevation: this.#elevation.toFixed(1),
      columns: String(columns),
      rows: String(rows),
      zoom: (1 / this.scaleMm).toFixed(3),
    });
    return `${this.base}/rendering?${query}`;
  }

  protected described(): PaneView {
    return {
      ...EMPTY_VIEW,
      kind: 'volume',
      state: 'shown',
      series: this.series,
      presentation: this.presentation,
      letters: this.#letters(),
    };
  }

  /** From the front at azimuth 0, from the patient's left at 90; the elevation lifts the eye. */
  #letters(): Letters {
    const [azimuth, elevation] = [this.#azimuth, this.#elevation].map((d) => (d * Math.PI) / 180) as [
      number,
      number,
    ];
    const into: Vec3 = [-Math.sin(azimuth), Math.cos(azimuth), 0];
    const up = add(scale([0, 0, 1], Math.cos(elevation)), scale(into, Math.sin(elevation)));
    return lettersOf([Math.cos(azimuth), Math.sin(azimuth), 0], scale(up, -1));
  }

  protected dragged(dx: number, dy: number): void {
    this.turn(dx * DRAG_DEGREES, 'vertical');
    this.turn(dy * DRAG_DEGREES, 'horizontal');
  }

  turn(degrees: number, about: 'horizontal' | 'vertical'): void {
    if (about === 'vertical') this.#azimuth = (this.#azimuth + degrees) % 360;
    else this.#elevation = Math.min(Math.max(this.#elevation + degrees, -90), 90);
    void this.render();
  }

  async scroll(by: number): Promise<void> {
    this.turn(by * 5, 'vertical');
  }

  fit(): void {
    this.scaleMm = 1;
    this.#azimuth = 0;
    this.#elevation = 0;
    void this.render();
  }
}

function middleOf(series: SeriesToShow): Vec3 {
  const slices = series.slices.slice(0, slicesPerPhase(series));
  const slice = slices[Math.floor(slices.length / 2)];
  const [rowMm = 1, columnMm = 1] = series.pixelSpacingMm ?? [];
  if (!slice?.axes || !slice.positionLpsMm) return [0, 0, 0];
  const along = scale(slice.axes.row, (slice.size[0] / 2) * columnMm);
  const down = scale(slice.axes.column, (slice.size[1] / 2) * rowMm);
  return add(slice.positionLpsMm, add(along, down));
}

/** How far the volume reaches along a direction, in mm. */
function heightOf(series: SeriesToShow, direction: Vec3): number {
  const slices = series.slices.slice(0, slicesPerPhase(series));
  const [first, last] = [slices[0], slices.at(-1)];
  const [rowMm = 1, columnMm = 1] = series.pixelSpacingMm ?? [];
  if (!first?.axes || !first.positionLpsMm || !last?.positionLpsMm) return 100;
  const edges = [
    scale(first.axes.row, first.size[0] * columnMm),
    scale(first.axes.column, first.size[1] * rowMm),
    subtract(last.positionLpsMm, first.positionLpsMm),
  ];
  return Math.max(
    10,
    edges.reduce((sum, edge) => sum + Math.abs(dot(edge, direction)), 0),
  );
}
