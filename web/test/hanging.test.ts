import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import {
  chooseProtocol,
  type Facts,
  type FilledPane,
  fillStage,
  hang,
  type Match,
  type OwnedProtocol,
  type Owner,
  type Pane,
  type PlacedPane,
  type Protocol,
  protocolFacts,
  protocolFromPanes,
  protocolId,
  type Selector,
  type SeriesFacts,
  stagesThatFill,
  studyFacts,
  validateProtocol,
} from '../src/viewer/hanging';
import { hasWord, plain } from '../src/viewer/hanging-facts';
import { CT_PRESETS } from '../src/viewer/presets';
import { agent, anySeries, body, coded, frame, image, magnified, study } from './hanging-studies';

const read = (path: string) => JSON.parse(readFileSync(new URL(`../../${path}`, import.meta.url), 'utf-8'));
const BUILT_IN: Protocol[] = read('src/sightline/care/hanging/builtin.json').protocols;
const REFUSED = read('tests/care/hanging/refused.json');
const built = (id: string): Protocol => BUILT_IN.find((p) => p.id === id) as Protocol;
const owned: OwnedProtocol[] = BUILT_IN.map((protocol) => ({ owner: 'built-in', protocol }));

const FACTS: Facts = { modalities: ['CT'], bodyParts: [], laterality: null, words: '', priors: 0 };
const one = (id: string, match: Match, owner: Owner = 'built-in'): OwnedProtocol => ({
  owner,
  protocol: { id, name: id, match, stages: [{ name: 'a', rows: 1, columns: 1, panes: [{ series: {} }] }] },
});
const stage = (...panes: Pane[]) => ({ name: 'a', rows: 1, columns: panes.length, panes });
const uids = (panes: FilledPane[]) => panes.map((p) => p.seriesUid);

