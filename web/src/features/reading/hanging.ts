/**
 * Hanging the studies: which protocol fits, its stages, and an arrangement kept as one's own protocol.
 *
 * Invariant: the series that the server chose to open with, and the prior aligned with it, keep their panes where a
 * stage shows slices of both; a protocol never delays the first image by more than it takes to choose.
 */
import { signal } from '@preact/signals';
import { post, type Reading, type Study } from '../../api';
import { tell, tellError } from '../../ui/toasts';
import type { PaneId } from '../../viewer';
import { volumeProblem } from '../../viewer/geometry';
import {
  chooseProtocol,
  type FilledPane,
  type Hung,
  hang,
  type OwnedProtocol,
  protocolFacts,
  protocolFromPanes,
  protocolId,
  studyFacts,
  withRegion,
} from '../../viewer/hanging';
import { PROJECTIONS } from '../../viewer/hanging-facts';
import { CT_PRESETS, type Window } from '../../viewer/presets';
import type { SeriesToShow } from '../../viewer/series';
import { firstFinding, PROTOCOLS, point, protocols, startIndex } from './open';
import { load, type PanesStore, SIXTEEN, type Wanted } from './panes';

const MOST_SERIES = 32;

export class Hanging {
  /** The protocol in force and the stage shown; null while the panes are arranged by hand. */
  readonly hung = signal<{ hung: Hung; at: number } | null>(null);
  readonly known = signal<readonly OwnedProtocol[]>([]);
  #reading: Reading | null = null;
  #series = new Map<string, SeriesToShow>();

  constructor(private readonly panes: PanesStore) {}

  /** Choose a protocol for a study; nothing is shown yet. */
  async choose(reading: Reading): Promise<Hung | null> {
    this.#reading = reading;
    try {
      this.known.value = await protocols();
    } catch {
      return null; // without protocols the study opens as the server says
    }
    // Views are told by the images of projections, so their metadata comes first.
    if (reading.study.series.some((s) => PROJECTIONS.has(s.modality))) await this.#loadSeries();
    return this.#hang(this.known.value);
  }

  /** A protocol is in force whose first stage is how the study opens anyway. */
  adopt(hung: Hung): void {
    this.hung.value = { hung, at: 0 };
  }

  /** Whether the planes of the first stage can be made: panes that only say why not would take the room. */
  async canBeShown(hung: Hung): Promise<boolean> {
    const cut = (hung.stages[0]?.panes ?? []).filter((pane) => pane.seriesUid && !isFlat(pane));
    const problems = cut.map(async ({ studyUid, seriesUid }) => {
      const study = this.#studies().find((s) => s.uid === studyUid);
      return study && seriesUid ? volumeProblem(await load(study, seriesUid)) : null;
    });
    return (await Promise.all(problems)).every((problem) => problem === null);
  }

  /** Arrange the panes as a stage says. */
  arrange(hung: Hung, stage = 0): void {
    const filled = hung.stages[stage];
    this.hung.value = { hung, at: stage };
    if (filled) this.panes.arrange(filled.stage.rows, filled.stage.columns);
  }

  /** Arrange the panes as a stage says, and fill them. */
  async apply(hung: Hung, stage: number): Promise<void> {
    const reading = this.#reading;
    const filled = hung.stages[stage];
    if (!reading || !filled) return;
    this.arrange(hung, stage);
    await new Promise(requestAnimationFrame);
    // Slices as acquired first: a plane waits for all images of its series.
    const waiting = filled.panes.map((pane, k) => ({ pane, id: SIXTEEN[k] ?? '' }));
    const flat = waiting.filter(({ pane }) => isFlat(pane));
    for (const some of [flat, waiting.filter((w) => !flat.includes(w))])
      await Promise.all(some.map(({ pane, id }) => this.#fill(id, pane, reading)));
    this.#fit(filled.panes);
  }

  step(by: number): void {
    const now = this.hung.value;
    const at = (now?.at ?? 0) + by;
    if (!now) tell('The panes are arranged by hand: there is no next stage.');
    else if (at < 0 || at >= now.hung.stages.length)
      tell(by > 0 ? 'This is the last stage.' : 'This is the first stage.');
    else void this.apply(now.hung, at).catch(tellError);
  }

  /** Hang by a protocol the person chose. */
  async use(owned: OwnedProtocol): Promise<void> {
    await this.#loadSeries();
    const hung = this.#hang([owned]);
    if (hung) await this.apply(hung, 0);
    else tell(`“${owned.protocol.name}” finds nothing to show in this study.`);
  }

  /** Keep the panes as they are now as a protocol of one's own. */
  async keep(name: string): Promise<void> {
    const studies = this.#studies();
    await this.#loadSeries();
    const taken = this.known.value.map((p) => p.protocol.id);
    const { rows, columns } = this.panes.arrangement.value;
    const protocol = protocolFromPanes(
      {
        id: protocolId(name, taken),
        name,
        rows,
        columns,
        panes: this.panes.slots.value.map((slot) => {
          const { presentation } = this.panes.view(slot.id).value;
          return {
            study: Math.max(
              0,
              studies.findIndex((s) => s.uid === slot.study?.uid),
            ),
            // A study opened by hand beside these two is nothing a protocol could find again.
            seriesUid: studies.some((s) => s.uid === slot.study?.uid) ? slot.seriesUid : null,
            fusionSeriesUid: slot.fusionUid,
            show: slot.kind === 'oblique' ? 'axial' : slot.kind,
            projection: slot.slab && { kind: slot.slab.projection, slab_mm: slot.slab.mm },
            window: presentation.window,
            colour_map: presentation.colourMap,
          };
        }),
      },
      this.#facts(),
    );
    const like = chooseProtocol(
      this.known.value.filter((p) => p.owner !== 'mine'),
      protocolFacts(this.#facts()),
    );
    await post(`${PROTOCOLS}?owner=mine`, {
      ...protocol,
      match: withRegion(protocol.match, like?.protocol.match),
    });
    this.known.value = await protocols(true);
    tell(`Kept as “${name}”. Studies like this one open so from now on.`);
  }

  /** Take protocols in from a file; all of them or none. */
  async take(file: File): Promise<void> {
    await post(`${PROTOCOLS}/import?owner=mine`, JSON.parse(await file.text()));
    this.known.value = await protocols(true);
    tell(`Protocols taken from ${file.name}.`);
  }

  #hang(list: readonly OwnedProtocol[]): Hung | null {
    return hang(list, this.#facts());
  }

  #studies(): Study[] {
    const reading = this.#reading;
    return reading ? [reading.study, ...(reading.prior ? [reading.prior.study] : [])] : [];
  }

  #facts() {
    return this.#studies().map((study) =>
      studyFacts(
        study,
        study.series.flatMap((s) => this.#series.get(s.uid) ?? []),
      ),
    );
  }

  /** The metadata of every series, so that views, sides and planes are known. */
  async #loadSeries(): Promise<void> {
    const wanted = this.#studies().flatMap((study) => study.series.map((s) => ({ study, uid: s.uid })));
    await Promise.all(
      wanted.slice(0, MOST_SERIES).map(async ({ study, uid }) => {
        const series = await load(study, uid).catch(() => null);
        if (series) this.#series.set(uid, series);
      }),
    );
  }

