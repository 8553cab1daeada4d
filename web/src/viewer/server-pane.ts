/**
 * Planes and volumes drawn by the server, for browsers that cannot: no WebGL at all, or a volume without a graphics
 * processor. The same commands as every other pane; each change asks for one picture, and only the last one is awaited.
 */
import { type Area, type SeenPlane, volumeProblem } from './geometry';
import type { Mapping } from './grid';
import type { Mark } from './overlay';
import type { Pane, PaneEvents, ShowOptions } from './pane';
import type { SeriesToShow } from './series';
import type { Vec3 } from './vectors';
import {
  type Crop,
  EMPTY_VIEW,
  type PaneKind,
  type PaneView,
  PLAIN,
  type Presentation,
  type Slab,
} from './view';

const MOST_PIXELS = 1024;

export abstract class ServerPane implements Pane {
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
  /** Why this kind of pane cannot show what is asked for; null when it can. */
  protected problem(_series: SeriesToShow, _options: ShowOptions): string | null {
    return null;
  }

  protected abstract dragged(dx: number, dy: number): void;
  abstract turn(degrees: number, about: 'horizontal' | 'vertical'): void;
  abstract scroll(by: number): Promise<void>;
  abstract fit(): void;

  async show(series: SeriesToShow, options: ShowOptions): Promise<void> {
    this.series = series;
    this.presentation = { ...PLAIN, ...options.presentation };
    const problem = volumeProblem(series) ?? this.problem(series, options);
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
  showArea(_area: Area): void {}
  setSlab(_slab: Slab | null): void {}
  setCrop(_crop: Crop): void {}
  ahead(): Vec3 | null {
    return null;
  }
  setLines(): void {}
  setPlaying(): void {}
  setPart(): void {}
  setFusionLook(): void {}
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