describe('the protocol of a study', () => {
  const CHEST = { modalities: ['CT'], body_parts: ['CHEST'] };
  const CASES: [string, OwnedProtocol[], Partial<Facts>, string | null][] = [
    ['none fits', [one('mr', { modalities: ['MR'] })], {}, null],
    ['any fits any', [one('any', {})], {}, 'any'],
    ['a modality beats any', [one('any', {}), one('ct', { modalities: ['CT'] })], {}, 'ct'],
    [
      'a region beats a modality',
      [one('ct', { modalities: ['CT'] }), one('chest', CHEST)],
      { bodyParts: ['CHEST'] },
      'chest',
    ],
    [
      'a code that joins regions holds each',
      [one('chest', CHEST)],
      { bodyParts: ['CHESTABDPELVIS'] },
      'chest',
    ],
    [
      'a word does for a body part',
      [one('chest', { ...CHEST, words: ['thorax'] })],
      { words: 'ct thorax nativ' },
      'chest',
    ],
    ['another region does not fit', [one('chest', CHEST)], { bodyParts: ['HEAD'] }, null],
    ['a side is asked for', [one('left', { laterality: 'L' })], { laterality: 'R' }, null],
    ['too few priors', [one('two', { priors: { least: 2 } })], { priors: 1 }, null],
    ['too many priors', [one('none', { priors: { most: 0 } })], { priors: 1 }, null],
    [
      'the more priors asked for',
      [one('any', {}), one('prior', { priors: { least: 1 } })],
      { priors: 2 },
      'prior',
    ],
    [
      "among equals one's own",
      [one('b', CHEST), one('m', CHEST, 'mine'), one('s', CHEST, 'site')],
      { bodyParts: ['CHEST'] },
      'm',
    ],
    ["then the site's", [one('b', CHEST), one('s', CHEST, 'site')], { bodyParts: ['CHEST'] }, 's'],
    [
      "one's own beats priors",
      [one('b', { ...CHEST, priors: { least: 1 } }), one('m', CHEST, 'mine')],
      { bodyParts: ['CHEST'], priors: 1 },
      'm',
    ],
    ['the own before the specific', [one('m', {}, 'mine'), one('b', CHEST)], { bodyParts: ['CHEST'] }, 'm'],
    [
      "the specific before the site's",
      [one('s', {}, 'site'), one('b', CHEST)],
      { bodyParts: ['CHEST'] },
      'b',
    ],
    [
      'the fewer alternatives',
      [one('a', { modalities: ['CT', 'MR'] }), one('b', { modalities: ['CT'] })],
      {},
      'b',
    ],
    ['the first id at last', [one('b', {}), one('a', {})], {}, 'a'],
  ];

  it.each(CASES)('%s', (_, protocols, facts, id) => {
    const choice = chooseProtocol(protocols, { ...FACTS, ...facts });
    expect(choice?.protocol.id ?? null).toBe(id);
    expect(chooseProtocol([...protocols].reverse(), { ...FACTS, ...facts })?.protocol.id ?? null).toBe(id);
  });

  it('says why in one line', () => {
    const facts = { ...FACTS, bodyParts: ['CHEST'], priors: 1 };
    expect(chooseProtocol(owned, facts)?.why).toBe(
      'CT chest with prior (built in): CT, chest, with its prior',
    );
    expect(chooseProtocol([one('x', {}, 'mine')], FACTS)?.why).toBe('x (yours): fits any study');
  });

  const EXAMS: [string, Parameters<typeof study>[2], string, number, string][] = [
    ['a chest CT', [{ more: body('CHEST') }], 'CT', 0, 'ct-chest'],
    ['a chest CT with a prior', [{ more: body('CHEST') }], 'CT', 1, 'ct-chest-prior'],
    ['an abdomen by its words alone', [{}], 'CT ABD AND PELVIS WITH IV CONT', 2, 'ct-abdomen-prior'],
    ['a trauma', [{}], 'CT Polytrauma', 0, 'ct-trauma'],
    ['a brain', [{ modality: 'MR', more: body('BRAIN') }], 'MR', 3, 'mr-brain'],
    ['a lumbar spine', [{ modality: 'MR', more: body('LSPINE') }], 'MR', 0, 'mr-spine'],
    ['a prostate', [{ modality: 'MR' }], 'MRT Prostata', 0, 'mr-prostate'],
    ['a chest radiograph', [{ modality: 'CR', more: body('CHEST') }], 'XR', 1, 'xr-chest-prior'],
    ['a knee', [{ modality: 'DX', more: body('KNEE') }], 'DX knee', 0, 'xr-msk'],
    ['a mammogram', [{ modality: 'MG', more: body('BREAST') }], 'MG', 1, 'mg-screening'],
    ['an ultrasound', [{ modality: 'US' }], 'US', 0, 'us'],
    ['an angiogram', [{ modality: 'XA' }], 'XA', 0, 'xa-cine'],
    ['a scintigram', [{ modality: 'NM' }], 'NM', 0, 'nm'],
    ['a PET/CT of the chest', [{ more: body('CHEST') }, { modality: 'PT' }], 'PET/CT', 0, 'pet-ct'],
    ['anything', [{ modality: 'OP' }], 'OP', 0, 'any'],
    ['anything with a prior', [{ modality: 'OP' }], 'OP', 1, 'any-prior'],
    ['no images at all', [{ modality: 'SR' }], '', 0, 'any'],
  ];

  it.each(EXAMS)('%s gets a built-in one', (_, drawn, exam, priors, id) => {
    const studies = Array.from({ length: priors + 1 }, (__, k) => study(`${k}`, exam, drawn));
    expect(chooseProtocol(owned, protocolFacts(studies))?.protocol.id).toBe(id);
  });

  it('asks the series where the study says nothing', () => {
    const silent = study('1', 'MR', [{ modality: 'MR', description: 'AX FLAIR BRAIN' }]);
    expect(chooseProtocol(owned, protocolFacts([silent]))?.protocol.id).toBe('mr-brain');
  });
});

const BRAIN = study('1', 'MR brain', [
  { modality: 'MR', description: '3-plane localizer', plane: 'axial', images: 9 },
  { modality: 'MR', description: 'AX T1', plane: 'axial', images: 30 },
  { modality: 'MR', description: 'AX T2 FLAIR', plane: 'axial', images: 30 },
  { modality: 'MR', description: 'AX T2 TSE', plane: 'axial', images: 30 },
  { modality: 'MR', description: 'ep2d_diff_trace', plane: 'axial', images: 60 },
  { modality: 'MR', description: 'ep2d_diff_ADC', plane: 'axial', images: 30 },
  { modality: 'MR', description: 'AX T1 +C', plane: 'axial', images: 30, more: agent },
  { modality: 'SR', description: 'T1 report' },
]);

