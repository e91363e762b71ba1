/**
 * 32 bits that differ where two frames do (FNV-1a). Good enough to tell a repeat from another message of the same id, and
 * no proof against anyone who means to deceive: he would only deceive himself.
 */
export function fingerprint(text: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index++) hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  return hash;
}
