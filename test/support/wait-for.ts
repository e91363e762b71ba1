import { setTimeout as pause } from "node:timers/promises";

/** Waits until `holds` is true, at most `limitMs`; the error names what was waited for. */
export async function waitFor(what: string, holds: () => boolean | Promise<boolean>, limitMs = 20_000): Promise<void> {
  const giveUpAt = performance.now() + limitMs;
  while (!(await holds())) {
    if (performance.now() > giveUpAt) throw new Error(`waited ${limitMs} ms in vain for ${what}`);
    await pause(20);
  }
}