describe('a filled stage', () => {
  it('tells the sequences of a brain apart', () => {
    const [first, second, third] = stagesThatFill(built('mr-brain'), [BRAIN]);
    expect(uids(first?.panes ?? [])).toEqual(['1.2', '1.4', '1.3', '1.5']);
    expect(uids(second?.panes ?? [])).toEqual(['1.2', '1.7']);
    expect(uids(third?.panes ?? [])).toEqual(['1.5', '1.6']);
  });

  it('leaves out a stage of priors where there are none, and says what is missing where there is one', () => {
    const names = (studies: Parameters<typeof stagesThatFill>[1]) =>
      stagesThatFill(built('mr-brain'), studies).map((s) => s.stage.name);
    expect(names([BRAIN])).not.toContain('FLAIR and contrast with prior');
    const prior = study('2', 'MR brain', [{ modality: 'MR', description: 'FLAIR sag', plane: 'sagittal' }]);
    const last = stagesThatFill(built('mr-brain'), [BRAIN, prior]).at(-1);
    expect(uids(last?.panes ?? [])).toEqual(['1.3', '2.1', '1.7', null]);
    expect(last?.panes[3]?.reason).toBe('This study has no MR “t1” with contrast images.');
  });

  it('keeps the stage of priors when it is the only one, and says that there is none', () => {
    const only = { ...built('ct-chest-prior'), stages: built('ct-chest-prior').stages.slice(0, 1) };
    const [filled] = stagesThatFill(only, [study('1', 'CT', [{ plane: 'axial', images: 3 }])]);
    expect(uids(filled?.panes ?? [])).toEqual(['1.1', null]);
    expect(filled?.panes[1]?.reason).toBe('There is no earlier study to compare with.');
  });

  it('falls back to the next protocol when the best one shows nothing', () => {
    const fmri = study('1', 'MR brain', [{ modality: 'MR', description: 'EPI rest', more: body('BRAIN') }]);
    expect(stagesThatFill(built('mr-brain'), [fmri])).toEqual([]);
    const hung = hang(owned, [fmri]);
    expect(hung?.choice.why).toBe('Any study (built in): fits any study');
    expect(hung?.stages.map((s) => uids(s.panes))).toEqual([['1.1']]);
    expect(hang(owned, [study('1', '', [{ modality: 'SR' }])])).toBeNull();
  });

  it('leaves out a stage with gaps that shows nothing new', () => {
    const names = (drawn: Parameters<typeof study>[2]) =>
      stagesThatFill(built('xa-cine'), [study('1', 'XA', drawn)]).map((s) => s.stage.name);
    expect(names([{ modality: 'XA' }])).toEqual(['One run']);
    expect(names([{ modality: 'XA' }, { modality: 'XA' }])).toEqual(['One run', 'Two runs']);
    expect(names([{ modality: 'XA' }, { modality: 'XA' }, { modality: 'XA' }])).toHaveLength(3);
  });

  it('has nothing to show of a study without images', () => {
    expect(stagesThatFill(built('any'), [study('1', '', [{ modality: 'SR' }])])).toEqual([]);
  });

  it('takes the largest axial series, not the scout', () => {
    const chest = study('1', 'CT chest', [
      { description: 'Topogram', plane: 'coronal', images: 900 },
      { description: 'Lung 5 mm', plane: 'axial', images: 60 },
      { description: 'Lung 1 mm', plane: 'axial', images: 300 },
      { description: 'Coronal', plane: 'coronal', images: 400 },
    ]);
    expect(uids(fillStage(built('ct-chest').stages[0] as never, [chest]))).toEqual(['1.3', '1.3']);
    expect(uids(fillStage(built('ct-chest').stages[1] as never, [chest]))).toEqual(['1.3', '1.3', '1.3']);
  });

  it('never shows the same picture twice: the next series, or none', () => {
    const two = study('1', 'CT', [{}, {}]);
    const filled = fillStage(stage({ series: {} }, { series: {} }, { series: {} }), [two]);
    expect(uids(filled)).toEqual(['1.1', '1.2', null]);
    expect(filled[2]?.reason).toBe('What fits this pane is shown in another pane already.');
  });

  it('counts what fits', () => {
    const two = study('1', 'CT', [{}, {}]);
    const [second, third] = fillStage(stage({ series: { nth: 2 } }, { series: { nth: 3 } }), [two]);
    expect(second?.seriesUid).toBe('1.2');
    expect(third?.reason).toBe('Only 2 fit what this pane asks for; it wants number 3.');
  });

  it('lays one series over another', () => {
    const pet = study('1', 'PET/CT', [
      { plane: 'axial', images: 200 },
      { modality: 'PT', description: 'NAC', plane: 'axial', images: 300 },
      { modality: 'PT', description: 'AC', plane: 'axial', images: 200 },
    ]);
    const [four] = stagesThatFill(built('pet-ct'), [pet]);
    expect(uids(four?.panes ?? [])).toEqual(['1.1', '1.3', '1.1', '1.3']);
    expect(four?.panes[2]?.fusionSeriesUid).toBe('1.3');
    const [alone] = fillStage(stage({ series: {}, fusion: { modalities: ['PT'] } }), [
      study('1', 'CT', [{}]),
    ]);
    expect(alone?.seriesUid).toBe('1.1');
    expect(alone?.reason).toBe('Nothing to lay over it: This study has no PT images.');
  });

  it('lays nothing over a series of another frame of reference', () => {
    const pet = (uid: string, more: Parameters<typeof study>[2][number]['more']) =>
      study(uid, 'PET/CT', [{ more: frame('1.9') }, { modality: 'PT', more }]);
    const fused = stage({ series: { modalities: ['CT'] }, fusion: { modalities: ['PT'] } });
    expect(fillStage(fused, [pet('1', frame('1.9'))])[0]?.fusionSeriesUid).toBe('1.2');
    const [apart] = fillStage(fused, [pet('1', frame('1.8'))]);
    expect(apart?.fusionSeriesUid).toBeNull();
    expect(apart?.reason).toBe('Nothing to lay over it: what fits does not share its space.');
    expect(fillStage(fused, [pet('1', undefined)])[0]?.fusionSeriesUid).toBe('1.2');
  });

  it('leaves a pane empty on purpose', () => {
    expect(fillStage(stage({ series: null }), [BRAIN])[0]?.reason).toBe('This pane is left empty.');
  });

  it('does with the list until the metadata is there', () => {
    const listed = (description: string) => ({
      uid: description,
      modality: 'CT',
      number: null,
      description,
      images: 9,
    });
    const early = studyFacts({ uid: '1', exam: 'CT', series: [listed('Cor 3mm'), listed('Lung 1mm')] });
    expect(uids(fillStage(stage({ series: { plane: 'axial' } }), [early]))).toEqual(['Lung 1mm']);
  });
});

