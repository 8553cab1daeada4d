/** How the study beside the current one was aligned: the verdict, its tests, and the ways to compare in one pane. */
import { figure } from '../../ui/format';
import { OverButtons } from './prior-over-image';
import type { ReadingStore } from './store';

const VERDICTS = {
  good: { glyph: '✓', words: 'alignment good', tone: 'good' },
  care: { glyph: '▲', words: 'alignment: take care', tone: 'warning' },
  failed: { glyph: '✕', words: 'not aligned', tone: 'error' },
} as const;

export function Verdict({ store }: { store: ReadingStore }) {
  const { alignment, words } = store.beside;
  const found = alignment.value;
  if (!found)
    return (
      <span class="muted verdict" role="status">
        {words.value}
      </span>
    );
  const look = VERDICTS[found.verdict];
  return (
    <>
      <button
        type="button"
        id="verdict"
        class={`verdict ${look.tone}`}
        popovertarget="verdict-tests"
        title={`${found.reason} (V)`}
      >
        <span aria-hidden="true">{look.glyph}</span> {look.words}
      </button>
      <div id="verdict-tests" class="popover" popover="auto">
        <p>{found.reason}</p>
        {found.tests.length > 0 && (
          <table>
            <thead>
              <tr>
                <th scope="col">Test</th>
                <th scope="col">Value</th>
                <th scope="col">Limit</th>
                <th scope="col">Passed</th>
              </tr>
            </thead>
            <tbody>
              {found.tests.map((t) => (
                <tr key={t.name}>
                  <th scope="row">{t.name}</th>
                  <td>
                    {figure(t.value)} <span class="unit">{t.unit === '1' ? '' : t.unit}</span>
                  </td>
                  <td>{figure(t.limit)}</td>
                  <td class={t.passed ? 'good' : 'error'}>{t.passed ? '✓ yes' : '✕ no'}</td>
                </tr>
              ))}
            </tbody>
          </table>
        )}
        <OverButtons store={store} />
      </div>
    </>
  );
}
