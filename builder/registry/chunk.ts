/** The sizes that are tried, in bytes, when a request was too big: proxies allow 100 MiB or 1, ghcr.io 4. */
const sizes = [64 << 20, 16 << 20, 4 << 20, 1 << 20, 256 << 10];

/** The next smaller size, or undefined if there is none that makes sense. */
export const smallerChunk = (tried: number): number | undefined => sizes.find((size) => size < tried);

/** Whether so says a server that will not take as many bytes at once. */
export const isTooBig = (status: number, message: string): boolean =>
  status === 413 ||
  ((status === 416 || status === 400) && /exceed|too large|too big|larger than/i.test(message));