describe('mammograms', () => {
  const FOUR = [image('CC', 'L'), image('MLO', 'R'), image('MLO', 'L'), image('CC', 'R')];
  const shown = (panes: FilledPane[]) => panes.map((p) => p.sopUids ?? p.seriesUid);

  it('hang back to back when one series holds all four', () => {
    const [cc, mlo, four] = stagesThatFill(built('mg-screening'), [
      study('1', 'MG', [{ modality: 'MG', each: FOUR }]),
    ]);
    expect(shown(cc?.panes ?? [])).toEqual([['1.1.4'], ['1.1.1']]);
    expect(cc?.panes.map((p) => [p.pane.side, p.pane.scale])).toEqual([
      ['right', 'same'],
      ['left', 'same'],
    ]);
    expect(shown(mlo?.panes ?? [])).toEqual([['1.1.2'], ['1.1.3']]);
    expect(shown(four?.panes ?? [])).toEqual([['1.1.4'], ['1.1.1'], ['1.1.2'], ['1.1.3']]);
  });

  it('hang back to back when each has a series, by the codes of their views, with the priors above', () => {
    const codes = [
      coded('399368009', 'R'),
      coded('R-10242', 'L'),
      coded('399162004', 'R'),
      coded('R-10226', 'L'),
    ];
    const apart = study(
      '1',
      'MG',
      codes.map((more) => ({ modality: 'MG', more })),
    );
    const prior = study('2', 'MG', [{ modality: 'MG', each: FOUR }]);
    const stages = stagesThatFill(built('mg-screening'), [apart, prior]);
    const cc = stages.find((s) => s.stage.name === 'CC, priors above');
    expect(shown(cc?.panes ?? [])).toEqual([['2.1.4'], ['2.1.1'], '1.3', '1.2']);
    const actual = stages.filter((s) => s.stage.name.endsWith('actual size'));
    expect(actual.flatMap((s) => shown(s.panes))).toEqual(['1.3', '1.2', '1.1', '1.4']);
  });

  it('hang by their descriptions when the devices say no more', () => {
    const named = ['L CC', 'R CC'].map((description) => ({ modality: 'MG', description }));
    const [cc] = stagesThatFill(built('mg-screening'), [study('1', 'MG', named)]);
    expect(shown(cc?.panes ?? [])).toEqual(['1.2', '1.1']);
  });

  it('hang the plain image of a view before a magnified or a raw one', () => {
    const raw = { ...coded('399162004', 'R'), '00080068': { vr: 'CS', Value: ['FOR PROCESSING'] } };
    const each = [magnified('399162004', 'R'), raw, coded('399162004', 'R')];
    const filled = fillStage(stage({ series: { view: 'CC' } }, { series: { view: 'CC' } }), [
      study('1', 'MG', [{ modality: 'MG', each }]),
    ]);
    expect(shown(filled)).toEqual([['1.1.3'], ['1.1.1']]);
  });

  it('say which one is missing', () => {
    const one = study('1', 'MG', [{ modality: 'MG', more: image('MLO', 'R') }]);
    const [mlo] = stagesThatFill(built('mg-screening'), [one]);
    expect(mlo?.panes[1]?.reason).toBe('This study has no left MLO MG images.');
  });
});

