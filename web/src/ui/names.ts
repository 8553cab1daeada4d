/** Person names as DICOM writes them (PS3.5 6.2, PN) and as people do. */

/** `MEYER, Anna` from `MEYER^Anna`; other groups of the name in brackets. */
export function personName(name: string): string {
  const [first = '', ...groups] = name
    .split('=')
    .map((group) => {
      const [family = '', ...given] = group.split('^').map((part) => part.trim());
      return [family, given.filter(Boolean).join(' ')].filter(Boolean).join(', ');
    })
    .filter(Boolean);
  return groups.length > 0 ? `${first} (${groups.join(', ')})` : first;
}

/** `MEYER^Anna` from its two parts. */
export const joinName = (family: string, given: string): string =>
  given ? `${family.trim()}^${given.trim()}` : family.trim();
