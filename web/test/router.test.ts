import { describe, expect, it } from 'vitest';
import { parseRoute, pathTo, safeNext } from '../src/app/router';

describe('addresses', () => {
  it.each([
    ['/', { page: 'worklist' }],
    ['/worklist', { page: 'worklist' }],
    ['/study/1.2.3', { page: 'study', study: '1.2.3', finding: null }],
    ['/patient/p%207', { page: 'patient', patient: 'p 7' }],
    ['/patient/p%207/response', { page: 'response', patient: 'p 7' }],
    ['/admin/audit', { page: 'audit' }],
    ['/archive', { page: 'archive', study: null }],
    ['/archive/trash', { page: 'trash' }],
    ['/archive/elsewhere', { page: 'nowhere' }],
    ['/admin/peers', { page: 'peers' }],
    ['/orders', { page: 'orders' }],
    ['/study', { page: 'nowhere' }],
    ['/study/1/2', { page: 'nowhere' }],
    ['/etc/passwd', { page: 'nowhere' }],
    ['/study/%E0%A4%A', { page: 'study', study: '%E0%A4%A', finding: null }],
  ])('%s', (path, route) => {
    expect(parseRoute(path)).toEqual(route);
  });

  it('come back as they went out', () => {
    expect(parseRoute(pathTo.patient('a/b c'))).toEqual({ page: 'patient', patient: 'a/b c' });
  });
});

it('leads to a finding of a study', () => {
  const [path, query] = pathTo.finding('1.2.3', 'f/1').split('?');
  expect(parseRoute(path ?? '', `?${query}`)).toEqual({ page: 'study', study: '1.2.3', finding: 'f/1' });
});

it('leads to a study in the archive', () => {
  expect(parseRoute('/archive', '?study=1.2.3')).toEqual({ page: 'archive', study: '1.2.3' });
});

describe('where a login leads', () => {
  it.each([
    ['/study/1.2.3', '/study/1.2.3'],
    ['//evil.example/', '/worklist'],
    ['https://evil.example/', '/worklist'],
    ['/\\evil.example', '/worklist'],
    ['/login?next=/login', '/worklist'],
    ['/setup?token=x', '/worklist'],
    [null, '/worklist'],
  ])('%s → %s', (next, path) => {
    expect(safeNext(next)).toBe(path);
  });
});
