/** Bytes in use after garbage is gone; the program must run with `--expose-gc`. */
export function heapInUse(): number {
  const { gc } = globalThis as { gc?: () => void };
  for (let round = 0; round < 4; round++) gc?.();
  return process.memoryUsage().heapUsed;
}
