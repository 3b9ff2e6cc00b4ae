/** The keys of one queue, before its lists of waiting messages. */
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
