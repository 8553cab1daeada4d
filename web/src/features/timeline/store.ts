/**
 * The patient's page: what the server says, what of it is shown, which span of time is in sight, and where the
 * cursor stands.
 *
 * Invariants: every row reads the same span and the same cursor; what is shown stands in the address.
 */
import { computed, signal } from '@preact/signals';
import {
  api,
  type ChartEvent,
  type EventBody,
  get,
  type PatientTimeline,
  post,
  type ResponseView,
  remove,
} from '../../api';
import { navigate, pathTo } from '../../app/router';
import { can } from '../../app/session';
import { perform, tell } from '../../ui/toasts';
import { panned, type Span, spanOf, timeOf, zoomed } from './axis';
import { labCurves, lesionCurve, quantitiesOf } from './curves';
import { chosenLesions, chosenStudies, EVERYTHING, parseShown, printShown, type Shown } from './query';

const STEP = 0.6;
const PAN = 0.2;

export class TimelineStore {
  readonly line = signal<PatientTimeline | null>(null);
  readonly events = signal<readonly ChartEvent[]>([]);
  readonly response = signal<ResponseView | null>(null);
  readonly problem = signal<string | null>(null);
  readonly eventsProblem = signal<string | null>(null);
  readonly shown = signal<Shown>(parseShown(location.search));
  /** What is in sight; null for all. */
  private readonly chosen = signal<Span | null>(null);
  /** The moment under the pointer or at the focused point. */
  readonly cursor = signal<number | null>(null);
  /** Width of the drawings, in px. */
  readonly width = signal(900);

  readonly studies = computed(() => chosenStudies(this.line.value?.studies ?? [], this.shown.value));
  readonly lesions = computed(() => chosenLesions(this.line.value?.lesions ?? [], this.shown.value));
  readonly quantities = computed(() => quantitiesOf(this.line.value?.lesions ?? []));
  readonly quantity = computed(() => {
    const { quantity } = this.shown.value;
    return this.quantities.value.includes(quantity) ? quantity : (this.quantities.value[0] ?? '');
  });
  readonly curves = computed(() => {
    const quantity = this.quantity.value;
    return this.lesions.value.map((lesion) => ({ lesion, curve: lesionCurve(lesion, quantity) }));
  });
  readonly treatments = computed(() => this.events.value.filter((event) => event.kind === 'treatment'));
  readonly labs = computed(() => labCurves(this.events.value));
  /** All that is known, end to end; images alone where a record of decades would press them together. */
  readonly whole = computed(() => {
    const images = (this.line.value?.studies ?? []).map((s) => timeOf(s.date));
    const others = this.events.value.flatMap((e) => [timeOf(e.start), timeOf(e.stop ?? '')]);
    return spanOf([...images, ...others]);
  });
  readonly imaging = computed(() => spanOf((this.line.value?.studies ?? []).map((s) => timeOf(s.date))));
  readonly span = computed(() => this.chosen.value ?? this.imaging.value);

  constructor(readonly patient: string) {}

  async start(): Promise<void> {
    const line = get<PatientTimeline>(api.timeline(this.patient)).then(
      (found) => {
        this.line.value = found;
      },
      (error: Error) => {
        this.problem.value = error.message;
      },
    );
    await Promise.all([line, this.loadEvents(), this.loadResponse()]);
  }

  async loadEvents(): Promise<void> {
    if (!can('chart.read')) return;
    try {
      this.events.value = (await get<{ items: ChartEvent[] }>(api.events(this.patient))).items;
    } catch (error) {
      this.eventsProblem.value = error instanceof Error ? error.message : String(error);
    }
  }

  /** The course by the kept criterion; without one, as proposed. The timeline stands without it too. */
  private async loadResponse(): Promise<void> {
    this.response.value = await get<ResponseView>(api.response(this.patient)).catch(() => null);
  }

  show(change: Partial<Shown>): void {
    this.shown.value = { ...this.shown.value, ...change };
    navigate(pathTo.patient(this.patient) + printShown(this.shown.value), { replace: true });
  }

  showEverything(): void {
    this.show(EVERYTHING);
    this.chosen.value = null;
  }

  nextQuantity(): void {
    const all = this.quantities.value;
    this.show({ quantity: all[(all.indexOf(this.quantity.value) + 1) % all.length] ?? '' });
  }

  zoom(closer: boolean, about?: number): void {
    const { from, to } = this.span.value;
    this.chosen.value = zoomed(
      this.span.value,
      closer ? STEP : 1 / STEP,
      about ?? this.cursor.value ?? (from + to) / 2,
      this.whole.value,
    );
  }

  zoomTo(span: Span): void {
    const about = (span.from + span.to) / 2;
    const { from, to } = this.span.value;
    this.chosen.value = zoomed(span, 1, about, this.whole.value);
    if (to - from <= 0) this.chosen.value = null;
  }

  pan(later: boolean, share = PAN): void {
    this.chosen.value = panned(this.span.value, later ? share : -share, this.whole.value);
  }

  /** All images; pressed again, all that is known. */
  fit(): void {
    this.chosen.value = this.chosen.value === null ? this.whole.value : null;
  }

  /** Bring a moment into sight. */
  reveal(at: number): void {
    const { from, to } = this.span.value;
    if (at >= from && at <= to) return;
    this.chosen.value = panned(this.span.value, (at - (from + to) / 2) / (to - from), this.whole.value);
  }

  open(study: string | null, finding: string | null): void {
    if (study) navigate(finding ? pathTo.finding(study, finding) : pathTo.study(study));
  }

  async enter(body: EventBody): Promise<void> {
    await post<ChartEvent>(api.events(this.patient), body);
    await this.loadEvents();
    tell(`Entered: ${body.kind === 'lab' ? 'a laboratory value' : 'a treatment'}.`);
  }

  async remove(event: ChartEvent): Promise<void> {
    const address = `${api.events(this.patient)}/${encodeURIComponent(event.id)}`;
    await perform(
      'The entry was removed.',
      async () => {
        await remove(address);
        await this.loadEvents();
      },
      async () => {
        await post(`${address}/restoration`);
        await this.loadEvents();
      },
    );
  }
}
