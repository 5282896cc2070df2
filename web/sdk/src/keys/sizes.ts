// Apart from the primitives, so that who needs a size alone does not load them.

export const kHashSize = 32;
export const kKeySize = 32;
export const kSignatureSize = 64;