  async #fill(id: PaneId, pane: FilledPane, reading: Reading): Promise<void> {
    const study = this.#studies().find((s) => s.uid === pane.studyUid);
    if (!study || !pane.seriesUid) return this.panes.clear(id, pane.reason ?? 'Drag a series here.');
    await this.panes.put(id, await wantedOf(study, pane, reading));
  }

  /** What the first pane will show, where that is slices of the study itself. */
  async first(hung: Hung): Promise<Wanted | null> {
    const [pane] = hung.stages[0]?.panes ?? [];
    const reading = this.#reading;
    if (!pane?.seriesUid || !reading || pane.studyUid !== reading.study.uid) return null;
    return isFlat(pane) ? wantedOf(reading.study, pane, reading) : null;
  }

  /** One scale for all, each at its own, or pushed to an edge: back to back for mammography. */
  #fit(panes: readonly FilledPane[]): void {
    const ids = (scale: string) =>
      panes.flatMap((p, k) => (p.pane.scale === scale && p.seriesUid ? [SIXTEEN[k] ?? ''] : []));
    this.panes.controller?.sameScale(ids('same'));
    for (const id of ids('actual')) this.panes.controller?.zoomTo(id, 1);
    panes.forEach(({ pane, seriesUid }, k) => {
      if (pane.side && seriesUid) this.panes.controller?.push(SIXTEEN[k] ?? '', pane.side);
    });
  }
}

/** Whether a stage shows nothing but what the server chose: slices of the study, and of its prior beside it. */
export function isPlain(hung: Hung, reading: Reading): boolean {
  const [first] = hung.stages;
  const panes = first?.panes ?? [];
  const modality = reading.study.series.find((s) => s.uid === reading.current?.series_uid)?.modality;
  return (
    panes.length === (reading.prior ? 2 : 1) &&
    !PROJECTIONS.has(modality ?? '') &&
    panes.every(
      (filled, k) =>
        (filled.pane.study ?? 0) === k && isFlat(filled) && !filled.pane.fusion && !filled.pane.projection,
    )
  );
}

/** Whether a pane shows slices as they were acquired. */
const isFlat = ({ pane }: FilledPane): boolean => (pane.show ?? 'stack') === 'stack';

/** What a filled pane shows; the series the server opened with begins where the server says. */
async function wantedOf(
  study: Study,
  { pane, seriesUid, sopUids, fusionSeriesUid }: FilledPane,
  reading: Reading,
): Promise<Wanted> {
  const display = [reading.current, reading.prior?.display].find((d) => d?.series_uid === seriesUid);
  const series = await load(study, seriesUid ?? '');
  const place = firstFinding(reading)?.current;
  const here = place?.series_uid === series.uid && display === reading.current ? place : null;
  const named = sopUids ? series.slices.findIndex((s) => sopUids.includes(s.sopUid)) : -1;
  const index =
    named >= 0 ? named : display === reading.current && display ? startIndex(reading, series) : null;
  return {
    study,
    seriesUid: series.uid,
    kind: pane.show ?? 'stack',
    // A finding is opened in the window it is seen in.
    window: (here && display?.window) || windowOf(pane.window) || display?.window || null,
    centre: here ? point(here.centre_lps_mm) : null,
    slab: pane.projection ? { mm: pane.projection.slab_mm, projection: pane.projection.kind } : null,
    fusionUid: fusionSeriesUid,
    ...(index !== null && { index }),
    presentation: {
      ...(pane.invert && { invert: true }),
      ...(pane.colour_map && { colourMap: pane.colour_map }),
    },
  };
}

function windowOf(window: FilledPane['pane']['window']): Window | null {
  if (!window) return null;
  if ('preset' in window) return CT_PRESETS.find((p) => p.name === window.preset) ?? null;
  return window;
}
