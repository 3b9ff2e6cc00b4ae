/** The keys of one queue, before the lists in which its messages wait. */
export const targetKeyNames = [
  ...([
    'settings',
    'state',
    'messages',
    'ids',
    'seen',
    'delayed',
    'expiry',
    'idle',
    'wake',
    'ended',
    'followUps',
  ] as const),
  ...(['counts', 'handled', 'offered'] as const),
];