describe('radiographs', () => {
  it('hang frontal beside lateral, whatever the views are called', () => {
    const chest = study('1', 'XR chest', [
      { modality: 'DX', more: image('LL', '') },
      { modality: 'DX', description: 'PA' },
    ]);
    const [both] = stagesThatFill(built('xr-chest'), [chest]);
    expect(uids(both?.panes ?? [])).toEqual(['1.2', '1.1']);
  });

  it('hang the images of one series side by side', () => {
    const knee = study('1', 'DX knee', [{ modality: 'DX', images: 2 }]);
    const [two] = stagesThatFill(built('xr-msk'), [knee]);
    expect(two?.panes.map((p) => p.sopUids)).toEqual([['1.1.1'], ['1.1.2']]);
  });
});

describe('an arrangement that is kept', () => {
  const keep = (
    panes: PlacedPane[],
    studies: Parameters<typeof protocolFromPanes>[1],
    columns = panes.length,
  ) => protocolFromPanes({ id: 'kept', name: 'Kept', rows: panes.length / columns, columns, panes }, studies);
  const applied = (protocol: Protocol, studies: Parameters<typeof fillStage>[1]) =>
    fillStage(protocol.stages[0] as never, studies);

  const PRIOR = study('2', 'MR brain', [
    { modality: 'MR', description: 'T2 FLAIR axial', plane: 'axial', images: 25 },
    { modality: 'MR', description: 'T1 axial', plane: 'axial', images: 25 },
  ]);

  it('comes back as it was, from few words', () => {
    const wanted = ['1.3', '1.6', '1.7', '1.4'];
    const protocol = keep(
      wanted.map((seriesUid) => ({ study: 0, seriesUid })),
      [BRAIN],
      2,
    );
    expect(uids(applied(protocol, [BRAIN]))).toEqual(wanted);
    expect(protocol.stages[0]?.panes[0]?.series).toEqual({ modalities: ['MR'], words: ['flair'] });
    expect(protocol.stages[0]?.panes[1]?.series).toEqual({ modalities: ['MR'], words: ['adc'] });
    expect(protocol.match).toMatchObject({ modalities: ['MR'], words: ['brain'], priors: { least: 0 } });
    expect(validateProtocol(protocol)).toEqual([]);
  });

  it('does the same for the next patient', () => {
    const protocol = keep(
      [
        { study: 0, seriesUid: '1.3', link: 'a' },
        { study: 1, seriesUid: '2.1', link: 'a' },
      ],
      [BRAIN, PRIOR],
    );
    const next = study('3', 'MR brain', [
      { modality: 'MR', description: 'T1 sag', plane: 'sagittal' },
      { modality: 'MR', description: 'dark FLAIR fs', plane: 'axial' },
    ]);
    expect(uids(applied(protocol, [next, BRAIN]))).toEqual(['3.2', '1.3']);
    expect(protocol.match.priors).toEqual({ least: 1, most: null });
    expect(chooseProtocol([...owned, { owner: 'mine', protocol }], protocolFacts([next, BRAIN]))?.owner).toBe(
      'mine',
    );
  });

  it('keeps how each pane is shown, empty panes, views and what is laid over', () => {
    const pet = study('1', 'PET/CT', [{ plane: 'axial' }, { modality: 'PT', plane: 'axial' }]);
    const fused: PlacedPane = {
      study: 0,
      seriesUid: '1.1',
      fusionSeriesUid: '1.2',
      show: 'coronal',
      window: { preset: 'Bone' },
    };
    const protocol = keep([fused, { study: 0, seriesUid: null }], [pet]);
    const [first, second] = applied(protocol, [pet]);
    expect([
      first?.seriesUid,
      first?.fusionSeriesUid,
      first?.pane.show,
      first?.pane.window,
      second?.seriesUid,
    ]).toEqual(['1.1', '1.2', 'coronal', { preset: 'Bone' }, null]);

    const mg = study('1', 'MG', [{ modality: 'MG', each: [image('CC', 'L'), image('CC', 'R')] }]);
    const breasts = keep(
      [
        { study: 0, seriesUid: '1.1', sopUids: ['1.1.2'] },
        { study: 0, seriesUid: '1.1', sopUids: ['1.1.1'] },
      ],
      [mg],
    );
    expect(breasts.stages[0]?.panes[0]?.series).toEqual({ modalities: ['MG'], view: 'CC', laterality: 'R' });
    expect(applied(breasts, [mg]).map((p) => p.sopUids)).toEqual([['1.1.2'], ['1.1.1']]);
  });

  it('names no series by number or UID', () => {
    const odd = study('1.2.840', 'CT', [{ description: '4711 8' }, { description: '4711 9' }]);
    const text = JSON.stringify(keep([{ study: 0, seriesUid: '1.2.840.2' }], [odd]));
    expect(text).not.toMatch(/4711|1\.2\.840/);
  });

  it('can be kept whatever devices write into their codes', () => {
    const odd = study('1', 'CT\u0000 a "b" <c>', [
      {
        modality: 'c t!',
        description: 'x'.repeat(500),
        more: { ...body('Brain, NOS \u0007'.repeat(9)), ...image('L-LAT/obl ', 'X') },
      },
      { modality: '', description: '\n\t' },
      { modality: 'dx', more: image('A_P', 'R'), images: 2 },
    ]);
    const protocol = keep(
      ['1.1', '1.2', '1.3'].map((seriesUid) => ({ study: 0, seriesUid })),
      [odd],
    );
    expect(validateProtocol(protocol)).toEqual([]);
    expect(uids(applied(protocol, [odd]))).toEqual(['1.1', '1.2', '1.3']);
    expect(protocol.match.modalities).toEqual(['CT', 'DX']);
    expect(protocol.match.body_parts?.[0]).toMatch(/^BRAIN NOS BRAIN/);
  });

  it('gets an id from its name', () => {
    expect(protocolId('CT Thorax (Müller)')).toBe('ct-thorax-muller');
    expect(protocolId('CT!', ['ct', 'ct-2'])).toBe('ct-3');
    expect(protocolId('胸部')).toBe('protocol');
  });

  it('refuses a series that is not there', () => {
    expect(() => keep([{ study: 0, seriesUid: 'x' }], [BRAIN])).toThrow(RangeError);
  });

  it('comes back whatever the studies hold', () => {
    for (let seed = 1; seed <= 300; seed++) {
      const pick = random(seed);
      const studies = anyStudies(pick);
      const panes = Array.from({ length: 4 }, (): PlacedPane => {
        const at = pick(studies.length);
        const shown = studies[at]?.series.filter((s) => !s.notImages) ?? [];
        return { study: at, seriesUid: shown.length ? (shown[pick(shown.length)]?.uid ?? null) : null };
      });
      const distinct = panes.filter((p, k) => panes.findIndex((q) => q.seriesUid === p.seriesUid) === k);
      const protocol = keep(distinct, studies);
      expect(validateProtocol(protocol)).toEqual([]);
      expect(uids(applied(protocol, studies)), `seed ${seed}`).toEqual(distinct.map((p) => p.seriesUid));
    }
  });
});

