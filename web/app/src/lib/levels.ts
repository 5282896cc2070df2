/** Nobody speaks. */
export const kNoLevels: ReadonlyMap<number, number> = new Map();
