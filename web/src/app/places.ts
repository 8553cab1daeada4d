/** The pages a person can go to, in the order they are offered. */
import { pathTo, type route } from './router';
import { can, type Permission } from './session';

interface PlaceEntry {
  page: (typeof route.value)['page'];
  name: string;
  path: string;
  needs: Permission;
  keys?: string;
}

const PLACES: readonly PlaceEntry[] = [
  { page: 'worklist', name: 'Worklist', path: pathTo.worklist, needs: 'worklist.read', keys: 'Alt-w' },
  { page: 'archive', name: 'Archive', path: pathTo.archive, needs: 'archive.read', keys: 'Alt-a' },
  { page: 'conflicts', name: 'Conflicts', path: pathTo.conflicts, needs: 'archive.correct' },
  { page: 'rejected', name: 'Rejected', path: pathTo.rejected, needs: 'archive.reject' },
  { page: 'trash', name: 'Trash', path: pathTo.trash, needs: 'archive.delete' },
  { page: 'transfers', name: 'Transfers', path: pathTo.transfers, needs: 'peer.read' },
  { page: 'orders', name: 'Orders', path: pathTo.orders, needs: 'order.read', keys: 'Alt-o' },
  { page: 'storage', name: 'Storage', path: pathTo.storage, needs: 'archive.correct' },
  { page: 'rules', name: 'Rules', path: pathTo.rules, needs: 'archive.correct' },
  { page: 'peers', name: 'Peers', path: pathTo.peers, needs: 'peer.read' },
  { page: 'upkeep', name: 'Upkeep', path: pathTo.upkeep, needs: 'system.maintain' },
  { page: 'audit', name: 'Audit trail', path: pathTo.audit, needs: 'audit.read' },
];

/** The pages the person may see. */
export const places = (): readonly PlaceEntry[] => PLACES.filter((place) => can(place.needs));

export const everyPlace = PLACES;