describe('whatever is asked of whatever studies', () => {
  it('no pane shows a series that does not match, and no picture stands twice', () => {
    for (let seed = 1; seed <= 2000; seed++) {
      const pick = random(seed);
      const studies = anyStudies(pick);
      const panes = Array.from({ length: 4 }, () => anyPane(pick));
      const filled = fillStage(stage(...panes), studies);
      expect(filled).toEqual(fillStage(stage(...panes), studies));
      const pictures = new Set<string>();
      for (const { pane, seriesUid, sopUids, reason } of filled) {
        if (!seriesUid) {
          expect(reason).toBeTruthy();
          continue;
        }
        const series = studies[pane.study ?? 0]?.series.find((s) => s.uid === seriesUid) as SeriesFacts;
        expect(matches(pane.series ?? {}, series, sopUids), `seed ${seed}`).toBe(true);
        for (const sop of sopUids ?? series.instances.map((i) => i.sopUid)) {
          const picture = `${pane.show} ${sop}`;
          expect(pictures.has(picture), `seed ${seed}`).toBe(false);
          pictures.add(picture);
        }
      }
    }
  });

  /** Said again in the plainest way, so that it can be held against the rule itself. */
  function matches(asked: Selector, series: SeriesFacts, sopUids: string[] | null): boolean {
    const says = (word: string) => hasWord(plain(series.description), word);
    const images = series.instances.filter((i) => !sopUids || sopUids.includes(i.sopUid));
    const pictures = images.length ? images : [series];
    return (
      !series.notImages &&
      (!asked.modalities?.length || asked.modalities.includes(series.modality)) &&
      (!asked.words?.length || asked.words.some(says)) &&
      !asked.not_words?.some(says) &&
      (!asked.plane || series.plane === asked.plane || (!series.plane && !series.instances.length)) &&
      (asked.contrast !== true || series.contrast === true) &&
      (asked.contrast !== false || series.contrast !== true) &&
      pictures.every(
        (i) =>
          (!asked.view || i.view === asked.view) && (!asked.laterality || i.laterality === asked.laterality),
      )
    );
  }
});

