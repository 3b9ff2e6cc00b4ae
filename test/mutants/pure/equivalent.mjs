/** Faults of pure code that cannot be caught, since they change nothing that a caller can see: the code they are in, and why. */
export default [];
