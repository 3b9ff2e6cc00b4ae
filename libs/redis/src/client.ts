// The one door to ioredis for every other room: `libs/redis` and the `store/` folders may know it, nobody else does.
export { Cluster, Redis } from 'ioredis';