/** Whole numbers that look random and are the same in every run (mulberry32). */
function random(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) % below;
  };
}

function anyStudies(pick: (below: number) => number) {
  return Array.from({ length: 1 + pick(2) }, (_, k) => ({
    uid: `${k}`,
    exam: 'exam',
    series: Array.from({ length: pick(7) }, (__, n) => anySeries(`${k}.${n}`, pick)),
  }));
}

function anyPane(pick: (below: number) => number): Pane {
  const some = <T>(value: T): T | undefined => (pick(3) === 0 ? value : undefined);
  return {
    study: pick(3),
    show: pick(2) ? 'stack' : 'coronal',
    series: {
      modalities: some([['CT', 'MR', 'MG'][pick(3)] as string]),
      words: some([['t1', 'lung', 'flair'][pick(3)] as string]),
      not_words: some(['adc']),
      plane: some('axial' as const),
      laterality: some('L' as const),
      view: some('CC'),
      contrast: some(pick(2) === 0),
      most_images: some(true),
      nth: some(1 + pick(3)),
    },
  };
}

describe('what is checked', () => {
  it.each(BUILT_IN.map((protocol) => [protocol.id, protocol] as const))(
    'built-in %s can be used',
    (_, protocol) => {
      expect(validateProtocol(protocol)).toEqual([]);
      const presets = JSON.stringify(protocol).matchAll(/"preset":"([^"]+)"/g);
      const known = CT_PRESETS.map((p) => p.name);
      expect([...presets].map((m) => m[1]).filter((name) => !known.includes(name ?? ''))).toEqual([]);
    },
  );

  it('has built-in ids of their own', () => {
    expect(new Set(BUILT_IN.map((p) => p.id)).size).toBe(BUILT_IN.length);
  });

  it('accepts the sample', () => {
    expect(validateProtocol(REFUSED.sample)).toEqual([]);
  });

  it.each(REFUSED.refused as { at: (string | number)[]; to: unknown; path: string }[])(
    'refuses $path as $to',
    (fault) => {
      const faults = validateProtocol(changed(REFUSED.sample, fault.at, fault.to));
      expect(faults[0]?.split(':')[0]).toBe(fault.path);
    },
  );

  it.each([[null], ['x'], [7], [[]], [{}]])('refuses %j', (json) => {
    expect(validateProtocol(json).length).toBeGreaterThan(0);
  });

  function changed(json: unknown, at: (string | number)[], to: unknown): unknown {
    const copy = structuredClone(json);
    let place = copy as Record<string | number, unknown>;
    for (const key of at.slice(0, -1)) place = place[key] as typeof place;
    place[at.at(-1) as string] = to;
    return copy;
  }
});
