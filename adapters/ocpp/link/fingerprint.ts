const PRIME = 0x01000193;
const BASIS = 0x811c9dc5;

/**
 * 32 bits that differ where two frames do (FNV-1a in four lanes, since one lane waits for itself at every letter). Good enough
 * to tell a repeat from another message of the same id, and no proof against anyone who means to deceive: he would only
 * deceive himself.
 */
export function fingerprint(text: string): number {
  const { length } = text;
  let [a, b, c, d] = [BASIS, BASIS + 1, BASIS + 2, BASIS + 3];
  let index = 0;
  for (; index + 4 <= length; index += 4) {
    a = Math.imul(a ^ text.charCodeAt(index), PRIME);
    b = Math.imul(b ^ text.charCodeAt(index + 1), PRIME);
    c = Math.imul(c ^ text.charCodeAt(index + 2), PRIME);
    d = Math.imul(d ^ text.charCodeAt(index + 3), PRIME);
  }
  for (; index < length; index++) a = Math.imul(a ^ text.charCodeAt(index), PRIME);
  for (const lane of [b, c, d, length]) a = Math.imul(a ^ lane, PRIME);
  return a;
}
