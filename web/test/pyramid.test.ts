import { describe, expect, it } from 'vitest';
import {
  chooseLevel,
  fitted,
  inLevel,
  kept,
  magnification,
  readSlide,
  scaleBar,
  seen,
  zoomedAt,
} from '../src/features/documents/pyramid';
import { TileStore } from '../src/features/documents/tiles';
import type { DicomJson } from '../src/viewer/series';

type Item = Record<string, unknown>;
const of = (...values: unknown[]) => ({ Value: values });

function level(sop: string, columns: number, rows: number, more: Item = {}, tile = 256): DicomJson {
  return {
    '00080008': of('ORIGINAL', 'PRIMARY', 'VOLUME', 'NONE'),
    '00080018': of(sop),
    '00280010': of(tile),
    '00280011': of(tile),
    '00280008': of(Math.ceil(columns / tile) * Math.ceil(rows / tile)),
    '00480006': of(columns),
    '00480007': of(rows),
    '00209311': of('TILED_FULL'),
    '52009229': of({ '00289110': of({ '00280030': of(0.0005, 0.0005) }) }),
    '00480105': of({ '00480106': of('1'), '00480112': of(20) }),
    ...more,
  } as unknown as DicomJson;
}

const SLIDE = [level('b', 1024, 768), level('c', 256, 192), level('a', 4096, 3072)];
const whole = { left: 0, top: 0, right: 1e6, bottom: 1e6 };

describe('a slide', () => {
  it('is a pyramid with its finest level first', () => {
    const slide = readSlide(SLIDE);
    expect(slide.levels.map((l) => [l.columns, l.scale])).toEqual([
      [4096, 1],
      [1024, 4],
      [256, 16],
    ]);
    expect(slide.spacing).toEqual([0.0005, 0.0005]);
  });

  it('keeps label and overview apart', () => {
    const label = level('l', 300, 300, { '00080008': of('ORIGINAL', 'PRIMARY', 'LABEL', 'NONE') });
    const slide = readSlide([...SLIDE, label]);
    expect(slide.pictures).toEqual([{ kind: 'label', sopUid: 'l', columns: 300, rows: 300 }]);
    expect(slide.levels).toHaveLength(3);
    expect(readSlide([label]).problem).not.toBe('');
  });

  it('leaves out what is not the same picture made smaller', () => {
    expect(readSlide([...SLIDE, level('x', 800, 200)]).levels).toHaveLength(3);
  });

  it('does not believe a spacing that no slide can have', () => {
    const shared = { '52009229': undefined, '00280030': of(1.03, 1.03) };
    const slide = readSlide([level('a', 3175, 2281, shared)]);
    expect(slide.spacing).toBeNull();
    expect(slide.doubt).toContain('1.03 mm');
  });

  it.each([[[]], [[{}]], [[{ '00480006': of(-5) }]], [[level('a', 0, 10)]]])(
    'survives nonsense: %j',
    (instances) => {
      expect(readSlide(instances as unknown as DicomJson[]).problem).not.toBe('');
    },
  );
});

describe('tiles', () => {
  it('run along rows, then down', () => {
    const [base] = readSlide(SLIDE).levels;
    const tiles = base?.tiles({ left: 300, top: 300, right: 600, bottom: 400 }, 0, 0) ?? [];
    expect(tiles.map((t) => [t.frame, t.x, t.y])).toEqual([
      [18, 256, 256],
      [19, 512, 256],
    ]);
  });

  it('of focal planes and optical paths follow those before', () => {
    const more = { '00480303': of(3), '00280008': of(6 * 4), '00480105': of({}, {}) };
    const slide = readSlide([level('a', 512, 512, more)]);
    expect(slide.planes).toBe(3);
    expect(slide.paths).toEqual(['1', '2']);
    const frames = (plane: number, path: number) =>
      slide.levels[0]?.tiles(whole, plane, path).map((t) => t.frame);
    expect(frames(0, 0)).toEqual([1, 2, 3, 4]);
    expect(frames(2, 0)).toEqual([9, 10, 11, 12]);
    expect(frames(1, 1)).toEqual([17, 18, 19, 20]);
  });

  it('of a concatenation lie in the object that holds them', () => {
    const parts = [
      level('first', 512, 512, { '00280008': of(3), '00209228': of(0) }),
      level('second', 512, 512, { '00280008': of(1), '00209228': of(3) }),
    ];
    const tiles = readSlide(parts).levels[0]?.tiles(whole, 0, 0) ?? [];
    expect(tiles.map((t) => [t.sopUid, t.frame])).toEqual([
      ['first', 1],
      ['first', 2],
      ['first', 3],
      ['second', 1],
    ]);
  });

  it('that are sparse lie where they say', () => {
    const at = (x: number, y: number) => ({ '0048021A': of({ '0048021E': of(x), '0048021F': of(y) }) });
    const more = { '00209311': of('TILED_SPARSE'), '52009230': of(at(257, 1), at(1, 257), {}, at(400, 400)) };
    const [base] = readSlide([level('a', 1024, 1024, more)]).levels;
    const tiles = base?.tiles({ left: 0, top: 0, right: 600, bottom: 600 }, 0, 0) ?? [];
    expect(tiles.map((t) => [t.frame, t.x, t.y])).toEqual([
      [1, 256, 0],
      [2, 0, 256],
      [4, 399, 399],
    ]);
  });

  it('are none where far too many would be seen at once', () => {
    const [base] = readSlide([level('a', 4_000_000_000, 4_000_000_000, {}, 1)]).levels;
    expect(base?.tiles({ left: 0, top: 0, right: 4e9, bottom: 4e9 }, 0, 0)).toEqual([]);
  });

  it('are taken as they are stored only where a browser reads them rightly', () => {
    const jpeg = { '00083002': of('1.2.840.10008.1.2.4.50'), '00280004': of('YBR_FULL_422') };
    const plain = (more: Item) =>
      readSlide([level('a', 512, 512, more)]).levels[0]?.tiles(whole, 0, 0)[0]?.plain;
    expect(plain(jpeg)).toBe(true);
    expect(plain({ ...jpeg, '00280004': of('RGB') })).toBe(false);
    expect(plain({ ...jpeg, '00083002': of('1.2.840.10008.1.2.4.90') })).toBe(false);
  });
});

