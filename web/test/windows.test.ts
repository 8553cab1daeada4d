import { describe, expect, it } from 'vitest';
import { OtherWindows } from '../src/features/reading/other-windows';

const heard = () => new Promise((done) => setTimeout(done, 20));

describe('other windows', () => {
  it('say that they show another patient, and stop when they are closed', async () => {
    const other = new BroadcastChannel('sightline-patients');
    const here = new OtherWindows();
    here.show('patient-a');
    other.postMessage({ window: 'w2', patient: 'patient-b', asks: false });
    await heard();
    expect(here.others.value).toBe(1);
    other.postMessage({ window: 'w2', patient: 'patient-a', asks: false });
    await heard();
    expect(here.others.value).toBe(0);
    other.postMessage({ window: 'w2', patient: 'patient-c', asks: false });
    other.postMessage({ window: 'w2', patient: null, asks: false });
    await heard();
    expect(here.others.value).toBe(0);
    other.close();
    here.close();
  });

  it('are answered when they ask', async () => {
    const other = new BroadcastChannel('sightline-patients');
    const answers: unknown[] = [];
    const here = new OtherWindows();
    here.show('patient-a');
    await heard();
    other.onmessage = ({ data }) => answers.push(data.patient);
    other.postMessage({ window: 'w2', patient: 'patient-b', asks: true });
    await heard();
    expect(answers).toEqual(['patient-a']);
    other.close();
    here.close();
  });
});
