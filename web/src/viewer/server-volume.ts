/** A volume seen from a side, drawn by the server: for machines without a graphics processor. */
import { behind, boxAround, keptOf } from './crop';
import { lettersOf } from './overlay';
import type { ShowOptions } from './pane';
import type { SeriesToShow } from './series';
import { ServerPane } from './server-pane';
import { add, cross, scale, type Vec3 } from './vectors';
import { type Crop, EMPTY_VIEW, type Letters, type PaneView, WHOLE } from './view';

const DRAG_DEGREES = 0.5;
const MOST_PIXELS = 512;

export class ServerVolume extends ServerPane {
  scaleMm = 1;
  readonly normal = null;
  #azimuth = 0;
  #elevation = 0;
  #crop = WHOLE;

  protected opened(series: SeriesToShow, options: ShowOptions): void {
    this.scaleMm = 1;
    this.#crop = options.crop ?? WHOLE;
    const look = options.presentation?.colourMap ?? (series.modality === 'CT' ? 'bone' : 'mip');
    this.presentation = { ...this.presentation, colourMap: look };
  }

  protected address(): string {
    if (!this.series || !this.element.clientHeight) return '';
    const [wide, high] = this.size;
    const shrink = Math.min(1, MOST_PIXELS / Math.max(wide, high)); // both by one factor, or it would be stretched
    const [columns, rows] = [Math.round(wide * shrink), Math.round(high * shrink)];
    const look = this.presentation.colourMap ?? 'bone';
    this.image.style.filter = this.presentation.invert ? 'invert(1)' : '';
    const query = new URLSearchParams({
      preset: look === 'soft' || look === 'mr' ? 'skin' : look,
      azimuth: this.#azimuth.toFixed(1),
      elevation: this.#elevation.toFixed(1),
      columns: String(columns),
      rows: String(rows),
      zoom: (1 / this.scaleMm).toFixed(3),
    });
    const box = this.series && boxAround(this.series);
    if (box && this.#crop !== WHOLE) {
      const { low, high } = keptOf(box, this.#crop);
      const facing = behind(box, this.#crop);
      query.set(
        'crop',
        [0, 1, 2].flatMap((k) => [low[k] ?? 0, high[k] ?? 0].map((v) => v.toFixed(1))).join(),
      );
      if (facing) query.set('cut', [...facing.normal, facing.distance].map((v) => v.toFixed(4)).join());
    }
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

  override setCrop(crop: Crop): void {
    this.#crop = crop;
    void this.render();
  }

  override ahead(): Vec3 {
    return this.#axes().ahead;
  }

  /** From the front at azimuth 0, from the patient's left at 90; the elevation lifts the eye. */
  #letters(): Letters {
    const { right, up } = this.#axes();
    return lettersOf(right, scale(up, -1));
  }

  #axes(): { right: Vec3; up: Vec3; ahead: Vec3 } {
    const [azimuth, elevation] = [this.#azimuth, this.#elevation].map((d) => (d * Math.PI) / 180) as [
      number,
      number,
    ];
    const level: Vec3 = [-Math.sin(azimuth), Math.cos(azimuth), 0];
    const up = add(scale([0, 0, 1], Math.cos(elevation)), scale(level, Math.sin(elevation)));
    const right: Vec3 = [Math.cos(azimuth), Math.sin(azimuth), 0];
    return { right, up, ahead: cross(up, right) };
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
