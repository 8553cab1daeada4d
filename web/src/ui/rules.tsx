/** A table of rules that can be switched on and off, changed and removed, each kind with columns of its own. */
import { Button } from './primitives';

interface Rule {
  name: string;
  enabled: boolean;
}

interface TableProps<R extends Rule> {
  rules: readonly R[];
  /** Head and content of what stands between a rule's name and its switch. */
  columns: readonly (readonly [head: string, cell: (rule: R) => string])[];
  may: boolean;
  edit: (rule: R) => void;
  forget: (rule: R) => Promise<void>;
  toggle: (rule: R) => Promise<void>;
}

export function RuleTable<R extends Rule>({ rules, columns, may, edit, forget, toggle }: TableProps<R>) {
  return (
    <table class="plain wide">
      <thead>
        <tr>
          <th scope="col">Rule</th>
          {columns.map(([head]) => (
            <th scope="col" key={head}>
              {head}
            </th>
          ))}
          <th scope="col" class="tick">
            On
          </th>
          <th scope="col">
            <span class="sr-only">What to do</span>
          </th>
        </tr>
      </thead>
      <tbody>
        {rules.map((rule) => (
          <tr key={rule.name} class={rule.enabled ? '' : 'off'}>
            <th scope="row">{rule.name}</th>
            {columns.map(([head, cell]) => (
              <td key={head}>{cell(rule)}</td>
            ))}
            <td class="tick" data-label="On">
              <input
                type="checkbox"
                checked={rule.enabled}
                disabled={!may}
                aria-label={`${rule.name} is on`}
                onChange={() => void toggle(rule)}
              />
            </td>
            <td class="end">
              {may && (
                <>
                  <Button kind="quiet" label={`Change ${rule.name}`} onClick={() => edit(rule)}>
                    Change
                  </Button>
                  <Button kind="quiet" label={`Remove ${rule.name}`} onClick={() => void forget(rule)}>
                    Remove
                  </Button>
                </>
              )}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
