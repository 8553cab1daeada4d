import { describe, expect, it } from 'vitest';
import { person } from '../src/features/documents/attributes';
import { type Film, refusalOf } from '../src/features/documents/film';
import { kindOf } from '../src/features/documents/kinds';

const STORAGE = '1.2.840.10008.5.1.4.1.1.';
const H264 = '1.2.840.10008.1.2.4.102';

describe('which objects are read or played', () => {
  it.each([
    [`${STORAGE}88.33`, undefined, 'report'],
    [`${STORAGE}88.67`, undefined, 'report'],
    [`${STORAGE}79.1`, undefined, 'report'],
    [`${STORAGE}104.1`, undefined, 'pdf'],
    [`${STORAGE}104.2`, undefined, 'file'],
    [`${STORAGE}9.1.1`, undefined, 'ecg'],
    [`${STORAGE}9.2.1`, undefined, 'ecg'],
    [`${STORAGE}77.1.6`, '1.2.840.10008.1.2.4.50', 'slide'],
    [`${STORAGE}77.1.1.1`, undefined, 'video'],
    [`${STORAGE}3.1`, H264, 'video'],
    [`${STORAGE}3.1`, '1.2.840.10008.1.2.4.107', 'video'],
    [`${STORAGE}77.1.1.1`, '1.2.840.10008.1.2.4.50', null],
    [`${STORAGE}2`, '1.2.840.10008.1.2.4.90', null],
    [`${STORAGE}66.4`, undefined, null],
    ['', undefined, null],
  ])('%s in %s is %s', (sopClass, syntax, kind) => {
    expect(kindOf(sopClass, syntax)).toBe(kind);
  });
});

describe('why a film is not played', () => {
  const film = { media_type: 'video/mp4', container: 'MP4', codec: 'HEVC', codecs: 'hvc1' } as Film;
  it('names the codec that the browser lacks', () => {
    expect(refusalOf(film, () => '')).toContain('HEVC');
    expect(refusalOf(film, () => 'probably')).toBeNull();
  });
  it('names the container', () => {
    const stream = { ...film, media_type: 'video/mp2t', container: 'MPEG transport stream' };
    expect(refusalOf(stream, (type) => (type.includes('mp4') ? 'maybe' : ''))).toContain(
      'an MPEG transport stream',
    );
  });
});

describe('names of persons', () => {
  it.each([
    [{ Alphabetic: 'Lovelace^Ada^King' }, 'Lovelace, Ada King'],
    [{ Ideographic: '山田^太郎' }, '山田, 太郎'],
    ['nonsense', ''],
    [null, ''],
  ])('%s', (value, name) => {
    expect(person({ '00100010': { vr: 'PN', Value: [value] } }, '00100010')).toBe(name);
  });
});
