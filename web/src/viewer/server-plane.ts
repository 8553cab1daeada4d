/** A plane through a volume, cut by the server: for browsers without WebGL. */
import type { SeenPlane } from './geometry';
import { drawMarks, lettersOf } from './overlay';
import type { ShowOptions } from './pane';
import { type Window, windowOfSlice } from './presets';
import { type SeriesToShow, slicesPerPhase } from './series';
import { ServerPane } from './server-pane';
import { add, cross, dot, scale, subtract, unit, type Vec3 } from './vectors';
import { EMPTY_VIEW, type PaneKind, type PaneView, type Presentation, type Slab } from './view';

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
const SUV_WINDOW: Window = { center: 2.5, width: 5 };

const list = (v: Vec3): string => v.map((x) => x.toFixed(4)).join(',');

export class ServerPlane extends ServerPane {
  scaleMm = 100;
  #right: Vec3 = [1, 0, 0];
  #down: Vec3 = [0, 1, 0];
  #centre: Vec3 = [0, 0, 0];
  #slab: Slab | null = null;
  /** Null leaves it to the server: the images' own. */
  #window: Window | null = null;

  get normal(): Vec3 | null {
    return this.series ? unit(cross(this.#right, this.#down)) : null;
  }

  protected opened(series: SeriesToShow, options: ShowOptions): void {
    [this.#right, this.#down] = AXES[this.kind] ?? [this.#right, this.#down];
    this.#centre = options.centre ?? middleOf(series);
    this.scaleMm = this.#fitting(series);
    this.#slab = options.slab ?? null;
    this.#window = options.window ?? (series.modality === 'PT' ? SUV_WINDOW : windowOfSlice(series, 0));
  }

  /** Half the height (mm) at which all of the plane lies in the pane. */
  #fitting(series: SeriesToShow): number {
    const { clientWidth, clientHeight } = this.element;
    const across = (extentOf(series, this.#right) * clientHeight) / Math.max(clientWidth, 1);
    return Math.max(extentOf(series, this.#down), across) / 2;
  }

  /** What cannot be drawn by the server is refused, not left out. */
  protected override problem(_series: SeriesToShow, options: ShowOptions): string | null {
    return options.fusion
      ? 'One series is laid over another in a plane only with WebGL. Show the slices as acquired: there it can be.'
      : null;
  }

  /** Right and down on the screen, as the image is turned and flipped. */
  #axes(): readonly [Vec3, Vec3] {
    const { rotation, flipHorizontal, flipVertical } = this.presentation;
    const angle = (rotation * Math.PI) / 180;
    const right = add(scale(this.#right, Math.cos(angle)), scale(this.#down, -Math.sin(angle)));
    const down = add(scale(this.#right, Math.sin(angle)), scale(this.#down, Math.cos(angle)));
    return [scale(right, flipHorizontal ? -1 : 1), scale(down, flipVertical ? -1 : 1)];
  }

  protected address(): string {
    if (!this.series || !this.element.clientHeight) return '';
    const [columns, rows] = this.size;
    const window = this.presentation.window ?? this.#window;
    const [right, down] = this.#axes();
    this.image.style.filter = this.presentation.invert ? 'invert(1)' : '';
    const query = new URLSearchParams({
      centre: list(this.#centre),
      right: list(right),
      down: list(down),
      mm_per_pixel: ((2 * this.scaleMm) / rows).toFixed(5),
      columns: String(columns),
      rows: String(rows),
      slab_mm: String(this.#slab?.mm ?? 0),
      projection: this.#slab?.projection ?? 'average',
      ...(window && { window: `${window.center},${window.width}` }),
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
      ...this.#place(),
      presentation: { ...this.presentation, window: this.presentation.window ?? this.#window },
      slab: this.#slab,
      mmPerPixel: mm,
      letters: lettersOf(...this.#axes()),
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

  /** Which of the planes along the normal this is, counted in slice spacings from the edge of the volume. */
  #place(): { index: number; count: number } {
    const { series, normal } = this;
    if (!series || !normal) return { index: 0, count: 1 };
    const step = series.thicknessMm ?? 1;
    const extent = extentOf(series, normal);
    const from = dot(subtract(this.#centre, middleOf(series)), normal) + extent / 2;
    const count = Math.max(1, Math.round(extent / step));
    return { index: Math.min(Math.max(Math.floor(from / step), 0), count - 1), count };
  }

  override present(change: Partial<Presentation>): void {
    super.present(change);
    if (change.window) this.events.windowed(this);
  }

  protected dragged(dx: number, dy: number): void {
    const now = this.presentation.window ?? this.#window ?? { center: 128, width: 256 };
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
    this.scaleMm = this.#fitting(this.series);
    void this.render();
  }

  override middle(): Vec3 {
    return this.#centre;
  }

  override seen(): SeenPlane | null {
    const { clientWidth, clientHeight } = this.element;
    const wide = (this.scaleMm * clientWidth) / Math.max(clientHeight, 1);
    const [right, down] = this.#axes();
    const corner = (x: number, y: number): Vec3 =>
      add(this.#centre, add(scale(right, x * wide), scale(down, y * this.scaleMm)));
    return this.normal
      ? { normal: this.normal, corners: [corner(-1, -1), corner(1, -1), corner(1, 1), corner(-1, 1)] }
      : null;
  }

  override pointAt(clientX: number, clientY: number): Vec3 {
    const box = this.element.getBoundingClientRect();
    const mm = (2 * this.scaleMm) / Math.max(box.height, 1);
    const x = (clientX - box.left - box.width / 2) * mm;
    const y = (clientY - box.top - box.height / 2) * mm;
    const [right, down] = this.#axes();
    return add(this.#centre, add(scale(right, x), scale(down, y)));
  }

  override canvasOf(point: Vec3): readonly [number, number] {
    const { clientWidth, clientHeight } = this.element;
    const pixels = clientHeight / (2 * this.scaleMm);
    const from = subtract(point, this.#centre);
    const [right, down] = this.#axes();
    return [clientWidth / 2 + dot(from, right) * pixels, clientHeight / 2 + dot(from, down) * pixels];
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
function extentOf(series: SeriesToShow, direction: Vec3): number {
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