describe('looking', () => {
  const { levels } = readSlide(SLIDE);
  const size = { width: 800, height: 600 };

  it('takes the coarsest level that is fine enough', () => {
    expect([2, 1, 0.6, 0.25, 0.1, 1 / 16, 0.01].map((zoom) => chooseLevel(levels, zoom))).toEqual([
      0, 0, 0, 1, 1, 2, 2,
    ]);
  });

  it('begins with the whole and keeps its middle on the slide', () => {
    const [base] = levels;
    if (!base) throw new Error('no level');
    const view = fitted(base, size);
    const box = inLevel(seen(view, size), 4);
    expect(box.left).toBeLessThanOrEqual(0);
    expect(box.right).toBeGreaterThanOrEqual(1024);
    expect(kept({ x: -50, y: 1e9, zoom: 99 }, base, size)).toEqual({ x: 0, y: 3072, zoom: 8 });
  });

  it('enlarges about the pointer', () => {
    const before = { x: 1000, y: 800, zoom: 0.5 };
    const at = { x: 120, y: -60 };
    const after = zoomedAt(before, 2, at);
    expect(after.x + at.x / after.zoom).toBeCloseTo(before.x + at.x / before.zoom);
    expect(after.y + at.y / after.zoom).toBeCloseTo(before.y + at.y / before.zoom);
  });

  it.each([
    [0.0005, '50 µm', 100],
    [0.01, '1 mm', 100],
    [0.1, '10 mm', 100],
    [0.000_002, '200 nm', 100],
  ])('has a bar of a round length at %s mm per pixel', (mm, label, pixels) => {
    expect(scaleBar(mm)?.label).toBe(label);
    expect(scaleBar(mm)?.pixels).toBeCloseTo(pixels);
    expect(scaleBar(0)).toBeNull();
  });

  it('tells its magnification, and says where it is only nominal', () => {
    const slide = readSlide(SLIDE);
    expect(magnification(slide, 0.5)).toBe('10×');
    expect(magnification({ ...slide, objectivePower: null }, 1)).toBe('20× nominal');
    expect(magnification({ ...slide, objectivePower: null, spacing: null }, 0.5)).toBe('50 %');
  });
});

describe('the store of tiles', () => {
  const picture = () => {
    const made = { width: 10, height: 10, closed: false, close: () => {} };
    made.close = () => {
      made.closed = true;
    };
    return made;
  };
  const settle = () => new Promise((done) => setTimeout(done, 0));
  const wanted = (...keys: string[]) => keys.map((key) => ({ key, address: key }));

  it('keeps no more than it may and gives up the longest unused', async () => {
    const made = new Map<string, ReturnType<typeof picture>>();
    const store = new TileStore(
      () => {},
      250,
      async (key) => {
        const one = picture();
        made.set(key, one);
        return one as unknown as ImageBitmap;
      },
    );
    store.want(wanted('a', 'b'));
    await settle();
    store.get('a');
    store.want(wanted('c'));
    await settle();
    expect([store.get('a'), store.get('b'), store.get('c')].map(Boolean)).toEqual([true, false, true]);
    expect(made.get('b')?.closed).toBe(true);
    store.close();
    expect(made.get('a')?.closed).toBe(true);
  });

  it('fetches few at a time and lets go of what is no longer wanted', async () => {
    const asked: { key: string; signal: AbortSignal }[] = [];
    const store = new TileStore(
      () => {},
      1000,
      (key, signal) => {
        asked.push({ key, signal });
        return new Promise((_, refuse) => signal.addEventListener('abort', () => refuse(new Error('gone'))));
      },
    );
    store.want(wanted(...'abcdefghij'));
    expect(asked.map((a) => a.key).join('')).toBe('abcdef');
    store.want(wanted('z'));
    await settle();
    expect(asked.filter((a) => a.signal.aborted)).toHaveLength(6);
    expect(asked.at(-1)?.key).toBe('z');
    expect(store.standing).toMatchObject({ waiting: 1, failed: 0 });
  });

  it('tries twice, then says what is missing, and again when asked', async () => {
    let asked = 0;
    const store = new TileStore(
      () => {},
      1000,
      async () => {
        asked += 1;
        throw new Error('no');
      },
    );
    store.want(wanted('a'));
    await settle();
    await settle();
    expect(asked).toBe(2);
    expect(store.standing).toMatchObject({ waiting: 0, failed: 1 });
    store.retry();
    store.want(wanted('a'));
    await settle();
    expect(asked).toBeGreaterThan(2);
  });
});
